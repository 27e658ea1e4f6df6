package agent

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// grace is how long a tool that has been cancelled may take to return.
const grace = 2 * time.Second

// batch is what the calls of one answer came to; their results are in the work.
type batch struct {
	succeeded bool      // at least one call did
	waiting   bool      // at least one waits for something, and the run has not been ended otherwise
	fatal     *RunError // a tool ended the run
}

// runBatch runs the calls of w that have no result, a bounded number at a time, and waits for all of them. If a tool
// ends the run, or its context ends, the others are cancelled, and each still gets a result: calls that ran may have
// had an effect, and the history has to tell. If the consumer leaves, r.left is set and the batch means nothing.
func (r *run) runBatch(offered offer, w *work) *batch {
	b := &batch{}
	quiet := func(j *job) bool { return r.out != nil && j.Name == r.out.name } // the typed answer is no tool's event
	var todo []*job
	for i := range w.jobs {
		j := &w.jobs[i]
		if j.result != nil {
			b.succeeded = b.succeeded || !j.result.IsError
			continue
		}
		todo = append(todo, j)
		if !quiet(j) && !r.emit(ToolCalled{j.ToolUse}) {
			return b
		}
	}

	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(scope.NewContext(r.ctx, r.in.Scope))
	defer cancel()

	type ended struct {
		index int
		outcome
	}
	ends := make(chan ended, len(todo)) // room for all: no call waits for the consumer
	news := newProgress(len(todo))
	var waiting []*job
	start := func(i int) {
		j := todo[i]
		c := tools.NewCall(tools.CallOptions{
			Scope: r.in.Scope, ID: j.ID, Name: j.Name, Args: j.Input, State: r.state,
			IdempotencyKey: idempotencyKey(r.in.Scope, r.in.Run, r.turn-1, j.index),
			Progress:       func(v any) { news.put(i, v) },
		})
		wg.Go(func() { ends <- ended{i, r.agent.runCall(ctx, offered, c)} })
	}
	tell := func(i int) bool {
		for _, v := range news.take(i) {
			if !quiet(todo[i]) && !r.emit(ToolProgress{ID: todo[i].ID, Name: todo[i].Name, Value: v}) {
				return false
			}
		}
		return true
	}
	next, running, over := 0, 0, 0
	for over < len(todo) {
		for next < len(todo) && running < r.agent.limits.Parallel {
			start(next)
			next++
			running++
		}
		var e ended
		select {
		case <-news.some:
			for i := range next {
				if !tell(i) {
					return b
				}
			}
			continue
		case e = <-ends:
		}
		if !tell(e.index) {
			return b
		}
		news.end(e.index)
		running--
		over++
		j := todo[e.index]
		if e.pending != nil && r.in.Run != "" {
			waiting = append(waiting, j)
			if !r.emit(ToolPending{ID: j.ID, Name: j.Name, Reason: e.pending.Reason}) {
				return b
			}
			continue
		}
		if e.pending != nil {
			e.fatal = &RunError{Code: Internal, Message: "A tool waits for an approval, and this run cannot be resumed.",
				Err: fmt.Errorf("agent: a run without an id cannot wait: %w", e.err)}
		}
		j.result = &e.result
		b.succeeded = b.succeeded || !e.result.IsError
		if e.fatal != nil && b.fatal == nil {
			b.fatal = e.fatal
			cancel()
		}
		if !quiet(j) && !r.emit(ToolDone{ID: j.ID, Name: j.Name, Result: e.result, Took: e.took, Err: e.err}) {
			return b
		}
	}
	b.waiting = len(waiting) > 0 && b.fatal == nil && r.ctx.Err() == nil
	if !b.waiting {
		for _, j := range waiting { // the turn ends here, and a turn holds no call without a result
			res := failure("Not run: it waited, and the run was stopped.")
			j.result = &res
		}
	}
	return b
}

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

// idempotencyKey names one call of one run. Each piece carries its length, so no two calls share a key.
func idempotencyKey(s scope.Scope, run string, turn, call int) string {
	if run == "" {
		return ""
	}
	h := sha256.New()
	for _, p := range []string{s.TenantID(), s.UserID(), s.SessionID(), run} {
		fmt.Fprintf(h, "%d:%s,", len(p), p)
	}
	fmt.Fprintf(h, "%d,%d", turn, call)
	return hex.EncodeToString(h.Sum(nil))
}
