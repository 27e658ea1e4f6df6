package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/scope/table"
)

// startKeeping renews the leases of the run until the returned function is called, which waits for a renewal in flight.
func (a *active) startKeeping() (stop func()) {
	ctx, cancel := context.WithCancel(a.runCtx)
	a.headMu.Lock()
	k := &keeper{active: a, ctx: ctx, expires: a.head.lease, turn: make(chan struct{}, 1)}
	a.headMu.Unlock()
	k.turn <- struct{}{}
	k.timer = time.AfterFunc(a.runner.o.Heartbeat, k.renewLease)
	<-k.turn
	return func() {
		cancel()
		k.turn <- struct{}{}
		k.timer.Stop()
		<-k.turn
	}
}

// keeper renews the lease of HEAD and the place of the run, and notices a stop request. A timer calls it, so that a run
// does not have a goroutine between two renewals.
type keeper struct {
	active *active
	ctx    context.Context //nolint:containedctx // of the renewals

	turn    chan struct{} // holds a value during a renewal
	timer   *time.Timer
	expires time.Time // of the lease
}

// renewLease makes one renewal and starts the timer for the next one. It abandons the run when its lease may have
// expired. The place is renewed after HEAD, since a process that has lost the run must not take a place for it.
func (k *keeper) renewLease() {
	k.turn <- struct{}{}
	defer func() { <-k.turn }()
	if k.ctx.Err() != nil {
		return
	}
	a, next := k.active, time.Now().Add(k.active.runner.o.Heartbeat)
	if !a.runner.o.Exclusive {
		lease := time.Now().Add(a.runner.o.Lease)
		err := a.renewHead(k.ctx, k.expires, lease)
		switch {
		case k.ctx.Err() != nil:
			return
		case err == nil:
			k.expires = lease
		case errors.Is(err, errLost), time.Now().After(k.expires):
			a.loseRun()
			return
		}
	}
	if k.ctx.Err() == nil && a.ticket != nil {
		if err := a.runner.tryOperation(k.ctx, a.ticket.Renew); errors.Is(err, admission.ErrLost) {
			a.runner.logError(k.ctx, "runner: a run has lost its place", a.run.ID, err)
		}
	}
	if k.ctx.Err() == nil {
		k.timer.Reset(time.Until(next))
	}
}

// renewHead renews the lease of HEAD. It does not wait for longer than the present one.
func (a *active) renewHead(ctx context.Context, expires, lease time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, expires)
	defer cancel()
	return a.runner.tryOperation(ctx, func(ctx context.Context) error {
		return a.updateHead(ctx, func(h *head) { h.lease = lease })
	})
}

// updateHead changes HEAD. It returns errLost if another process has the run, and notices a stop request.
func (a *active) updateHead(ctx context.Context, change func(*head)) error {
	a.headMu.Lock()
	defer a.headMu.Unlock()
	for {
		h := a.head
		change(&h)
		it, err := a.view.Put(ctx, h.encodeItem(a.session, a.runner.o.Retention), table.Version(h.version))
		if err == nil {
			h.version = it.Version
			a.head = h
			return nil
		}
		if err := a.takeConflict(err); err != nil {
			return err
		}
		if a.head.stop {
			a.stopRun()
		}
	}
}

// takeConflict takes the HEAD in the conflict that a put of HEAD returned. It returns errLost if that is not of this
// claim, and any other error of the put unchanged.
func (a *active) takeConflict(err error) error {
	conflict, ok := errors.AsType[*table.ConflictError](err)
	switch {
	case !ok:
		return err
	case conflict.Current == nil:
		return errLost
	}
	current, err := parseHead(*conflict.Current)
	if err != nil {
		return err
	}
	if current.claim != a.head.claim {
		return errLost
	}
	a.head = current
	return nil
}

// writeLog calls a method of the log. If that waits for as long as a lease, the run is left to another process.
func (a *active) writeLog(f func(context.Context) error) error {
	a.watchdog.Begin()
	defer a.watchdog.Pause()
	return f(a.runCtx)
}

func (a *active) appendEvent(ev json.RawMessage, urgent bool) error {
	return a.writeLog(func(ctx context.Context) error { return a.log.Append(ctx, ev, urgent) })
}

// repeatOperation repeats an operation of the table for the time of a lease. If it still fails, the run is left to
// another process.
func (a *active) repeatOperation(op func(context.Context) error) error {
	err := a.runner.retryOperation(a.runCtx, op)
	if err != nil && !isPermanent(err) {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	return err
}

// closeHead records in HEAD that the run has ended.
func (a *active) closeHead(stopKeeping func()) error {
	var status Status
	err := a.repeatOperation(func(context.Context) (err error) {
		status, err = a.endStatus()
		return err
	})
	if err != nil {
		return err
	}
	stopKeeping()
	a.leavePlace(a.runCtx)
	return a.repeatOperation(func(ctx context.Context) error {
		return a.updateHead(ctx, func(h *head) {
			h.status, h.lease = status, time.Now()
			if status != StatusPending { // a run that continues it needs the request
				h.input = storedJSON{}
			}
		})
	})
}

// releaseRun hands the run over: its lease ends now.
func (a *active) releaseRun() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.runCtx), 2*time.Second)
	defer cancel()
	return a.updateHead(ctx, func(h *head) { h.lease = time.Now().Add(-time.Second) })
}
