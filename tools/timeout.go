package tools

import (
	"context"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/internal/calltime"
)

// Timeout passes a context with the deadline d to the function and the middleware inside it. An error that they return
// after the deadline becomes a [CorrectionError] that also wraps that error: the model reads that the tool did not
// finish, and that its effect is not known. Results, and the errors [FatalError], [PendingError], [CorrectionError] and
// [PanicError], are returned unchanged even if they are late, and so is every error once the context of the call itself
// has ended.
//
// With an agent, Timeout replaces the default of Limits.ToolTimeout for its tool, even with a longer time. It does not
// replace a limit that is set.
//
// Timeout does not abandon a function that ignores its context: it returns when the function does. Inside
// [RetryTransient] each attempt has its own deadline; outside, all attempts share one. Timeout panics if d is not
// positive.
func Timeout(d time.Duration) Middleware {
	if d <= 0 {
		panic(fmt.Sprintf("tools: invalid timeout %v: must be positive", d))
	}
	return func(next Handler) Handler {
		return func(ctx context.Context, c *Call) (Result, error) {
			calltime.Extend(ctx, d)
			within, cancel := context.WithTimeout(ctx, d)
			defer cancel()
			res, err := next(within, c)
			if err == nil || within.Err() == nil || ctx.Err() != nil || isDecision(err) {
				return res, err
			}
			return Result{}, &timeoutError{Tool: c.Name(), After: d, Err: err}
		}
	}
}

// timeoutError is the error of a tool that did not finish within its [Timeout].
type timeoutError struct {
	Tool  string
	After time.Duration
	Err   error
}

func (e *timeoutError) Error() string {
	return fmt.Sprintf("tools: %s did not finish within %v: %v", e.Tool, e.After, e.Err)
}

// Unwrap returns the correction for the model and the tool's own error.
func (e *timeoutError) Unwrap() []error {
	return []error{Correct(fmt.Sprintf("The tool did not finish within %v. Whether it took effect is not known.",
		e.After)), e.Err}
}
