package runner

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/carrel-go/carrel/internal/dueindex"
	"github.com/carrel-go/carrel/internal/sleep"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// maxTakeovers is how often a run is taken over without a new checkpoint in between, before it fails. Otherwise a run
// that makes its process crash would do so for ever. A run that waits in the queue cannot be the cause.
const maxTakeovers = 5

// Recover takes over the runs whose process is silent, and returns without waiting for them. It looks for them in all
// scopes, so request handlers must not call it. A run that cannot be taken over now, for example because MaxRuns is
// reached, is left for the next pass.
func (r *Runner) Recover(ctx context.Context, system *table.System) error {
	pass := recovery{runner: r, free: make(chan struct{}, parallelTakeovers)}
	for shard := range openRuns.Shards {
		q := table.Query{Slot: table.I3, Class: openRuns.Class, Limit: 100}
		if !r.o.Exclusive {
			q.To = dueindex.FormatTime(time.Now())
		}
		for {
			page, err := system.Query(ctx, shard, q)
			if err != nil {
				pass.addError(err)
				break
			}
			for _, f := range page.Items { // any writer may have placed it: only its scope and sort key count
				pass.startTakeover(ctx, f.Scope, f.Item.Sort)
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
	}
	pass.wg.Wait()
	if err := errors.Join(pass.errs...); err != nil {
		return fmt.Errorf("runner: recover: %w", err)
	}
	return nil
}

// parallelTakeovers is the number of runs that one pass takes over at a time.
const parallelTakeovers = 16

// recovery is one pass over the orphans.
type recovery struct {
	runner *Runner
	free   chan struct{}
	wg     sync.WaitGroup
	mu     sync.Mutex
	errs   []error
}

func (p *recovery) addError(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errs = append(p.errs, err)
}

// startTakeover takes over a run in the background if its process is silent. It blocks while parallelTakeovers are in
// flight.
func (p *recovery) startTakeover(ctx context.Context, session scope.Scope, sort string) {
	p.free <- struct{}{}
	p.wg.Go(func() {
		defer func() { <-p.free }()
		if err := p.runner.takeOverSilent(ctx, session, sort); err != nil {
			p.addError(fmt.Errorf("%s of %s: %w", sort, session, err))
		}
	})
}

// Watch calls [Runner.Recover] at once and then about every half of Options.Lease, until ctx ends or Shutdown is
// called.
func (r *Runner) Watch(ctx context.Context, system *table.System) {
	for {
		err := r.Recover(ctx, system)
		if errors.Is(err, ErrShutdown) || ctx.Err() != nil {
			return
		}
		if err != nil {
			r.logError(ctx, "runner: recovery", "", err)
		}
		pause := r.o.Lease/4 + mathrand.N(r.o.Lease/2) //nolint:gosec // spreads load; not a secret
		if sleep.For(ctx, pause) != nil {
			return
		}
	}
}

// takeOverSilent takes over a run if its process is silent.
func (r *Runner) takeOverSilent(ctx context.Context, session scope.Scope, sort string) error {
	n, err := parseHeadName(sort)
	if err != nil || session.Level() != scope.SessionLevel || r.findActive(session, n) != nil {
		return nil //nolint:nilerr // the row was forged
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
	case h.status.HasEnded(), r.findActive(session, n) != nil, time.Now().Before(h.lease) && !r.isOrphan(&h):
		return nil
	}
	return r.takeOverRun(ctx, session, view, h)
}

// takeOverRun takes over the run, whose lease may be valid only if its log has ended: the process that holds such a
// run only writes the end of HEAD. If it still lives, it loses HEAD's epoch.
func (r *Runner) takeOverRun(ctx context.Context, session scope.Scope, view *table.View, h head) error {
	if err := r.reserveRun(); err != nil {
		return err
	}
	launched, err := r.claimRun(ctx, session, view, h)
	if !launched {
		r.unreserveRun()
	}
	return err
}

// isOrphan reports whether a run with a valid lease is that of a dead process.
func (r *Runner) isOrphan(h *head) bool { return r.o.Exclusive && h.owner != r.id }

// claimRun wins the epoch of HEAD and launches the run.
func (r *Runner) claimRun(ctx context.Context, session scope.Scope, view *table.View, h head) (launched bool, _ error) {
	in, damage := r.decodeInput(ctx, session, &h)
	if damage != nil && !errors.Is(damage, errUnreadable) {
		return false, damage
	}
	h.claim, h.epoch, h.owner, h.lease = rand.Text(), h.epoch+1, r.id, time.Now().Add(r.o.Lease)
	a := newActive(context.WithoutCancel(ctx), r, session, view, h)
	a.input, a.stateErr = in, damage
	a.run = h.describeRun(session, in)
	// first, since a takeover counts; the run's places are its own, so they are not freed if that fails
	err := a.takePlace(ctx)
	if err == nil {
		a.countTry()
		err = r.retryOperation(ctx, a.winEpoch)
	}
	if err != nil {
		a.cancelRun(errLost)
		if errors.Is(err, errLost) {
			return false, nil
		}
		return false, err
	}
	if h.stop {
		a.stopRun()
	}
	if !r.launchRun(a) {
		a.cancelRun(errLost)
		return false, nil
	}
	return true, nil
}

// winEpoch puts HEAD with the new epoch. It returns errLost if the run has changed.
func (a *active) winEpoch(ctx context.Context) error {
	it, err := a.view.Put(ctx, a.head.encodeItem(a.session, a.runner.o.Retention), table.Version(a.head.version))
	if err == nil {
		a.head.version = it.Version
		return nil
	}
	return a.takeConflict(err) // an earlier try, whose answer was lost
}
