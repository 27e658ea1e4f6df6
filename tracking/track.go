package tracking

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string {
	return fmt.Sprintf("tracking: track: panic: %v\n\n%s", e.value, e.stack)
}

// Track runs f as the whole work of a stage: it claims the stage, renews the
// lease while f runs, and completes the stage with f's result or records f's
// error as [Attempt.Fail] does. A panic of f is recorded like an error and
// returned with its stack.
//
// Track returns nil once the stage has succeeded. Every other error is a
// *[TrackError], whose Next is the next step of the worker:
//
//	err := tr.Track(ctx, session, "resize", &tracking.ClaimOptions{Key: msg.ID, Automatic: true}, resize)
//	failed, _ := errors.AsType[*tracking.TrackError](err)
//	switch {
//	case failed == nil || failed.Next == tracking.NextDone:
//		return msg.Delete()
//	case failed.Next == tracking.NextRetry:
//		return msg.Delay(failed.After)
//	default: // NextGiveUp
//		log.Error("resize", "err", err)
//		return msg.Delete()
//	}
//
// The stage is claimed as by [Tracker.Claim], except that a stage that waits
// for review is always left alone, with [ErrParked]. If the stage has succeeded
// under the same key, Track returns nil without calling f, so a message that is
// delivered twice is worked on once.
//
// The context of f ends with ctx, and when another worker takes the stage; then
// nothing is recorded. If ctx is cancelled before f fails, the stage is
// released, so that another worker can resume it at once. If the deadline of
// ctx passes, the stage fails with "timeout" and may be retried.
func (t *Tracker) Track(ctx context.Context, session scope.Scope, st Stage, o *ClaimOptions,
	f func(context.Context) (object.Ref, error)) error {
	c, err := t.newTrackClaim(session, st, o, f)
	if err != nil {
		return &TrackError{Next: NextGiveUp, Err: opError("track", err)}
	}
	a, err := t.takeStage(ctx, session, c)
	if state, ok := errors.AsType[*StateError](err); ok {
		if p := state.Record.Stage(st); p.State == StateSuccess && p.Key == c.key {
			return nil
		}
	}
	if err != nil {
		return newTrackError(opError("track", err), session, c.spec, nil, t.currentTime())
	}
	if err := a.runWork(ctx, f); err != nil {
		return newTrackError(err, session, c.spec, a, t.currentTime())
	}
	return nil
}

func (t *Tracker) newTrackClaim(session scope.Scope, st Stage, o *ClaimOptions,
	f func(context.Context) (object.Ref, error)) (claim, error) {
	if f == nil {
		return claim{}, invalidError("the function is missing")
	}
	if o != nil && o.TakeOver {
		return claim{}, invalidError("Track does not support TakeOver")
	}
	c, err := t.newClaim(session, st, o)
	c.skipsReview = true
	return c, err
}

// runWork runs f while the lease is renewed, and records its result.
func (a *Attempt) runWork(ctx context.Context, f func(context.Context) (object.Ref, error)) error {
	work, stop := a.Keep(ctx)
	returned := false
	defer func() {
		if stop(); !returned { // f has called runtime.Goexit
			_ = a.recordResult(ctx, ctx.Err(), object.Ref{}, errors.New("tracking: track: the function did not return"))
		}
	}()
	dest, err := callSafely(work, f)
	returned = true
	interrupted, lost := ctx.Err(), context.Cause(work) // before stop, which may wait for a heartbeat
	stop()
	if err != nil && interrupted == nil && lost != nil {
		err = errors.Join(err, lost)
	}
	return a.recordResult(ctx, interrupted, dest, err)
}

// callSafely calls f and turns a panic into an error.
func callSafely(ctx context.Context, f func(context.Context) (object.Ref, error)) (dest object.Ref, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	return f(ctx)
}

// recordResult records how the work ended, even if ctx has ended, and returns
// the error of the work joined with that of the recording. interrupted is the
// error of ctx at the end of the work. If the stage was lost, nothing is
// written. An ErrFenced in err does not prove that: it may be of another stage
// that f worked on.
func (a *Attempt) recordResult(ctx context.Context, interrupted error, dest object.Ref, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(a.hold.lease, time.Second))
	defer cancel()
	if err == nil {
		if err = a.Complete(ctx, dest); err == nil || !errors.Is(err, ErrInvalid) {
			return err
		}
		// The result of f lies in another scope.
		return errors.Join(err, a.Fail(ctx, err))
	}
	_, panicked := errors.AsType[*panicError](err)
	var ended error
	switch {
	case panicked || interrupted == nil:
		ended = a.Fail(ctx, err)
	case errors.Is(interrupted, context.DeadlineExceeded):
		timeout := &Error{Code: codeTimeout, Message: "The step took too long and was ended.", Retryable: true, Err: err}
		ended = a.Fail(ctx, timeout)
	default:
		ended = a.Release(ctx)
	}
	if ended != nil {
		return errors.Join(err, ended)
	}
	return err
}
