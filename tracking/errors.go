package tracking

import (
	"errors"
	"fmt"
)

// The errors that callers distinguish with errors.Is. The text of a returned
// error begins with "tracking: " and the operation.
var (
	// ErrNotFound is returned if the record does not exist or lies outside the
	// scope; the two cannot be told apart.
	ErrNotFound = errors.New("record not found")

	// ErrExists is returned by Create if another request has created the
	// session's record.
	ErrExists = errors.New("the session already has a record")

	// ErrSchema is returned for a record that a newer version of this package
	// wrote. The record is left unchanged.
	ErrSchema = errors.New("the record was written by a newer version")

	// ErrPipeline is returned by New for an invalid pipeline, and for a record
	// of another pipeline.
	ErrPipeline = errors.New("invalid pipeline")

	// ErrStage is returned for a stage that the pipeline does not declare, and
	// for one of the wrong kind: an External stage cannot be claimed, and any
	// other stage cannot be observed.
	ErrStage = errors.New("invalid stage")

	// ErrInvalid is returned for an invalid argument: a key, a Ref of another
	// scope, a limit, a cursor. If the scope does not allow the operation, the
	// error is [scope.ErrDenied].
	ErrInvalid = errors.New("invalid value")

	// ErrContended is returned if other writers changed the record at every
	// try. Nothing was written; the caller may retry.
	ErrContended = errors.New("too many concurrent changes to the record")

	// ErrLease is the cause of the context of [Attempt.Keep] once the lease has
	// expired without a renewal.
	ErrLease = errors.New("the lease expired")
)

// errForeign is returned for an item in the place of a record that this package
// would not have written.
var errForeign = fmt.Errorf("the item %q was not written by this package", metaSort)

// The reasons that a *[StateError] wraps.
var (
	// ErrRunning is returned if another worker holds the stage under a live
	// lease; [Progress.Key] says for which work.
	ErrRunning = errors.New("the stage is running")

	// ErrTerminal is returned if the record or the stage has ended permanently.
	ErrTerminal = errors.New("it has ended")

	// ErrParked is returned to an automatic worker if the stage waits for review.
	ErrParked = errors.New("the stage waits for review")

	// ErrExhausted is returned if all attempts of the stage are used.
	ErrExhausted = errors.New("no attempts are left")

	// ErrEarly is returned when an automatic retry is attempted before
	// [Progress.NotBefore].
	ErrEarly = errors.New("it is too early for another attempt")

	// ErrDependencies is returned if a stage in [StageSpec.After] has not
	// succeeded yet.
	ErrDependencies = errors.New("an earlier stage has not succeeded")

	// ErrFenced is returned if the attempt no longer holds its stage: another
	// worker took it over, the record was cancelled, or the attempt itself
	// ended with another outcome. The worker must stop.
	ErrFenced = errors.New("the attempt no longer holds the stage")

	// ErrTaken is returned if a claim with TakeOver finds the stage under
	// another key or in another state.
	ErrTaken = errors.New("the stage is not held under this key")
)

// StateError is returned if the state of a record does not allow an operation.
// Nothing was changed.
type StateError struct {
	Stage  Stage  // empty for Cancel
	Record Record // the current record
	Err    error  // the reason, for example ErrRunning

	op string
}

func (e *StateError) Error() string {
	if e.Stage == "" {
		return fmt.Sprintf("tracking: %s: %v (record %s)", e.op, e.Err, e.Record.Status)
	}
	return fmt.Sprintf("tracking: %s %s: %v (stage %s, record %s)",
		e.op, e.Stage, e.Err, e.Record.Stage(e.Stage).State, e.Record.Status)
}

// Unwrap returns the reason.
func (e *StateError) Unwrap() error { return e.Err }

func newStateError(op string, r Record, st Stage, why error) error {
	return &StateError{op: op, Stage: st, Record: r, Err: why}
}

func invalidError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

func stageError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrStage, fmt.Sprintf(format, args...))
}
