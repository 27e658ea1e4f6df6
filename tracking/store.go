package tracking

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/carrel-go/carrel/internal/sleep"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	// maxConflicts bounds how often a transition is decided again because
	// another writer changed the record. Each costs one write.
	maxConflicts = 16

	// maxRepeats bounds how often a write whose answer was lost is repeated.
	// That is safe: if the write succeeded, the repeat is a conflict that
	// contains our own nonce or outcome.
	maxRepeats = 1
)

// transition is an operation of the machine.
type transition func(r Record, now time.Time) (next Record, write bool, err error)

func (t *Tracker) sessionView(session scope.Scope) (*table.View, error) {
	if err := session.Require(scope.SessionLevel); err != nil {
		return nil, err
	}
	return t.table.In(session)
}

// readRecord reads the record of the session consistently.
func (t *Tracker) readRecord(ctx context.Context, session scope.Scope) (*table.View, Record, error) {
	view, err := t.sessionView(session)
	if err != nil {
		return nil, Record{}, err
	}
	it, err := view.Get(ctx, metaSort)
	if errors.Is(err, table.ErrNotFound) {
		return nil, Record{}, ErrNotFound
	}
	if err != nil {
		return nil, Record{}, err
	}
	r, err := t.machine.decodeItem(session, it)
	return view, r, err
}

// insertRecord writes a new record unless the session already has one.
func (t *Tracker) insertRecord(ctx context.Context, view *table.View, r Record) (Record, error) {
	it, err := t.putItem(ctx, view, r.encodeItem(), table.Absent())
	if err == nil {
		r.Version = it.Version
		return r, nil
	}
	conflict, ok := errors.AsType[*table.ConflictError](err)
	if !ok || conflict.Current == nil {
		return Record{}, err
	}
	current, err := t.machine.decodeItem(view.Scope(), *conflict.Current)
	if err != nil {
		return Record{}, err
	}
	if current.Filename != r.Filename {
		return current, ErrExists
	}
	return current, nil
}

// updateRecord reads the record and applies one transition.
func (t *Tracker) updateRecord(ctx context.Context, session scope.Scope, f transition) (Record, error) {
	view, r, err := t.readRecord(ctx, session)
	if err != nil {
		return Record{}, err
	}
	return t.swapRecord(ctx, view, r, f)
}

// swapRecord applies a transition to r without a read. A conflict returns the current
// item, from which the transition is decided again. It returns the newest
// known record, even with an error.
func (t *Tracker) swapRecord(ctx context.Context, view *table.View, r Record, f transition) (Record, error) {
	for conflicts := range maxConflicts {
		if conflicts > 1 { // several writers compete
			if err := backOff(ctx, conflicts); err != nil {
				return r, err
			}
		}
		next, write, err := f(r, t.currentTime())
		if err != nil || !write {
			return r, err
		}
		it, err := t.putItem(ctx, view, next.encodeItem(), table.Version(r.Version))
		if err == nil {
			next.Version = it.Version
			return next, nil
		}
		conflict, ok := errors.AsType[*table.ConflictError](err)
		if !ok {
			return r, err
		}
		if conflict.Current == nil {
			return r, ErrNotFound
		}
		current, err := t.machine.decodeItem(view.Scope(), *conflict.Current)
		if err != nil {
			return r, err
		}
		r = current
	}
	return r, ErrContended
}

// backOff waits for up to 4 ms after the second conflict, twice as long after
// each further one, and at most 64 ms.
func backOff(ctx context.Context, conflicts int) error {
	most := time.Millisecond << min(conflicts, 6)
	return sleep.For(ctx, rand.N(most)) //nolint:gosec // nothing secret
}

// putItem writes an item, and repeats a write whose result is unknown.
func (t *Tracker) putItem(ctx context.Context, view *table.View, it table.Item, c table.Cond) (table.Item, error) {
	for repeats := 0; ; repeats++ {
		out, err := view.Put(ctx, it, c)
		if err == nil || repeats == maxRepeats || ctx.Err() != nil {
			return out, err
		}
		if _, ok := errors.AsType[*table.ConflictError](err); ok {
			return out, err
		}
	}
}

// opError wraps an error with the operation. A StateError already names it.
func opError(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*StateError](err); ok {
		return err
	}
	return fmt.Errorf("tracking: %s: %w", op, err)
}
