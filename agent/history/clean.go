package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// Clean deletes conversations to which no turn has been appended for [Options].Retention, with their objects. It does
// nothing without a Retention. Call it about every minute. system must be of the Store's table.
//
// forget is called before a conversation is deleted. It reports whether the conversation must stay, for example because
// a record that has its own retention refers to it; it is then asked again after another Retention. Otherwise it
// deletes the data that belongs to the conversation elsewhere; it may be called again. If nil, every conversation may
// be deleted.
//
// Clean reads a bounded number of items, since any writer may add some, and the next call continues there. It returns
// the first error and continues with the other conversations. A message that arrives meanwhile is kept.
func (s *Store) Clean(
	ctx context.Context, system *table.System,
	forget func(ctx context.Context, session scope.Scope) (mustStay bool, err error),
) error {
	if s.retention == 0 {
		return nil
	}
	if system == nil {
		return fmt.Errorf("history: clean: %w: the system must not be nil", ErrInvalid)
	}
	err := s.cleaning.Continue(ctx, system, markers, time.Now().Add(-s.keepTime()), func(f table.Found) error {
		return s.cleanSession(ctx, f, forget)
	})
	if err != nil {
		return fmt.Errorf("history: clean: %w", err)
	}
	return nil
}

// keepTime is how long a conversation is kept after the time in its marker.
func (s *Store) keepTime() time.Duration { return s.retention + s.retention/precision }

// cleanSession deletes a conversation if it is due. Any writer of items can add one to the index, so the marker itself
// is read. It is written before anything is deleted, which fails if a turn is appended meanwhile, and says which turns
// are deleted, so that Load does not miss them. It is deleted last, so that the next pass continues an interrupted one.
func (s *Store) cleanSession(
	ctx context.Context, f table.Found, forget func(ctx context.Context, session scope.Scope) (bool, error),
) error {
	if f.Scope.Level() != scope.SessionLevel || f.Item.Sort != markerSort {
		return nil
	}
	view, err := s.table.In(f.Scope)
	if err != nil {
		return err
	}
	marker, cond, err := readMarker(ctx, view)
	if err != nil || marker.Version == 0 {
		return err
	}
	now := time.Now()
	if at, err := markerTime(marker); err != nil || now.Sub(at) < s.keepTime() {
		return err
	}
	if forget != nil {
		mustStay, err := forget(ctx, f.Scope)
		if err != nil {
			return err
		}
		if mustStay {
			marker.Index = []table.Entry{markers.Entry(f.Scope, now)}
			_, err = view.Put(ctx, marker, cond)
			return ignoreConflict(err)
		}
	}
	turns, err := findNewest(ctx, view, turnKind)
	if err != nil {
		return err
	}
	compactions, err := findNewest(ctx, view, compactKind)
	if err != nil {
		return err
	}
	if _, n, err := parseRecordName(turns.Sort); err == nil {
		marker.Attr = map[string]table.Value{cleanedAttr: int64(n)}
	}
	if marker, err = view.Put(ctx, marker, cond); err != nil {
		return ignoreConflict(err) // the conversation continues
	}
	// the turns first: a compaction stands for those before it
	if err := s.deleteThrough(ctx, view, turnKind, turns.Sort); err != nil {
		return err
	}
	if err := s.deleteThrough(ctx, view, compactKind, compactions.Sort); err != nil {
		return err
	}
	return ignoreConflict(view.Delete(ctx, markerSort, table.Version(marker.Version)))
}

// findNewest returns the newest item of a kind. It is zero if the session does not have one.
func findNewest(ctx context.Context, view *table.View, k kind) (newest table.Item, _ error) {
	from, to := k.bounds()
	page, err := view.Query(ctx, table.Query{From: from, To: to, Desc: true, Consistent: true, Limit: 1})
	if err == nil && len(page.Items) > 0 {
		newest = page.Items[0].Item
	}
	return newest, err
}

// deleteThrough deletes the records of a kind up to the one with the sort key newest. Those that are added later stay.
func (s *Store) deleteThrough(ctx context.Context, view *table.View, k kind, newest string) error {
	if newest == "" {
		return nil
	}
	return s.deleteAll(ctx, view, string(k), newest+"!")
}

// ignoreConflict returns nil if another writer was faster.
func ignoreConflict(err error) error {
	if _, ok := errors.AsType[*table.ConflictError](err); ok {
		return nil
	}
	return err
}
