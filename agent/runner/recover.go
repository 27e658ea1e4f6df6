package runner

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// maxTakeovers is how often a run is taken over without a new checkpoint in between, before it fails. Otherwise a run
// that makes its process crash would do so for ever.
const maxTakeovers = 5

// Recover takes over the runs whose process is silent, and returns without waiting for them. It looks for them in all
// scopes, so request handlers must not call it. A run that cannot be taken over now, for example because MaxRuns is
// reached, is left for the next pass.
func (r *Runner) Recover(ctx context.Context, system *table.System) error {
	var errs []error
	for shard := range headShards {
		q := table.Query{Slot: table.I3, Class: headClass, Limit: 100}
		if !r.o.Exclusive {
			q.To = leaseKey(time.Now())
		}
		for {
			page, err := system.Query(ctx, shard, q)
			if err != nil {
				errs = append(errs, err)
				break
			}
			for _, f := range page.Items { // any writer may have placed it: only its scope and sort key count
				if err := r.takeOver(ctx, f.Scope, f.Item.Sort); err != nil {
					errs = append(errs, fmt.Errorf("%s of %s: %w", f.Item.Sort, f.Scope, err))
				}
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("runner: recover: %w", err)
	}
	return nil
}

// Watch calls [Runner.Recover] at once and then about every half of Options.Lease, until ctx ends or Shutdown is called.
func (r *Runner) Watch(ctx context.Context, system *table.System) {
	for {
		err := r.Recover(ctx, system)
		if errors.Is(err, ErrShutdown) || ctx.Err() != nil {
			return
		}
		if err != nil {
			r.logError(ctx, "runner: recovery", "", err)
		}
		pause := time.NewTimer(r.o.Lease/4 + rand.N(r.o.Lease/2)) //nolint:gosec // spreads load; not a secret
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
	}
}

// takeOver takes over one run if its process is silent.
func (r *Runner) takeOver(ctx context.Context, session scope.Scope, sort string) error {
	if session.Level() != scope.SessionLevel {
		return nil
	}
	view, err := r.table.In(session)
	if err != nil {
		return err
	}
	it, err := view.Get(ctx, sort)
	if errors.Is(err, table.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	h, err := parseHead(it)
	switch {
	case err != nil:
		return err
	case h.status.HasEnded(), r.find(session, h.n) != nil, !r.o.Exclusive && time.Now().Before(h.lease):
		return nil
	}
	if err := r.reserve(); err != nil {
		return err
	}
	launched, err := r.claim(ctx, session, view, h)
	if !launched {
		r.unreserve()
	}
	return err
}

// claim wins the epoch of HEAD and launches the run.
func (r *Runner) claim(ctx context.Context, session scope.Scope, view *table.View, h head) (launched bool, _ error) {
	in, err := r.decodeInput(ctx, session, &h)
	if err != nil {
		return false, err
	}
	h.epoch, h.owner, h.lease = h.epoch+1, r.id, time.Now().Add(r.o.Lease)
	a := newActive(context.WithoutCancel(ctx), r, session, view, h)
	a.input = in
	if a.run, err = h.run(session, in); err == nil {
		err = r.retry(ctx, a.win)
	}
	if err == nil {
		err = a.enter(ctx) // its places are its own, so they need not be freed if it is left
	}
	if err != nil {
		a.cancelLife(errLost)
		if errors.Is(err, errLost) {
			return false, nil
		}
		return false, err
	}
	if h.stop {
		a.stop()
	}
	if !r.launch(a) {
		a.cancelLife(errLost)
		return false, nil
	}
	return true, nil
}

// win puts HEAD with the new epoch. It returns errLost if the run has changed.
func (a *active) win(ctx context.Context) error {
	it, err := a.view.Put(ctx, a.head.item(a.session, a.runner.o.Retention), table.Version(a.head.version))
	conflict, ok := errors.AsType[*table.ConflictError](err)
	switch {
	case !ok:
		if err == nil {
			a.head.version = it.Version
		}
		return err
	case conflict.Current == nil:
		return errLost
	}
	current, err := parseHead(*conflict.Current)
	if err != nil {
		return err
	}
	if !current.isHeld(a.head.owner, a.head.epoch) {
		return errLost
	}
	a.head = current // an earlier try, whose answer was lost
	return nil
}

// restore returns the checkpoint from which the run continues, or nil. If the run is taken over, restore fences the
// checkpoints of the process before.
func (a *active) restore() (*agent.Checkpoint, error) {
	if a.run.TakenOver {
		if err := a.store(a.fence); err != nil {
			return nil, err
		}
	}
	if a.savedAt == 0 || a.saved.Epoch == 0 {
		if err := a.store(a.restoreContinued); err != nil {
			return nil, err
		}
	}
	return a.saved.Checkpoint, nil
}

// fence reads the checkpoint of the run and puts it again, so that the next put of the process before conflicts.
func (a *active) fence(ctx context.Context) error {
	for {
		it, err := a.view.Get(ctx, checkpointName(a.head.n))
		switch {
		case errors.Is(err, table.ErrNotFound):
			it = table.Item{}
		case err != nil:
			return err
		}
		if epoch, _ := it.Attr[epochAttr].(int64); epoch > a.head.epoch {
			return errLost
		}
		s, err := a.runner.readSaved(ctx, a.session, a.roots(), it)
		if err != nil {
			return err
		}
		a.savedAt = it.Version
		err = a.putItem(ctx, loadText(it.Attr, dataAttr), 0)
		if errors.Is(err, errLost) {
			continue // the process before has put one more
		}
		if err == nil && s != nil {
			a.saved = *s
		}
		return err
	}
}

// restoreContinued reads the checkpoint of the run that this one continues, if there is one. This run tells everything
// itself, so it has told nothing at that checkpoint.
func (a *active) restoreContinued(ctx context.Context) error {
	if a.head.continues == 0 {
		return nil
	}
	it, err := a.view.Get(ctx, checkpointName(a.head.continues))
	if err != nil {
		return err
	}
	s, err := a.runner.readSaved(ctx, a.session, a.roots(), it)
	if err == nil && (s == nil || s.Checkpoint == nil) {
		err = fmt.Errorf("%w: %q does not have a checkpoint", errForeign, it.Sort)
	}
	if err == nil {
		a.saved = saved{Checkpoint: s.Checkpoint}
	}
	return err
}
