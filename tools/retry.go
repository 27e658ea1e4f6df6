package tools

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
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

// RetryOptions configures [RetryTransient]. A nil *RetryOptions is valid.
type RetryOptions struct {
	// Attempts is the largest number of attempts, the first one included: 1 to 10. Zero means 3.
	Attempts int
	// Base is the longest first wait. Each further wait doubles it. Zero means 100 ms.
	Base time.Duration
	// Max is the longest wait. Zero means 5 s.
	Max time.Duration
}

// RetryTransient runs a call again if its error has, or wraps an error that has, a method Retryable() bool that returns
// true. The errors of [Transient] do. It does not retry a [CorrectionError] (timeouts included), a [FatalError], a
// [PendingError] or a panic, and it does not retry after the context has ended.
//
// It waits between two attempts, at random from half of the current wait to all of it. If the context's deadline would
// pass before the next attempt, it returns the last error at once, with the number of attempts. All attempts have the
// same idempotency key, and each one decodes the arguments again. Attempts run one at a time on the caller's goroutine.
// RetryTransient panics if an option is out of range.
func RetryTransient(o *RetryOptions) Middleware {
	p := RetryOptions{Attempts: 3, Base: 100 * time.Millisecond, Max: 5 * time.Second}
	if o != nil {
		if o.Attempts != 0 {
			p.Attempts = o.Attempts
		}
		if o.Base != 0 {
			p.Base = o.Base
		}
		if o.Max != 0 {
			p.Max = o.Max
		}
	}
	if p.Attempts < 1 || p.Attempts > 10 || p.Base < 0 || p.Max < 0 {
		panic(fmt.Sprintf("tools: retry: %d attempts, waits of %v to %v", p.Attempts, p.Base, p.Max))
	}
	return func(next Handler) Handler {
		return func(ctx context.Context, c *Call) (Result, error) {
			for attempt := 1; ; attempt++ {
				res, err := next(ctx, c)
				if err == nil || !isTransient(err) {
					return res, err
				}
				wait := p.Max
				if p.Base < p.Max>>(attempt-1) {
					wait = p.Base << (attempt - 1)
				}
				wait = wait/2 + rand.N(wait/2+1) //nolint:gosec // jitter need not be unpredictable
				if attempt == p.Attempts || !waitFor(ctx, wait) {
					return Result{}, fmt.Errorf("tools: attempt %d of %d: %w", attempt, p.Attempts, err)
				}
				c = &Call{o: c.o} // decode the arguments again: the function may have changed the value that it received
			}
		}
	}
}

// isTransient reports whether a retry may help.
func isTransient(err error) bool {
	if isAnswer(err) {
		return false
	}
	var r interface{ Retryable() bool }
	return errors.As(err, &r) && r.Retryable()
}

// isAnswer reports whether err is the tool's own decision, which a retry or a timeout must not replace.
func isAnswer(err error) bool {
	return hasType[*CorrectionError](err) || hasType[*FatalError](err) || hasType[*PendingError](err) || hasType[*PanicError](err)
}

func hasType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// waitFor waits for d. It returns false early if ctx ends, or would end, before d has passed.
func waitFor(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
