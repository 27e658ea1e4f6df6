package tracking

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	// maxConflicts bounds how often a transition is decided anew because
	// somebody else changed the record in between. Each costs one write.
	maxConflicts = 16

	// maxRepeats bounds how often a write is repeated whose answer was
	// lost. Repeating is safe: if it did happen, the repeat is a conflict
	// with our own nonce or outcome in it.
	maxRepeats = 1
)

// step is a transition of the machine.
type step func(r Record, now time.Time) (next Record, write bool, err error)

func (t *Tracker) view(session scope.Scope) (*table.View, error) {
	if err := session.Require(scope.SessionLevel); err != nil {
		return nil, err
	}
	return t.table.In(session)
}

// read is the one consistent read.
func (t *Tracker) read(ctx context.Context, view *table.View) (Record, error) {
	it, err := view.Get(ctx, metaSort)
	if errors.Is(err, table.ErrNotFound) {
		return Record{}, ErrNotFound
	}
	if err != nil {
		return Record{}, err
	}
	return t.machine.decode(view.Scope(), it)
}

// insert writes a new record where there is none.
func (t *Tracker) insert(ctx context.Context, view *table.View, r Record) (Record, error) {
	it, err := t.put(ctx, view, r.encode(), table.Absent())
	if err == nil {
		return stored(r, it), nil
	}
	conflict, ok := errors.AsType[*table.ConflictError](err)
	if !ok || conflict.Current == nil {
		return Record{}, err
	}
	current, err := t.machine.decode(view.Scope(), *conflict.Current)
	if err != nil {
		return Record{}, err
	}
	if !bytes.Equal(current.digest, r.digest) {
		return current, ErrExists
	}
	return current, nil
}

// update is one read and one transition.
func (t *Tracker) update(ctx context.Context, session scope.Scope, f step) (Record, error) {
	view, err := t.view(session)
	if err != nil {
		return Record{}, err
	}
	r, err := t.read(ctx, view)
	if err != nil {
		return Record{}, err
	}
	return t.swap(ctx, view, r, f)
}

// swap carries a transition from r, without a read. A conflict brings the
// current item along, and the transition is decided again from that. The
// record returned is the newest one known, also beside an error.
func (t *Tracker) swap(ctx context.Context, view *table.View, r Record, f step) (Record, error) {
	for conflicts := range maxConflicts {
		if conflicts > 1 { // more than one other is at it
			if err := pause(ctx, conflicts); err != nil {
				return r, err
			}
		}
		next, write, err := f(r, t.now())
		if err != nil || !write {
			return r, err
		}
		it, err := t.put(ctx, view, next.encode(), table.Version(r.Version))
		if err == nil {
			return stored(next, it), nil
		}
		conflict, ok := errors.AsType[*table.ConflictError](err)
		if !ok {
			return r, err
		}
		if conflict.Current == nil {
			return r, ErrNotFound
		}
		current, err := t.machine.decode(view.Scope(), *conflict.Current)
		if err != nil {
			return r, err
		}
		r = current
	}
	return r, ErrContended
}

// pause lets others through: for up to 4 ms after the second conflict, twice as
// long after each further one, and at most 64.
func pause(ctx context.Context, conflicts int) error {
	most := time.Millisecond << min(conflicts, 6)
	wait := time.NewTimer(rand.N(most)) //nolint:gosec // nothing secret
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// put writes, and repeats a write of which it is not known whether it happened.
func (t *Tracker) put(ctx context.Context, view *table.View, it table.Item, c table.Cond) (table.Item, error) {
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

// stored returns r as it stands in the table.
func stored(r Record, it table.Item) Record {
	r.item, r.Version = it, it.Version
	return r
}

// opError wraps a foreign error once with the operation. Those of this package
// say it themselves.
func opError(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*StateError](err); ok {
		return err
	}
	return fmt.Errorf("tracking: %s: %w", op, err)
}
