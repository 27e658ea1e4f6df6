package tracking

import (
	"context"
	"time"
)

// Keep renews the lease at the stage's heartbeat interval until stop is called
// or ctx ends. The context it returns is for the work: it is cancelled, with
// the reason as its cause, once the stage is in other hands ([ErrFenced]) or
// the lease has run out without a renewal ([ErrLease]). A heartbeat that fails
// otherwise, or is not answered within an interval, is tried again, four times
// as often.
//
// Call Keep right after Start or Resume, and stop before the operation that
// ends the attempt. stop ends the renewing, waits until no heartbeat is under
// way, and cancels the returned context. It must be called, and may be called
// more than once.
func (a *Attempt) Keep(ctx context.Context) (work context.Context, stop func()) {
	work, cancel := context.WithCancelCause(ctx)
	beat := make(chan struct{})
	go func() {
		defer close(beat)
		a.beat(work, cancel)
	}()
	return work, func() {
		cancel(context.Canceled)
		<-beat
	}
}

func (a *Attempt) beat(ctx context.Context, cancel context.CancelCauseFunc) {
	// A lease that was chosen at Start keeps the stage's proportion.
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
		until := sent.Add(every) // one that is not answered must not use up the lease
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
		case gone(err):
			cancel(err)
			return
		case !time.Now().Before(alive):
			cancel(opError("heartbeat", ErrLease))
			return
		}
		wait.Reset(max(every/4, time.Millisecond))
	}
}
