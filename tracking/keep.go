package tracking

import (
	"context"
	"time"
)

// Keep renews the lease at the stage's heartbeat interval until stop is called
// or ctx ends. It returns the context for the work, which is cancelled with
// [ErrFenced] as its cause when another worker takes the stage, and with
// [ErrLease] when the lease expires without a renewal. A heartbeat that fails
// for another reason, or gets no answer within an interval, is retried after a
// quarter of the interval.
//
// Call Keep right after the claim, and stop before the operation that ends the
// attempt. stop ends the renewals, waits for a heartbeat in flight, and cancels
// the returned context. It must be called, and may be called more than once.
func (a *Attempt) Keep(ctx context.Context) (work context.Context, stop func()) {
	work, cancel := context.WithCancelCause(ctx)
	// A lease of the claim keeps the proportion that the stage declares.
	every := time.Duration(float64(a.hold.lease) * float64(a.hold.spec.Heartbeat) / float64(a.hold.spec.Lease))
	k := &keeper{
		attempt: a, work: work, cancel: cancel,
		every: max(every, time.Millisecond), alive: time.Now().Add(a.hold.lease), turn: make(chan struct{}, 1),
	}
	k.turn <- struct{}{}
	k.timer = time.AfterFunc(k.every, k.renew)
	<-k.turn
	return work, k.stop
}

// keeper renews the lease of an attempt. A timer calls it, so that an attempt
// does not have a goroutine between two renewals.
type keeper struct {
	attempt *Attempt
	work    context.Context //nolint:containedctx // of the work that the lease is for
	cancel  context.CancelCauseFunc
	every   time.Duration

	turn  chan struct{} // holds a value during a renewal
	timer *time.Timer
	alive time.Time // the end of the lease
}

func (k *keeper) stop() {
	k.cancel(context.Canceled)
	k.turn <- struct{}{}
	defer func() { <-k.turn }()
	k.timer.Stop()
}

// renew makes one heartbeat, and starts the timer for the next one unless the stage is lost.
func (k *keeper) renew() {
	k.turn <- struct{}{}
	defer func() { <-k.turn }()
	if k.work.Err() != nil {
		return
	}
	sent := time.Now()
	until := sent.Add(k.every) // a heartbeat without an answer must not use up the lease
	if k.alive.Before(until) {
		until = k.alive
	}
	try, done := context.WithDeadline(k.work, until)
	err := k.attempt.Heartbeat(try)
	done()
	switch {
	case k.work.Err() != nil:
	case err == nil:
		k.alive = sent.Add(k.attempt.hold.lease)
		k.timer.Reset(k.every)
	case isStageLost(err):
		k.cancel(err)
	case !time.Now().Before(k.alive):
		k.cancel(opError("heartbeat", ErrLease))
	default:
		k.timer.Reset(max(k.every/4, time.Millisecond))
	}
}
