package tracking

import (
	"errors"
	"fmt"
)

// What errors of this package may be, by errors.Is. The text of an error that
// is returned begins with "tracking: " and the operation.
var (
	// ErrNotFound is returned where there is no such record, or none that
	// the scope may see: the two are not told apart.
	ErrNotFound = errors.New("no such record")

	// ErrExists is returned by Create where the session has a record of
	// another request.
	ErrExists = errors.New("the session has a record already")

	// ErrSchema is returned for a record that a newer version of this
	// package wrote. It is left alone.
	ErrSchema = errors.New("the record was written by a newer version")

	// ErrDamaged is returned for a record that cannot be understood.
	ErrDamaged = errors.New("the record is damaged")

	// ErrPipeline is returned by New for a pipeline that cannot work, and
	// for a record that belongs to another pipeline.
	ErrPipeline = errors.New("invalid pipeline")

	// ErrStage is returned for a stage that the pipeline does not declare,
	// and for one of the wrong kind: an External stage cannot be started,
	// a worked one cannot be observed.
	ErrStage = errors.New("not possible with this stage")

	// ErrInvalid is returned for an invalid argument: a key, a Ref of
	// another scope, a limit, a cursor. For a scope that does not allow the
	// operation the error is [scope.ErrDenied].
	ErrInvalid = errors.New("invalid value")

	// ErrContended is returned where a record changed under every try to
	// change it. Nothing was done; it may be tried again.
	ErrContended = errors.New("the record changes too fast")

	// ErrLease is the cause of the context of [Attempt.Keep] once the lease
	// has run out unrenewed.
	ErrLease = errors.New("the lease ran out")
)

// What a *[StateError] may be, by errors.Is: why a record's state does not
// allow the operation.
var (
	// ErrRunning: the stage runs under a live lease. StateError.Key says whose.
	ErrRunning = errors.New("the stage is running")

	// ErrTerminal: the record, or the stage, has ended for good.
	ErrTerminal = errors.New("it has ended")

	// ErrParked: the stage was parked or released, so it is resumed, not started.
	ErrParked = errors.New("the stage was parked: it is to be resumed")

	// ErrNotParked: the stage was never parked or released, so there is
	// nothing to resume.
	ErrNotParked = errors.New("the stage was never parked: there is nothing to resume")

	// ErrExhausted: the stage's attempts are used up.
	ErrExhausted = errors.New("no attempts are left")

	// ErrEarly: an Automatic retry came before [Progress.NotBefore].
	ErrEarly = errors.New("it is too early for another attempt")

	// ErrDependencies: a stage in [StageSpec.After] has not succeeded yet.
	ErrDependencies = errors.New("an earlier stage has not succeeded")

	// ErrFenced: the attempt no longer holds its stage. Another took it
	// over, the record was cancelled, or the attempt itself has let go
	// with another outcome. Its worker must stop.
	ErrFenced = errors.New("the attempt no longer holds the stage")

	// ErrTaken: a Resume with TakeOver found the stage no longer under its key.
	ErrTaken = errors.New("the stage is not under this key")
)

// StateError says that a record's state does not allow an operation, and why.
// Nothing was changed.
type StateError struct {
	Op     string // "start", "resume", "observe", "cancel", "heartbeat", "complete", "fail", "park", "release"
	Stage  Stage  // empty for cancel
	State  State  // the stage's
	Key    string // who has the stage, or had it last
	Record Record // as it stands
	Err    error  // one of the sentinels above
}

func (e *StateError) Error() string {
	if e.Stage == "" {
		return fmt.Sprintf("tracking: %s: %v (record %s)", e.Op, e.Err, e.Record.Status)
	}
	return fmt.Sprintf("tracking: %s %s: %v (stage %s, record %s)", e.Op, e.Stage, e.Err, e.State, e.Record.Status)
}

// Unwrap returns the sentinel.
func (e *StateError) Unwrap() error { return e.Err }

func refuse(op string, r Record, st Stage, why error) error {
	p := r.Stage(st)
	return &StateError{Op: op, Stage: st, State: p.State, Key: p.Key, Record: r, Err: why}
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

func stageError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrStage, fmt.Sprintf(format, args...))
}
