package history

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	markerSort  = "history"
	markerClass = "history" // of slot I3, in shards by session
	shards      = 8

	// precision is the part of Options.Retention by which a conversation may be kept longer, so that not every turn
	// writes the marker.
	precision = 10

	maxMarks   = 5                          // attempts to write the marker
	timeLayout = "2006-01-02T15:04:05.000Z" // sorts as text
)

// markUse writes to the session's marker that a turn is appended now. The marker lists the session for Clean, ordered
// by time. It is written only if it is older than a tenth of the retention, and before the turn, so that every turn has
// it.
func (s *Store) markUse(ctx context.Context, view *table.View) error {
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
		it.Index = markerEntry(view.Scope(), now)
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

// markerTime returns the time in a marker. It is zero for a new one.
func markerTime(it table.Item) (time.Time, error) {
	if it.Version == 0 {
		return time.Time{}, nil
	}
	if len(it.Index) == 1 && it.Index[0].Class == markerClass {
		if at, err := time.Parse(timeLayout, it.Index[0].Sort); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("the item %q: %w", it.Sort, errForeign)
}

func markerEntry(session scope.Scope, at time.Time) []table.Entry {
	h := fnv.New32a()
	_, _ = h.Write([]byte(session.Partition()))
	return []table.Entry{{
		Slot: table.I3, Level: scope.None, Class: markerClass, Shard: int(h.Sum32() % shards),
		Sort: at.UTC().Format(timeLayout),
	}}
}
