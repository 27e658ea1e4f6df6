package admission

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrInvalid is returned for an argument or an option that is out of range.
	ErrInvalid = errors.New("admission: invalid value")

	// ErrLost is returned by a [Ticket] whose places have expired and are taken by others.
	ErrLost = errors.New("admission: the run has lost its place")
)

// FullError is returned if a limit is reached.
type FullError struct {
	// Kind names the limited things: "queued runs" of a tenant, "grants" of a user or "tokens" of a tenant. Package runner
	// adds "process runs", those of one process.
	Kind string
	// Limit is the limit that was reached.
	Limit int64
	// RetryAfter is how long to wait before the next try, at least a second. It is the rest of the period for a budget
	// that is used up, and otherwise an estimate.
	RetryAfter time.Duration
}

func (e *FullError) Error() string {
	return fmt.Sprintf("admission: the limit of %d %s is reached: retry after %v", e.Limit, e.Kind, e.RetryAfter)
}
