package tools

import (
	"context"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/internal/calltime"
)

// Timeout gives what lies inside it d to end: the context that it hands on has that deadline. An error that comes back
// after the deadline becomes a [TimeoutError], by which the model is told that the tool did not finish and that its
// effect is unknown. What a tool said for itself stays as it is: a [FatalError], a [PendingError] or a
// [CorrectionError], and a result that came in spite of the deadline.
//
// Under an agent it replaces the default of Limits.ToolTimeout for its tool, also by a longer time, but not a limit that
// is set.
//
// It does not abandon a function that ignores its context: it returns when that does. Inside [RetryTransient] each
// attempt has its own d, outside all attempts share one. It panics if d is not positive.
func Timeout(d time.Duration) Middleware {
	if d <= 0 {
		panic(fmt.Sprintf("tools: a timeout of %v", d))
	}
	return func(next Handler) Handler {
		return func(ctx context.Context, c *Call) (Result, error) {
			calltime.Extend(ctx, d)
			within, cancel := context.WithTimeout(ctx, d)
			defer cancel()
			res, err := next(within, c)
			if err == nil || within.Err() == nil || ctx.Err() != nil || decided(err) {
				return res, err
			}
			return Result{}, &TimeoutError{Tool: c.Name(), After: d, Err: err}
		}
	}
}

// TimeoutError says that a tool did not finish within its [Timeout]. It wraps a [CorrectionError], for the model, and
// the error that the tool ended with.
type TimeoutError struct {
	Tool  string
	After time.Duration
	Err   error
}

// Error implements error.
func (e *TimeoutError) Error() string {
	return fmt.Sprintf("tools: %s did not finish within %v: %v", e.Tool, e.After, e.Err)
}

// Unwrap gives what the model is told, and the cause.
func (e *TimeoutError) Unwrap() []error {
	return []error{Correct(fmt.Sprintf("The tool did not finish within %v. Whether it took effect is not known.", e.After)), e.Err}
}
