package tracking

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Error is a failure whose cause a person may be told. Give one to
// [Attempt.Fail]; any other error is recorded as code "internal", retryable,
// with a fixed message, so that no address, account or secret in its text
// reaches a browser.
type Error struct {
	// Code is what programs look at: [a-z][a-z0-9_]{0,31}, such as
	// "throttled". One outside the grammar is recorded as "internal".
	Code string

	// Message is shown to people. At most 1 KB is recorded, cut between
	// two characters; bytes that are no UTF-8 are replaced, and a blank
	// message is recorded as a fixed one.
	Message string

	// Permanent failures are not worth another attempt: the file is no
	// image, it is too large. They end the record, unless the stage has
	// been parked before.
	Permanent bool

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

// Failure is what a record keeps of an [Error].
type Failure struct {
	Code      string
	Message   string
	Permanent bool
}

// The codes that the tracker itself records.
const (
	CodeInternal  = "internal"  // an error that is no *Error
	CodeCancelled = "cancelled" // the record was cancelled while the stage was not done
	CodeUnneeded  = "unneeded"  // an optional stage was not done when the record succeeded
	CodeLost      = "lost"      // a stage's worker was not heard of any more
	CodeAbandoned = "abandoned" // nobody did anything with the record while it was due
	CodeTimeout   = "timeout"   // the time that [Tracker.Track]'s caller gave was over
)

// ReasonMaxAttempts is the reason of a record whose stage failed at its last attempt.
const ReasonMaxAttempts = "max_attempts"

const maxMessage = 1024

func failureOf(err error) Failure {
	const unknown = "Something went wrong on our side. Please try again."
	e, ok := errors.AsType[*Error](err)
	if !ok || e == nil {
		return Failure{Code: CodeInternal, Message: unknown}
	}
	f := Failure{Code: e.Code, Message: cut(strings.ToValidUTF8(e.Message, "\uFFFD"), maxMessage), Permanent: e.Permanent}
	if !isName(f.Code) {
		f.Code = CodeInternal
	}
	if strings.TrimSpace(f.Message) == "" {
		f.Message = "The step failed without saying why."
	}
	return f
}

// cut shortens s to at most n bytes without splitting a rune.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
