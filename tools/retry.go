package tools

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/carrel-go/carrel/internal/sleep"
)

// Transient returns an error that wraps err and makes [RetryTransient] run the call again. Use it for failures that may
// not recur a moment later. It returns nil if err is nil.
func Transient(err error) error {
	if err == nil {
		return nil
	}
	return &transientError{err}
}

type transientError struct{ error }

func (e *transientError) Unwrap() error { return e.error }

func (*transientError) Retryable() bool { return true }

// The longest first wait of [RetryTransient], and the longest of all. Each wait doubles the one before.
const (
	firstRetryWait = 100 * time.Millisecond
	maxRetryWait   = 5 * time.Second
)

// RetryTransient runs a call up to the given number of times, at least 1 and at most 10, while its error has, or wraps
// an error that has, a method Retryable() bool that returns true. The errors of [Transient] do. It does not retry a
// [CorrectionError] (timeouts included), a [FatalError], a [PendingError] or a panic, and it does not retry after the
// context has ended.
//
// Before the second attempt it waits 50 to 100 ms, at random. Each further wait is twice as long, up to 5 s. If the
// context's deadline would pass before the next attempt, it returns the last error at once, with the number of
// attempts. All attempts have the same idempotency key, and each one decodes the arguments again. Attempts run one at a
// time on the caller's goroutine. RetryTransient panics if attempts is out of range.
func RetryTransient(attempts int) Middleware {
	if attempts < 1 || attempts > 10 {
		panic(fmt.Sprintf("tools: invalid number of attempts %d: must be between 1 and 10", attempts))
	}
	return func(next Handler) Handler {
		return func(ctx context.Context, c *Call) (Result, error) {
			for attempt := 1; ; attempt++ {
				res, err := next(ctx, c)
				if err == nil || !isTransient(err) {
					return res, err
				}
				wait := min(firstRetryWait<<(attempt-1), maxRetryWait)
				wait = wait/2 + rand.N(wait/2+1) //nolint:gosec // jitter need not be unpredictable
				if attempt == attempts || !waitFor(ctx, wait) {
					return Result{}, fmt.Errorf("tools: attempt %d of %d: %w", attempt, attempts, err)
				}
				c = &Call{o: c.o} // decode the arguments again: the function may have changed the value that it received
			}
		}
	}
}

// isTransient reports whether a retry may help.
func isTransient(err error) bool {
	if isDecision(err) {
		return false
	}
	var r interface{ Retryable() bool }
	return errors.As(err, &r) && r.Retryable()
}

// waitFor waits for d. It returns false early if ctx ends, or would end, before d has passed.
func waitFor(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	return sleep.For(ctx, d) == nil && ctx.Err() == nil
}
