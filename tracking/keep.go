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
	beat := make(chan struct{})
	go func() {
		defer close(beat)
		a.renewUntilDone(work, cancel)
	}()
	return work, func() {
		cancel(context.Canceled)
		<-beat
	}
}

func (a *Attempt) renewUntilDone(ctx context.Context, cancel context.CancelCauseFunc) {
	// A lease of the claim keeps the proportion that the stage declares.
	every := time.Duration(float64(a.hold.lease) * float64(a.hold.spec.Heartbeat) / float64(a.hold.spec.Lease))
	every = max(every, time.Millisecond)
	alive := time.Now().Add(a.hold.lease)
	wait := time.NewTimer(every)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		sent := time.Now()
		until := sent.Add(every) // a heartbeat without an answer must not use up the lease
		if alive.Before(until) {
			until = alive
		}
		try, done := context.WithDeadline(ctx, until)
		err := a.Heartbeat(try)
		done()
		switch {
		case err == nil:
			alive = sent.Add(a.hold.lease)
			wait.Reset(every)
			continue
		case isStageLost(err):
			cancel(err)
			return
		case !time.Now().Before(alive):
			cancel(opError("heartbeat", ErrLease))
			return
		}
		wait.Reset(max(every/4, time.Millisecond))
	}
}
