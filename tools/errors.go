package tools

import (
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/internal/errtext"
)

// ErrSchema is returned by [New] if the argument type is not acceptable: for a reserved name, an open map, or a type
// that reads its own JSON.
var ErrSchema = errors.New("tools: invalid argument type")

// CorrectionError is a failure that the model can correct: the model receives Message as the result of the call.
type CorrectionError struct {
	Message string
	// Arguments reports whether the arguments were invalid, so that the tool did not run.
	Arguments bool
}

// Error implements error.
func (e *CorrectionError) Error() string { return "tools: correction: " + e.Message }

// Correct returns a [CorrectionError] with a message for the model, such as "year must be at most 2100".
func Correct(msg string) error { return &CorrectionError{Message: msg} }

func newArgumentError(msg string) error { return &CorrectionError{Message: msg, Arguments: true} }

// FatalError is a failure that ends the run, because the model cannot correct it.
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

// PanicError is a panic in a tool's function or in its middleware. For the model it is an ordinary failure. The stack
// is for the log.
type PanicError struct {
	Value any
	Stack []byte
}

// Error returns the value of the panic without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("tools: panic: %v", e.Value) }

// PendingError is returned for a call that waits for an event outside the run, such as an approval. The call did not
// run. The run ends with the call pending, and the resumed run makes it again with the same idempotency key. Package
// approval returns a PendingError. A function may return one too, before it has had any effect.
type PendingError struct {
	// Reason is for a person.
	Reason string
	// Approval is the id of the approval that the call waits for, and Expires is the time at which the request for it
	// ceases to exist. They are zero if the call waits for something else.
	Approval string
	Expires  time.Time
}

// Error implements error.
func (e *PendingError) Error() string { return "tools: pending: " + e.Reason }

// isDecision reports whether err is the tool's own decision, which a retry or a timeout must not replace.
func isDecision(err error) bool {
	return hasType[*CorrectionError](err) || hasType[*FatalError](err) || hasType[*PendingError](err) ||
		hasType[*PanicError](err)
}

func hasType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
