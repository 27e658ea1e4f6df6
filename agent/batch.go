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

// batch is what the calls of one answer gave.
type batch struct {
	results   []*ToolResult // in call order, without the calls that could not be read
	notes     []Part        // about those
	succeeded bool          // at least one call did
	fatal     *RunError     // a tool ended the run
}

// message is the batch as the model is told it: every result in call order, and then the notes.
func (b *batch) message() Message {
	m := Message{Role: User}
	for _, r := range b.results {
		m.Parts = append(m.Parts, Part{Result: r})
	}
	m.Parts = append(m.Parts, b.notes...)
	return m
}

// runBatch runs the calls of one answer, a bounded number at a time, and waits for all of them. If a tool ends the
// run, or its context ends, the others are cancelled, and each still gets a result: calls that ran may have had an
// effect, and the history has to tell. If the consumer leaves, r.left is set and the batch means nothing.
func (r *run) runBatch(offered tools.Resolved, turn int, all []call) *batch {
	b := &batch{}
	var calls []*tools.Call
	for i, c := range all {
		if c.unreadable != nil {
			r.agent.refused(r.ctx, r.in.Scope, c.Name, c.unreadable)
			b.notes = append(b.notes, Part{Text: note(offered, i, c)})
			continue
		}
		calls = append(calls, tools.NewCall(tools.CallOptions{
			Scope: r.in.Scope, ID: c.ID, Name: c.Name, Args: c.Input,
			IdempotencyKey: idempotencyKey(r.in.Scope, r.in.Run, turn, i),
		}))
	}
	for _, c := range calls {
		if !r.emit(ToolCalled{ToolUse{ID: c.ID(), Name: c.Name(), Input: c.Args()}}) {
			return b
		}
	}

	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(scope.NewContext(r.ctx, r.in.Scope))
	defer cancel()

	b.results = make([]*ToolResult, len(calls))
	type ended struct {
		index int
		outcome
	}
	ends := make(chan ended, len(calls)) // room for all: no call waits for the consumer
	next, running := 0, 0
	for range calls {
		for next < len(calls) && running < r.agent.limits.Parallel {
			i := next
			wg.Go(func() { ends <- ended{i, r.agent.runCall(ctx, offered, calls[i])} })
			next++
			running++
		}
		e := <-ends
		running--
		c := calls[e.index]
		b.results[e.index] = &ToolResult{ID: c.ID(), Result: e.result}
		b.succeeded = b.succeeded || !e.result.IsError
		if e.fatal != nil && b.fatal == nil {
			b.fatal = e.fatal
			cancel()
		}
		if !r.emit(ToolDone{ID: c.ID(), Name: c.Name(), Result: e.result, Took: e.took, Err: e.err}) {
			return b
		}
	}
	return b
}

// outcome is how one call ended.
type outcome struct {
	result tools.Result
	took   time.Duration
	err    error     // why it failed, for the log
	fatal  *RunError // set if it ends the run
}

// errExited is the failure of a tool that ended its goroutine.
var errExited = errors.New("agent: the tool ended its goroutine and returned nothing")

// runCall runs one call within its time. It returns when the tool does, or, if the tool has been cancelled and does
// not heed it, after a grace.
func (a *Agent) runCall(ctx context.Context, offered tools.Resolved, c *tools.Call) outcome {
	if err := ctx.Err(); err != nil {
		return outcome{result: failure("Not run: the run was stopped."), err: err}
	}
	tool, ok := offered.Lookup(c.Name())
	if !ok {
		err := tools.Correct(fmt.Sprintf("There is no tool named %q. %s", c.Name(), offer(offered)))
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
	o := outcome{result: r.res, took: time.Since(start), err: r.err}
	if e, ok := errors.AsType[*tools.CorrectionError](r.err); ok && e.Arguments {
		a.refused(ctx, c.Scope(), c.Name(), r.err)
	}
	switch {
	case r.err == nil:
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

// note tells the model which call could not be read, by its place in the answer.
func note(offered tools.Resolved, index int, c call) string {
	name := "a tool"
	if _, ok := offered.Lookup(c.Name); ok {
		name = c.Name
	}
	return fmt.Sprintf("Call %d of your answer, of %s, was not run: %v. Make the whole call again, with one JSON object as arguments.",
		index+1, name, c.unreadable)
}

// offer lists the tools that the model may call.
func offer(offered tools.Resolved) string {
	if offered.Len() == 0 {
		return "No tools are offered."
	}
	s := "The tools are: "
	sep := ""
	for spec := range offered.Specs() {
		s, sep = s+sep+spec.Name, ", "
	}
	return s + "."
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
