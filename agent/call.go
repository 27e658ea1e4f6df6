package agent

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// outcome is how one call ended.
type outcome struct {
	result  tools.Result
	took    time.Duration
	err     error               // why it failed, for the log
	fatal   *RunError           // set if it ends the run
	pending *tools.PendingError // set if it has not run and waits
	open    bool                // the result only fills the turn: resumed, the run makes the call (again)
}

// judge returns the outcome of a call that has ended.
func (fs *flights) judge(l landed) outcome {
	a, o := fs.agent, l.outcome
	if o.err == nil {
		o.err = a.checkRefs(l.run, reach{l.call.Scope(), l.call.Shared()}, []Part{{Result: &ToolResult{Result: o.result}}})
	}
	if o.err == nil && fs.accept != nil {
		o.err = fs.accept(l)
	}
	if e, ok := errors.AsType[*tools.CorrectionError](o.err); ok && e.Arguments {
		a.refused(l.run, l.call.Scope(), l.call.Name(), o.err)
	}
	switch {
	case o.err == nil:
	case waits(o.err, &o):
		o.result = failure("Not run: it waits for something outside this conversation.")
	case l.stopped:
		o.open = true
		o.result = failure("Interrupted: the run was stopped. Whether the call took effect is not known.")
	default:
		o.fatal = fatal(o.err)
		o.open = o.fatal != nil
		o.result = explainFailure(o.err, "The tool failed.")
		if l.late {
			o.result = explainFailure(o.err, fmt.Sprintf("The tool did not finish within %v. Whether it took effect is not known.", l.limit().Round(time.Second)))
		}
	}
	return o
}

// waits reports whether err says that the call has not run and waits.
func waits(err error, o *outcome) bool {
	var ok bool
	o.pending, ok = errors.AsType[*tools.PendingError](err)
	return ok
}

// refused reports a call that was not run because of what the model asked for.
func (a *Agent) refused(ctx context.Context, s scope.Scope, tool string, err error) {
	if a.audit != nil {
		a.audit.Refused(ctx, scope.Refusal{Scope: s, Op: "agent.Call", Err: fmt.Errorf("agent: call of %.64q: %w", tool, err)})
	}
}

// fatal is the run's error if err is one that ends the run.
func fatal(err error) *RunError {
	e, ok := errors.AsType[*tools.FatalError](err)
	if !ok {
		return nil
	}
	return &RunError{
		Code:      cmp.Or(Code(e.Code), ToolFailed),
		Message:   cmp.Or(e.Message, "A tool failed, and the run cannot go on."),
		Retryable: e.Retryable,
		Err:       err,
	}
}

// explainFailure is what the model is told about err: a correction and the public message of a fatal error as they
// stand, and of everything else only the general words.
func explainFailure(err error, general string) tools.Result {
	if e, ok := errors.AsType[*tools.FatalError](err); ok && e.Message != "" {
		return failure(e.Message)
	}
	if e, ok := errors.AsType[*tools.CorrectionError](err); ok && e.Message != "" {
		return failure(e.Message)
	}
	return failure(general)
}

// failure is a failed result. A tool's words may quote anything, so what is not UTF-8 in them is replaced: it would
// make the turn impossible to store.
func failure(msg string) tools.Result {
	msg = strings.ToValidUTF8(msg, "\uFFFD")
	return tools.Result{Blocks: []tools.Block{{Text: msg}}, Summary: msg, IsError: true}
}

// idempotencyKey names one call of one run: by its place, and by what it does, since a model that is asked once more
// for an answer may put another call in the same place. Each piece carries its length, so no two calls share a key. The
// partition stands for the whole scope, which its ids do not: those of a tenant and of its shared data are the same.
func idempotencyKey(s scope.Scope, run string, turn, call int, u ToolUse) string {
	if run == "" {
		return ""
	}
	args := canonicalJSON(u.Input)
	b := make([]byte, 0, 256+len(args))
	for _, p := range [...]string{s.Partition(), run, u.Name} {
		b = append(append(strconv.AppendInt(b, int64(len(p)), 10), ':'), p...)
	}
	b = append(strconv.AppendInt(b, int64(turn), 10), ',')
	b = append(strconv.AppendInt(b, int64(call), 10), ',')
	sum := sha256.Sum256(append(b, args...))
	return hex.EncodeToString(sum[:])
}

// canonicalJSON returns arguments in one form. Those that have none are never run.
func canonicalJSON(b json.RawMessage) []byte {
	if c, err := strictjson.Canonical(b); err == nil {
		return c
	}
	return b
}
