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

// PanicError is what [Tracker.Track] returns where the function panicked.
type PanicError struct {
	Value any
	Stack []byte // for the log
}

func (e *PanicError) Error() string { return fmt.Sprintf("tracking: track: panic: %v", e.Value) }

// Track does a one-shot stage: it takes the stage, renews the lease while f
// works, and completes the stage with what f made, or fails it with f's error,
// of which is recorded what [Error] says. It returns f's error as it is, and a
// panic of f as a *[PanicError].
//
//	err := tr.Track(ctx, session, "resize", &tracking.StartOptions{Key: messageID, Automatic: true},
//		func(ctx context.Context) (object.Ref, error) { return resize(ctx, session) })
//
// The stage is taken as by Start, or as by Resume where another worker had
// released it; a stage that is parked is refused with [ErrParked]. With the
// key of a stage that has succeeded under it, Track returns nil and f is not
// called: a message that is delivered twice is worked on once.
//
// The context of f ends with ctx, and when the stage is lost to another worker;
// then nothing is recorded and the error says so. Where ctx was cancelled
// before f failed, the stage is released rather than failed, for another worker
// to go on with at once. Where ctx had run out of time it fails, retryable, with
// [CodeTimeout].
func (t *Tracker) Track(ctx context.Context, session scope.Scope, st Stage, o *StartOptions, f func(context.Context) (object.Ref, error)) error {
	if f == nil {
		return opError("track", invalid("no function"))
	}
	if o != nil && o.TakeOver {
		return opError("track", invalid("TakeOver is for Resume"))
	}
	a, err := t.claim(ctx, session, st, o, t.machine.take)
	if state, ok := errors.AsType[*StateError](err); ok && state.State == StateSuccess && state.Key == o.Key {
		return nil
	}
	if err != nil {
		return opError("track", err)
	}
	work, stop := a.Keep(ctx)
	returned := false
	defer func() {
		if stop(); !returned { // f has ended its goroutine
			_ = a.settle(ctx, ctx.Err(), object.Ref{}, errors.New("tracking: track: the function did not return"))
		}
	}()
	dest, err := call(work, f)
	returned = true
	interrupted, lost := ctx.Err(), context.Cause(work) // by the time that f failed: stop may wait for a heartbeat
	stop()
	if err != nil && interrupted == nil && lost != nil {
		err = errors.Join(err, lost)
	}
	return a.settle(ctx, interrupted, dest, err)
}

// call calls f and turns a panic into an error.
func call(ctx context.Context, f func(context.Context) (object.Ref, error)) (dest object.Ref, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f(ctx)
}

// settle records how the work ended, also where ctx has, and returns the work's
// error, joined with that of the recording. interrupted is ctx's when the work
// ended. Where the stage has been lost, recording writes nothing and says so; an
// ErrFenced in err may as well be of another stage that f has worked on.
func (a *Attempt) settle(ctx context.Context, interrupted error, dest object.Ref, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(a.hold.lease, time.Second))
	defer cancel()
	if err == nil {
		if err = a.Complete(ctx, dest); err == nil || !errors.Is(err, ErrInvalid) {
			return err
		}
		// What f made lies in another scope.
		return errors.Join(err, a.Fail(ctx, err))
	}
	_, panicked := errors.AsType[*PanicError](err)
	var ended error
	switch {
	case panicked || interrupted == nil:
		ended = a.Fail(ctx, err)
	case errors.Is(interrupted, context.DeadlineExceeded):
		ended = a.Fail(ctx, &Error{Code: CodeTimeout, Message: "The step took too long and was ended.", Err: err})
	default:
		ended = a.Release(ctx)
	}
	if ended != nil {
		return errors.Join(err, ended)
	}
	return err
}
