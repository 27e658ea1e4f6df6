package agent

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// grace is how long a tool that has been cancelled may take to return.
const grace = 2 * time.Second

// outcome is how one call ended.
type outcome struct {
	result  tools.Result
	took    time.Duration
	err     error               // why it failed, for the log
	fatal   *RunError           // set if it ends the run
	pending *tools.PendingError // set if it has not run and waits
}

// errExited is the failure of a tool that ended its goroutine.
var errExited = errors.New("agent: the tool ended its goroutine and returned nothing")

// runCall runs one call within its time. It returns when the tool does, or, if the tool has been cancelled and does
// not heed it, after a grace.
func (a *Agent) runCall(ctx context.Context, offered offer, c *tools.Call) (o outcome) {
	if err := ctx.Err(); err != nil {
		return outcome{result: failure("Not run: the run was stopped."), err: err}
	}
	tool, ok := offered.lookup(c.Name())
	ctx, span := a.tel.startTool(ctx, c, ok)
	defer func() { span.endTool(o) }()
	if !ok {
		err := tools.Correct(fmt.Sprintf("There is no tool named %q. %s", c.Name(), offered))
		a.refused(ctx, c.Scope(), c.Name(), err)
		return outcome{result: explainFailure(err, ""), err: err}
	}

	start := time.Now()
	within, cancel := context.WithTimeout(ctx, a.limits.ToolTimeout)
	defer cancel()
	type returned struct {
		res tools.Result
		err error
	}
	ch := make(chan returned, 1)
	go func() {
		r := returned{err: errExited}
		defer func() { ch <- r }()
		r.res, r.err = tool.Call(within, c)
	}()

	var r returned
	select {
	case r = <-ch:
	case <-within.Done():
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case r = <-ch:
		case <-timer.C:
			r.err = fmt.Errorf("agent: %s was cancelled, did not return and is abandoned: %w", c.Name(), within.Err())
			a.abandoned.Add(1)
			go func() { // waits for the tool, so that the count is true
				<-ch
				a.abandoned.Add(-1)
			}()
		}
	}
	if r.err == nil {
		r.err = a.checkRefs(ctx, c.Scope(), []Part{{Result: &ToolResult{Result: r.res}}})
	}
	o = outcome{result: r.res, took: time.Since(start), err: r.err}
	if e, ok := errors.AsType[*tools.CorrectionError](r.err); ok && e.Arguments {
		a.refused(ctx, c.Scope(), c.Name(), r.err)
	}
	switch {
	case r.err == nil:
	case waits(r.err, &o):
		o.result = failure("Not run: it waits for something outside this conversation.")
	case ctx.Err() != nil:
		o.result = failure("Interrupted: the run was stopped. Whether the call took effect is not known.")
	default:
		o.fatal = fatal(r.err)
		o.result = explainFailure(r.err, "The tool failed.")
		if within.Err() != nil {
			o.result = explainFailure(r.err, fmt.Sprintf("The tool did not finish within %v. Whether it took effect is not known.", a.limits.ToolTimeout))
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
		Retryable: !e.Permanent,
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

// idempotencyKey names one call of one run. Each piece carries its length, so no two calls share a key; the partition
// is the whole scope, which its ids are not: a tenant's and its shared data's are the same.
func idempotencyKey(s scope.Scope, run string, turn, call int) string {
	if run == "" {
		return ""
	}
	h := sha256.New()
	for _, p := range []string{s.Partition(), run} {
		fmt.Fprintf(h, "%d:%s,", len(p), p)
	}
	fmt.Fprintf(h, "%d,%d", turn, call)
	return hex.EncodeToString(h.Sum(nil))
}
