package runner

import (
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/sse"
)

var (
	// ErrNotFound is returned for a run that does not exist, whose id is invalid, or that is not in the given scope. It
	// wraps [sse.ErrNotFound].
	ErrNotFound = fmt.Errorf("runner: run not found: %w", sse.ErrNotFound)
	// ErrKeyReused is returned by [Runner.Start] if an earlier run of the session had the same key and another request.
	ErrKeyReused = errors.New("runner: the idempotency key was used for another request")
	// ErrNotPending is returned by [Runner.Decide] if the run does not wait for the approval any more, for example
	// because a later run of the session has begun.
	ErrNotPending = errors.New("runner: the run does not wait for this approval")
	// ErrShutdown is returned after [Runner.Shutdown] has been called.
	ErrShutdown = errors.New("runner: the process is shutting down")
	// ErrInvalid is returned for an argument or an option that is out of range.
	ErrInvalid = errors.New("runner: invalid value")
	// ErrTooLarge is returned for a request or a checkpoint that does not fit an item if Options.Objects is nil.
	ErrTooLarge = errors.New("runner: too large for an item")
)

// RunningError is returned by [Runner.Start] if a run of the session has not ended.
type RunningError struct {
	// Run is the id of that run.
	Run string
}

func (e *RunningError) Error() string {
	return fmt.Sprintf("runner: the run %s of the session has not ended", e.Run)
}

var (
	// errLost is the cause of a run that this process may not continue: another one has it, or may have it.
	errLost = errors.New("runner: another process may hold the run")
	// errStopped is the cause of a run that was asked to stop.
	errStopped = errors.New("runner: the run was stopped")
	// errHandover is the cause of a run that is left to another process.
	errHandover = errors.New("runner: the run is handed over")
	// errStore is returned if the table could not be written for the time of a lease.
	errStore = errors.New("runner: the table could not be written")
	// errEnded is returned if the log of a run that is taken over has its last event already.
	errEnded = errors.New("runner: the run has ended")
	// errForeign is returned for an item that this package cannot have written.
	errForeign = errors.New("runner: an item was not written by this package")
	// errUnreadable is returned for a stored request, checkpoint or history that is lost, or that this process cannot
	// read, so that the run cannot continue.
	errUnreadable = errors.New("runner: the stored state of the run cannot be read")
)
