package agent

import (
	"errors"

	"github.com/carrel-go/carrel/internal/errtext"
)

// ErrUnknownEvent is returned by [UnmarshalEvent] for a type that is not an event of this package, such as an event of a
// later version or of another package in the same log.
var ErrUnknownEvent = errors.New("unknown event type")

// Code identifies a failure. The list is closed, except for the codes of a [tools.FatalError].
type Code string

// The codes.
const (
	CodeThrottled    Code = "throttled"      // 429, after the client's own retries
	CodeAccessDenied Code = "access_denied"  // 403
	CodeInvalidCall  Code = "invalid_call"   // the request is invalid, here or at the service (400, 404)
	CodeUnavailable  Code = "unavailable"    // 5xx, connection refused, an exception of the service within the stream
	CodeTruncated    Code = "truncated"      // the stream ended too early, or the token limit truncated the answer
	CodeTimeout      Code = "timeout"        // the service did not answer in time
	CodeFiltered     Code = "filtered"       // content filter, guardrail
	CodeContextFull  Code = "context_window" // the conversation does not fit the model
	CodeMalformed    Code = "malformed"      // the model's answer contradicts itself or the protocol
	CodeLimit        Code = "limit"          // one of Limits was reached
	CodeIncomplete   Code = "incomplete"     // of RunAs and StreamAs: the run was cancelled or is pending, see Done.Outcome
	CodeToolFailed   Code = "tool_failed"    // a tool returned a FatalError without a code
	CodeInternal     Code = "internal"       // a defect, such as a Model that returns another error than a ModelError
)

// ModelError is the error of a [Model].
type ModelError struct {
	Code Code
	// Message may be shown to a person: it must not contain an ARN, an account id or a host.
	Message string
	// Retryable reports whether the same request may succeed later.
	Retryable bool
	// Err is the cause, for the log. It may be nil.
	Err error
}

// Error implements error. It includes the cause, so it is for the log.
func (e *ModelError) Error() string {
	return errtext.Join("agent: model", string(e.Code), e.Message, e.Err)
}

// Unwrap returns the cause.
func (e *ModelError) Unwrap() error { return e.Err }

// RunError is the error of a run, and the last pair that it yields.
type RunError struct {
	Code Code
	// Message may be shown to a person.
	Message string
	// Retryable reports whether the same run may succeed later.
	Retryable bool
	// Err is the cause, for the log. It may be nil.
	Err error
	// Done is how far the run came: the history of its complete turns, the checkpoint to resume it from, and the usage.
	// Its Outcome is empty unless Code is CodeIncomplete.
	Done Done
}

// Error implements error. It includes the cause, so it is for the log.
func (e *RunError) Error() string {
	return errtext.Join("agent: run", string(e.Code), e.Message, e.Err)
}

// Unwrap returns the cause.
func (e *RunError) Unwrap() error { return e.Err }
