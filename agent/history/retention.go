package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/internal/dueindex"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	markerSort = "history"

	// precision is the part of Options.Retention by which a conversation may be kept longer, so that not every turn
	// writes the marker.
	precision = 10

	cleanedAttr = "cleaned" // number of the newest turn that was deleted

	maxMarks = 5 // attempts to write the marker
)

// markers lists the sessions by the time of their newest turn.
var markers = dueindex.Index{Class: "history", Shards: 8}

// markUse writes to the session's marker that a turn is appended now. The marker lists the session for Clean, ordered
// by time. It is written only if it is older than a tenth of the retention, and before the turn, so that every turn has
// it.
//
// If the turn before r does not exist, the conversation was deleted after its writer had loaded it. A new marker then
// says that the earlier turns were deleted.
func (s *Store) markUse(ctx context.Context, view *table.View, r record) error {
	if s.retention == 0 {
		return nil
	}
	for range maxMarks {
		now := time.Now()
		it, cond, err := readMarker(ctx, view)
		if err != nil {
			return err
		}
		if at, err := markerTime(it); err != nil || now.Sub(at) < s.retention/precision {
			return err
		}
		if it.Version == 0 && r.kind == turnKind && r.number > 1 {
			if err := markCleaned(ctx, view, &it, r.number-1); err != nil {
				return err
			}
		}
		it.Index = []table.Entry{markers.Entry(view.Scope(), now)}
		_, err = view.Put(ctx, it, cond)
		if _, ok := errors.AsType[*table.ConflictError](err); !ok {
			return err
		}
	}
	return fmt.Errorf("the item %q changes too often", markerSort)
}

// readMarker returns the marker and the condition to replace it, or a new one.
func readMarker(ctx context.Context, view *table.View) (table.Item, table.Cond, error) {
	it, err := view.Get(ctx, markerSort)
	if errors.Is(err, table.ErrNotFound) {
		return table.Item{Sort: markerSort}, table.Absent(), nil
	}
	return it, table.Version(it.Version), err
}

// markCleaned notes in a new marker that the turns up to n were deleted, unless turn n exists.
func markCleaned(ctx context.Context, view *table.View, marker *table.Item, n int) error {
	_, err := view.Get(ctx, turnName(n))
	if errors.Is(err, table.ErrNotFound) {
		marker.Attr, err = map[string]table.Value{cleanedAttr: int64(n)}, nil
	}
	return err
}

// cleanedThrough returns the number of the newest turn that was deleted, or 0.
func cleanedThrough(marker table.Item) int {
	n, _ := marker.Attr[cleanedAttr].(int64)
	return int(n)
}

// markerTime returns the time in a marker. It is zero for a new one.
func markerTime(it table.Item) (time.Time, error) {
	if it.Version == 0 {
		return time.Time{}, nil
	}
	if len(it.Index) == 1 && it.Index[0].Class == markers.Class {
		if at, err := time.Parse(dueindex.TimeLayout, it.Index[0].Sort); err == nil {
			return at, nil
		}
	}
	return time.Time{}, newDamage(it, errForeign)
}
