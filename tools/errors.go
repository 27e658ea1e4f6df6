package tools

import (
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/internal/errtext"
)

// ErrSchema is in the chain of every error by which [New] refuses a function's arguments: a reserved name, an open
// map, a type whose JSON form the schema could not tell.
var ErrSchema = errors.New("tools: these arguments cannot be a tool's")

// CorrectionError is a failure that the model should mend: its Message goes to the model as the result of the call.
type CorrectionError struct {
	Message string
	// Arguments says that the call was refused before the tool ran: its arguments are not what the tool takes.
	Arguments bool
}

// Error implements error.
func (e *CorrectionError) Error() string { return "tools: correction: " + e.Message }

// Correct returns a [CorrectionError]: what the model should mend, in words that the model reads.
func Correct(msg string) error { return &CorrectionError{Message: msg} }

func misfit(msg string) error { return &CorrectionError{Message: msg, Arguments: true} }

// FatalError is a failure that ends the run, because nothing that the model does could mend it.
type FatalError struct {
	// Code names the failure for programs, in lower-case words with underscores. Default: the run's error has the
	// code tool_failed.
	Code string
	// Message may be shown to a person, so it must not contain keys, hosts or internal ids. Default: a general sentence.
	Message string
	// Retryable reports whether another run on the same input may succeed.
	Retryable bool
	// Err is the cause, for the log.
	Err error
}

// Error returns the code, the message and the cause. It is for the log.
func (e *FatalError) Error() string { return errtext.Join("tools: fatal", e.Code, e.Message, e.Err) }

// Unwrap returns the cause.
func (e *FatalError) Unwrap() error { return e.Err }

// Fatal returns a retryable [FatalError] that wraps err. If err is or wraps a FatalError already, Fatal returns err
// itself, so that its fields are kept. It returns nil if err is nil.
func Fatal(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*FatalError](err); ok {
		return err
	}
	return &FatalError{Retryable: true, Err: err}
}

// PanicError is a panic in a tool's function or in its middleware. It is an ordinary failure for the model; the
// stack is for the log.
type PanicError struct {
	Value any
	Stack []byte
}

// Error implements error. It holds no stack.
func (e *PanicError) Error() string { return fmt.Sprintf("tools: panic: %v", e.Value) }

// PendingError says that a call waits for something outside the run, an approval above all: it has not run, and the
// run ends with the call pending, to be resumed once that has happened. The same call is then made again, with the same
// idempotency key. Package approval returns it; a function may too, before it has had any effect.
type PendingError struct {
	// Reason is for a person.
	Reason string
}

// Error implements error.
func (e *PendingError) Error() string { return "tools: pending: " + e.Reason }
