package tools

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Transient marks err as one that the same call may well not meet again a moment later, so that [RetryTransient] tries
// it again. nil stays nil.
func Transient(err error) error {
	if err == nil {
		return nil
	}
	return &TransientError{err}
}

// TransientError is an error that [Transient] has marked.
type TransientError struct{ Err error }

// Error implements error.
func (e *TransientError) Error() string { return e.Err.Error() }

// Unwrap gives the error that was marked.
func (e *TransientError) Unwrap() error { return e.Err }

// Retryable implements what [RetryTransient] asks for.
func (e *TransientError) Retryable() bool { return true }

// RetryOptions configure [RetryTransient]. Nil is valid.
type RetryOptions struct {
	// Attempts is how often the call is run at most, the first time included: 1 to 10. Default: 3.
	Attempts int
	// Base is how long the first wait is at most; each further one doubles it. Default: 100 ms.
	Base time.Duration
	// Max bounds every wait. Default: 5 s.
	Max time.Duration
}

// RetryTransient runs a call again whose error says that this may help: one that has, or wraps one that has, a method
// Retryable() bool which returns true, as that of [Transient] does. Never run again are a [CorrectionError], and so a
// [TimeoutError], a [FatalError], a [PendingError], a panic, and anything once the context has ended: each of these is
// an answer.
//
// Between two attempts it waits, from half of the current wait to all of it, at random. It does not wait for an
// attempt that the context's deadline would not let begin: the last error is returned at once, and says how many
// attempts there were. All attempts have the same idempotency key; each is handed arguments of its own. It runs one
// attempt at a time, on the caller's goroutine. It panics if an option is out of its range.
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
				if err == nil || !transient(err) {
					return res, err
				}
				wait := p.Max
				if p.Base < p.Max>>(attempt-1) {
					wait = p.Base << (attempt - 1)
				}
				wait = wait/2 + rand.N(wait/2+1) //nolint:gosec // it spreads retries, it hides nothing
				if attempt == p.Attempts || !pause(ctx, wait) {
					return Result{}, fmt.Errorf("tools: attempt %d of %d: %w", attempt, p.Attempts, err)
				}
				c = &Call{o: c.o} // so that the arguments are decoded anew: the function may have changed those that it had
			}
		}
	}
}

// transient reports whether err asks to be tried again.
func transient(err error) bool {
	if decided(err) {
		return false
	}
	var r interface{ Retryable() bool }
	return errors.As(err, &r) && r.Retryable()
}

// decided reports whether err is an answer that a tool gave, rather than a failure that befell it.
func decided(err error) bool {
	for _, is := range []func(error) bool{is[*CorrectionError], is[*FatalError], is[*PendingError], is[*PanicError]} {
		if is(err) {
			return true
		}
	}
	return false
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// pause waits. It reports false, without waiting to the end, where ctx ends before d has passed.
func pause(ctx context.Context, d time.Duration) bool {
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
