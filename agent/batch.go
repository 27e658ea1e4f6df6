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
	todo, ok := r.announceCalls(w, b)
	if !ok {
		return b
	}
	ctx, cancel := context.WithCancel(scope.NewContext(r.ctx, r.in.Scope))
	d := &dispatch{run: r, batch: b, jobs: todo, news: newProgress(len(todo)), cancel: cancel}
	d.flights = r.agent.newFlights(ctx, len(todo))
	d.flights.accept = r.accept
	defer d.flights.wait()
	defer cancel()
	if d.runAll(offered) {
		b.waiting = b.waiting && b.fatal == nil && r.ctx.Err() == nil
	}
	return b
}

// announceCalls yields the calls that are to be made, and returns them. It returns false if the consumer has left.
func (r *run) announceCalls(w *work, b *batch) ([]*job, bool) {
	r.media = mediaCount{}
	var todo []*job
	for i := range w.jobs {
		j := &w.jobs[i]
		if j.result != nil {
			b.succeeded = b.succeeded || !j.result.IsError
			r.countMedia(*j.result)
			continue
		}
		todo = append(todo, j)
		if !r.emitCall(j, ToolCalled{j.ToolUse}) {
			return nil, false
		}
	}
	return todo, true
}

// emitCall yields an event of a call, unless the call gives the typed answer, which is not a tool's.
func (r *run) emitCall(j *job, ev Event) bool { return r.isAnswer(j.Name) || r.emit(ev) }

// dispatch runs the calls of one batch.
type dispatch struct {
	*run
	batch   *batch
	jobs    []*job
	flights *flights
	news    *progress
	cancel  context.CancelFunc // of the calls
}

// runAll starts the calls and records their ends. It returns false if the consumer has left.
func (d *dispatch) runAll(offered offer) bool {
	for started, ended := 0, 0; ended < len(d.jobs); {
		for started < len(d.jobs) && started-ended < d.agent.limits.Parallel {
			d.start(started, offered)
			started++
		}
		index, o, isEnd := d.flights.next(d.news.some)
		if !isEnd {
			for i := range started {
				if !d.emitProgress(i) {
					return false
				}
			}
			continue
		}
		if !d.emitProgress(index) {
			return false
		}
		d.news.end(index)
		ended++
		if !d.record(d.jobs[index], o) {
			return false
		}
	}
	return true
}

// start begins the call of that index.
func (d *dispatch) start(i int, offered offer) {
	j := d.jobs[i]
	d.flights.start(i, offered, tools.NewCall(tools.CallOptions{
		Scope: d.in.Scope, Shared: d.in.Shared, ID: j.ID, Name: j.Name, Args: j.Input, State: d.state,
		IdempotencyKey: j.key, Progress: func(v any) { d.news.put(i, v) },
	}))
}

// emitProgress yields what a call has said since the last time.
func (d *dispatch) emitProgress(i int) bool {
	j := d.jobs[i]
	for _, v := range d.news.take(i) {
		if !d.emitCall(j, ToolProgress{ID: j.ID, Name: j.Name, Value: v}) {
			return false
		}
	}
	return true
}

// record keeps what a call has come to, and yields it. A fatal call cancels the others.
func (d *dispatch) record(j *job, o outcome) bool {
	b := d.batch
	if o.pending != nil && d.in.Run != "" {
		b.waiting = true
		res := failure("Not run: it waited, and the run was stopped.")
		j.stopgap = &res
		return d.emit(ToolPending{ID: j.ID, Name: j.Name, Reason: o.pending.Reason})
	}
	if o.pending != nil {
		o.fatal = &RunError{Code: Internal, Message: "A tool waits for an approval, and this run cannot be resumed.",
			Err: fmt.Errorf("agent: a run without an id cannot wait: %w", o.err)}
		o.open = true
	}
	if o.open {
		j.stopgap = &o.result
	} else {
		j.result, b.settled = &o.result, true
		b.succeeded = b.succeeded || !o.result.IsError
	}
	if o.err != nil {
		b.err = fmt.Errorf("agent: call of %.64q: %w", j.Name, o.err)
	}
	if o.fatal != nil && b.fatal == nil {
		b.fatal = o.fatal
		d.cancel()
	}
	return d.emitCall(j, ToolDone{ID: j.ID, Name: j.Name, Result: o.result, Took: o.took, Err: o.err})
}
