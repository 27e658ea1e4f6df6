package agent

import (
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/internal/errtext"
)

// Code identifies a failure. The list is open: Models, tools, by a [tools.FatalError], and other packages, such as
// agent/runner, define further codes.
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
	CodeIncomplete   Code = "incomplete"     // RunAs, StreamAs: the run was cancelled or is pending, see Done.Outcome
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

// malformedAnswer returns the error of an answer that contradicts itself or the protocol. A retry may succeed.
func malformedAnswer(err error) *RunError {
	const message = "The model's answer could not be understood."
	return &RunError{Code: CodeMalformed, Message: message, Retryable: true, Err: err}
}

// mapModelError returns the run's error for an error of the Model.
func mapModelError(err error) *RunError {
	if e, ok := errors.AsType[*ModelError](err); ok && e.Code != "" {
		return &RunError{Code: e.Code, Message: e.Message, Retryable: e.Retryable, Err: err}
	}
	return &RunError{Code: CodeInternal, Message: "The model failed.", Err: err}
}

// errConsumerLeft ends a run whose consumer has left the loop.
var errConsumerLeft = errors.New("agent: the consumer has left the loop")

func limitError[N int | int64](format string, n N) *RunError {
	return &RunError{Code: CodeLimit, Message: fmt.Sprintf(format, n)}
}

// withPartial sets the text of an incomplete answer in err, if it is a RunError.
func withPartial(err error, text string) error {
	if failed, ok := errors.AsType[*RunError](err); ok {
		failed.Done.Partial = text
	}
	return err
}

// inputError returns the error of a run whose input is rejected.
func inputError(msg string, err error) *RunError {
	return &RunError{Code: CodeInvalidCall, Message: msg, Err: err}
}

// incompleteError returns the error of a run that was cancelled or is pending and lacks a typed answer.
func incompleteError(ctx context.Context, stop Outcome) *RunError {
	if stop == OutcomePending {
		return &RunError{Code: CodeIncomplete, Message: "The answer has to wait: a tool call needs an approval."}
	}
	const message = "The run was cancelled before it had an answer."
	return &RunError{Code: CodeIncomplete, Message: message, Retryable: true, Err: ctx.Err()}
}
