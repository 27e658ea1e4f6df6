package tracking

import (
	"errors"
	"strings"
)

// Error is a failure that people may read about. [Attempt.Fail] and
// [Tracker.Track] record it. Any other error is recorded with the code
// "internal", as retryable and with a fixed message, so that addresses,
// accounts and secrets in its text do not reach a browser.
type Error struct {
	// Code is for programs: [a-z][a-z0-9_]{0,31}, for example "throttled". An
	// invalid code is recorded as "internal". The tracker itself records
	// "cancelled", "lost" (a lease expired), "abandoned" (nobody continued the
	// record in time), "timeout" (the deadline of Track's context passed) and
	// "unneeded" (the stage was still open when the record ended).
	Code string

	// Message is for people. It is truncated to 1 KB, and invalid UTF-8 is
	// replaced. A blank message is recorded as a fixed one.
	Message string

	// Retryable states that another attempt on the same input may succeed. A
	// failure that is not retryable ends the record, unless the stage has ever
	// been parked.
	Retryable bool

	// Err is the cause, for logs. It is not recorded.
	Err error
}

func (e *Error) Error() string {
	s := "tracking: " + e.Code + ": " + e.Message
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// The codes that [Error] documents, and the reason of a record whose stage
// failed in its last attempt.
const (
	codeInternal  = "internal"
	codeCancelled = "cancelled"
	codeLost      = "lost"
	codeAbandoned = "abandoned"
	codeTimeout   = "timeout"
	codeUnneeded  = "unneeded"

	reasonMaxAttempts = "max_attempts"
)

const maxMessage = 1024

// recordableError returns the part of err that a record keeps, without the cause.
func recordableError(err error) Error {
	const unknown = "Something went wrong on our side. Please try again."
	e, ok := errors.AsType[*Error](err)
	if !ok || e == nil {
		return Error{Code: codeInternal, Message: unknown, Retryable: true}
	}
	f := Error{
		Code: e.Code, Message: truncateText(strings.ToValidUTF8(e.Message, "\uFFFD"), maxMessage), Retryable: e.Retryable,
	}
	if !isName(f.Code) {
		f.Code = codeInternal
	}
	if strings.TrimSpace(f.Message) == "" {
		f.Message = "The step failed without saying why."
	}
	return f
}

// truncateText truncates s, which is valid UTF-8, to at most n bytes without splitting a rune.
func truncateText(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }
