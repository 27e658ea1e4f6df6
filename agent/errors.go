package agent

import (
	"fmt"

	"github.com/carrel-go/carrel/internal/errtext"
)

// Code names a failure. It is a closed list, but for the codes that a tool's [tools.FatalError] brings along.
type Code string

// The codes.
const (
	Throttled    Code = "throttled"      // 429, after the client's own retries
	AccessDenied Code = "access_denied"  // 403
	InvalidCall  Code = "invalid_call"   // the request cannot be sent as it is, or the service refused it (400, 404)
	Unavailable  Code = "unavailable"    // 5xx, connection refused, service exceptions in mid-stream
	Truncated    Code = "truncated"      // the stream ended without its end, or the token limit cut the answer
	Timeout      Code = "timeout"        // silence
	Filtered     Code = "filtered"       // content filter, guardrail
	ContextFull  Code = "context_window" // the conversation does not fit the model
	BadOutput    Code = "malformed"      // the model's answer contradicts itself or the protocol
	// UnknownReason: the model stopped for a [Reason] that the agent does not know, and left more than text.
	UnknownReason Code = "unknown_reason"
	LimitReached  Code = "limit"       // one of Limits
	Incomplete    Code = "incomplete"  // of RunAs and StreamAs: the run was cancelled or is pending, see Done.Stop
	ToolFailed    Code = "tool_failed" // a tool said Fatal, without a code of its own
	Internal      Code = "internal"    // a defect, of a Model adapter for example
)

// ModelError is how a [Model] fails.
type ModelError struct {
	Code Code
	// Message may be shown to a person: it holds no ARN, no account id, no host.
	Message string
	// Retryable says that the same request may well succeed later.
	Retryable bool
	// Err is the cause, for the log.
	Err error
}

// Error implements error. It holds the cause, so it is for the log.
func (e *ModelError) Error() string {
	return errtext.Join("agent: model", string(e.Code), e.Message, e.Err)
}

// Unwrap returns the cause.
func (e *ModelError) Unwrap() error { return e.Err }

// RunError is the last yield of a run that failed.
type RunError struct {
	Code Code
	// Message may be shown to a person.
	Message string
	// Done is how far the run has come: the history of its whole turns, the checkpoint to resume it from, and the usage.
	// Its Stop is empty unless Code is Incomplete.
	Done Done
	// Retryable says that the same run may well succeed later, as it is.
	Retryable bool
	// Err is the cause, for the log; it may be nil.
	Err error
}

// Error implements error. It holds the cause, so it is for the log.
func (e *RunError) Error() string {
	return errtext.Join("agent: run", string(e.Code), e.Message, e.Err)
}

// Unwrap returns the cause.
func (e *RunError) Unwrap() error { return e.Err }

// VersionError is returned by [DecodeTurn] and [DecodeCheckpoint] if the JSON has a version that this program does not
// support. A newer program may have written it.
type VersionError struct {
	Version   int
	Supported []int
}

// Error implements error.
func (e *VersionError) Error() string {
	return fmt.Sprintf("unsupported version %d: must be one of %v", e.Version, e.Supported)
}
