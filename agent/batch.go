package agent

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// batch is what the calls of one answer came to; their results are in the work.
type batch struct {
	succeeded bool      // at least one call did
	settled   bool      // at least one has got its result in this batch
	waiting   bool      // at least one waits for something, and the run has not been ended otherwise
	fatal     *RunError // a tool ended the run
	err       error     // why a call failed, the last one that did
}

// runBatch runs the calls of w that have no result, a bounded number at a time, and waits for all of them. If a tool
// ends the run, or its context ends, the others are cancelled, and each still gets a result: calls that ran may have
// had an effect, and the history has to tell. If the consumer leaves, r.left is set and the batch means nothing.
func (r *run) runBatch(offered offer, w *work) *batch {
	b := &batch{}
	r.media = mediaCount{}
	quiet := func(j *job) bool { return r.isAnswer(j.Name) } // the typed answer is no tool's event
	var todo []*job
	for i := range w.jobs {
		j := &w.jobs[i]
		if j.result != nil {
			b.succeeded = b.succeeded || !j.result.IsError
			r.countMedia(*j.result)
			continue
		}
		todo = append(todo, j)
		if !quiet(j) && !r.emit(ToolCalled{j.ToolUse}) {
			return b
		}
	}

	ctx, cancel := context.WithCancel(scope.NewContext(r.ctx, r.in.Scope))
	fs := r.agent.newFlights(ctx, len(todo))
	fs.accept = r.accept
	defer fs.wait()
	defer cancel()
	news := newProgress(len(todo))
	start := func(i int) {
		j := todo[i]
		fs.start(i, offered, tools.NewCall(tools.CallOptions{
			Scope: r.in.Scope, Shared: r.in.Shared, ID: j.ID, Name: j.Name, Args: j.Input, State: r.state,
			IdempotencyKey: j.key, Progress: func(v any) { news.put(i, v) },
		}))
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
		index, e, ended := fs.next(news.some)
		if !ended {
			for i := range next {
				if !tell(i) {
					return b
				}
			}
			continue
		}
		if !tell(index) {
			return b
		}
		news.end(index)
		running--
		over++
		j := todo[index]
		if e.pending != nil && r.in.Run != "" {
			b.waiting = true
			res := failure("Not run: it waited, and the run was stopped.")
			j.stopgap = &res
			if !r.emit(ToolPending{ID: j.ID, Name: j.Name, Reason: e.pending.Reason}) {
				return b
			}
			continue
		}
		if e.pending != nil {
			e.fatal = &RunError{Code: Internal, Message: "A tool waits for an approval, and this run cannot be resumed.",
				Err: fmt.Errorf("agent: a run without an id cannot wait: %w", e.err)}
			e.open = true
		}
		if e.open {
			j.stopgap = &e.result
		} else {
			j.result, b.settled = &e.result, true
			b.succeeded = b.succeeded || !e.result.IsError
		}
		if e.err != nil {
			b.err = fmt.Errorf("agent: call of %.64q: %w", j.Name, e.err)
		}
		if e.fatal != nil && b.fatal == nil {
			b.fatal = e.fatal
			cancel()
		}
		if !quiet(j) && !r.emit(ToolDone{ID: j.ID, Name: j.Name, Result: e.result, Took: e.took, Err: e.err}) {
			return b
		}
	}
	b.waiting = b.waiting && b.fatal == nil && r.ctx.Err() == nil
	return b
}
