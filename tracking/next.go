package tracking

import (
	"errors"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// Next is the next step of a worker after a failed call of [Tracker.Track].
type Next string

// The values of [Next].
const (
	NextDone   Next = "done"    // nothing is left to do: acknowledge the message
	NextRetry  Next = "retry"   // call Track again, but not before TrackError.After has passed
	NextGiveUp Next = "give_up" // no retry can succeed: acknowledge the message and report the error
)

// TrackError is the error of [Tracker.Track].
type TrackError struct {
	Next  Next
	After time.Duration // with NextRetry: how long to wait; never negative
	Err   error         // the error of the function, of the claim or of the store
}

func (e *TrackError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *TrackError) Unwrap() error { return e.Err }

// newTrackError decides the next step after an error of Track in the session. a is
// nil if the stage could not be claimed.
func newTrackError(err error, session scope.Scope, s StageSpec, a *Attempt, now time.Time) *TrackError {
	e := &TrackError{Next: NextRetry, Err: err}
	state, refused := findStateError(err, session, s.Stage)
	switch {
	case refused && errors.Is(state, ErrDependencies):
		e.After = s.Lease
	case refused && errors.Is(state, ErrExhausted):
		e.Next = NextGiveUp
	case refused:
		e.Next, e.After = s.nextStep(state.Record, now)
	case a != nil && a.Record().Stage(s.Stage).State != StateRunning: // the failure was recorded
		e.Next, e.After = s.nextStep(a.Record(), now)
	case a != nil && !errors.Is(err, ErrNotFound): // it was not: the lease has to expire
		e.After = max(0, a.Record().Stage(s.Stage).Lease.Sub(now))
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrInvalid), errors.Is(err, errForeign),
		errors.Is(err, ErrPipeline), errors.Is(err, scope.ErrDenied):
		e.Next = NextGiveUp
	default:
		e.After = s.Backoff
	}
	return e
}

// findStateError returns the StateError of the session's stage in err. The function
// that Track calls may have returned one of another session or stage.
func findStateError(err error, session scope.Scope, st Stage) (*StateError, bool) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			if state, ok := findStateError(err, session, st); ok {
				return state, true
			}
		}
		return nil, false
	}
	state, ok := errors.AsType[*StateError](err)
	if !ok || state.Stage != st || state.Record.Scope != session {
		return nil, false
	}
	return state, true
}

// nextStep returns the next step of a worker that does not hold the stage.
func (s StageSpec) nextStep(r Record, now time.Time) (Next, time.Duration) {
	p := r.Stage(s.Stage)
	switch {
	case p.State == StateSuccess, r.Status == StatusSuccess:
		return NextDone, 0
	case r.Terminal, s.isFinal(p):
		return NextGiveUp, 0
	case p.State == StateWaiting: // a person continues it
		return NextDone, 0
	case p.State == StateFailed:
		return NextRetry, max(0, p.NotBefore.Sub(now))
	case p.State == StateRunning:
		return NextRetry, max(0, p.Lease.Sub(now))
	}
	return NextRetry, 0
}
