package agent

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// The beginnings of failed results.
const (
	// hiddenResult is about a call that took effect. The model must not repeat it.
	hiddenResult = "The tool ran, but its result cannot be shown"
	// interruptedCall is about a call that may have taken effect, also one that waited in a checkpoint: an earlier run
	// may have resumed the same checkpoint and begun the call.
	interruptedCall = "Interrupted: the run was stopped. Whether the call took effect is not known."
)

// callOutcome is how one call ended.
type callOutcome struct {
	result  tools.Result
	took    time.Duration
	err     error               // for the log; nil if the call succeeded
	fatal   *RunError           // not nil if the call ends the run
	pending *tools.PendingError // not nil if the call was not made and waits
	isOpen  bool                // the result is a stopgap: a resumed run makes the call (again)
}

// fatalError returns the run's error if err ends the run, and otherwise nil.
func fatalError(err error) *RunError {
	e, ok := errors.AsType[*tools.FatalError](err)
	if !ok {
		return nil
	}
	return &RunError{
		Code:      cmp.Or(Code(e.Code), CodeToolFailed),
		Message:   cmp.Or(e.Message, "A tool failed, and the run cannot go on."),
		Retryable: e.Retryable,
		Err:       err,
	}
}

// explainError returns the failed result for err. It holds the message of a correction or the public message of a fatal
// error. For any other error it holds the general text.
func explainError(err error, general string) tools.Result {
	if e, ok := errors.AsType[*tools.FatalError](err); ok && e.Message != "" {
		return failedResult(e.Message)
	}
	if e, ok := errors.AsType[*tools.CorrectionError](err); ok && e.Message != "" {
		return failedResult(e.Message)
	}
	return failedResult(general)
}

// failedResult returns a failed result with that text. It replaces bytes that are not UTF-8, which a turn cannot hold.
func failedResult(msg string) tools.Result {
	msg = strings.ToValidUTF8(msg, "\uFFFD")
	return tools.Result{Blocks: []tools.Block{{Text: msg}}, Summary: msg, IsError: true}
}

// idempotencyKey returns the key of one call of one run. It depends on the call's place and on its content, because a
// repeated request may yield another call in the same place. args are the arguments in canonical form. Each text is
// preceded by its length, so two calls never share a key. The partition identifies the scope, and its ids do not: a
// tenant and its shared data have the same ids.
func idempotencyKey(s scope.Scope, run string, turn, call int, name string, args []byte) string {
	var few [512]byte
	b := few[:0]
	for _, p := range [...]string{s.Partition(), run, name} {
		b = append(append(strconv.AppendInt(b, int64(len(p)), 10), ':'), p...)
	}
	b = append(strconv.AppendInt(b, int64(turn), 10), ',')
	b = append(strconv.AppendInt(b, int64(call), 10), ',')
	sum := sha256.Sum256(append(b, args...))
	var key [2 * sha256.Size]byte
	hex.Encode(key[:], sum[:])
	return string(key[:])
}
