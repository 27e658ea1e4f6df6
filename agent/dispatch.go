package agent

import (
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// batchResult summarises how the calls of a batch ended. Their results are in the batch.
type batchResult struct {
	hasSucceeded bool      // at least one call did
	hasSettled   bool      // at least one call returned a result
	isWaiting    bool      // at least one call is pending, and neither an error nor a cancellation has ended the run
	fatal        *RunError // the error of a tool that ended the run
	err          error     // the error of the last call that failed
}

// dispatcher makes the calls of one batch.
type dispatcher struct {
	*run
	result   batchResult
	tools    toolset
	calls    []*batchCall // those without a result
	progress *progress
}

// makeCalls makes the calls of b that lack a result, a bounded number at a time, and waits for all of them. If a tool
// ends the run, or its context ends, the other calls are cancelled. Each still gets a result: it may have had an
// effect, and the history must say so. The error is errConsumerLeft.
func (r *run) makeCalls(set toolset, b *batch) (batchResult, error) {
	d := &dispatcher{run: r, tools: set}
	if err := d.announceCalls(b); err != nil {
		return batchResult{}, err
	}
	if r.inFlight == nil {
		r.inFlight = newInvocations(scope.NewContext(r.ctx, r.in.Scope), r.agent, r.acceptResult)
	}
	d.progress = newProgress(len(d.calls))
	d.inFlight.ends = make(chan callEnd, len(d.calls))
	defer d.inFlight.cancelOpen()
	if err := d.dispatchAll(); err != nil {
		return batchResult{}, err
	}
	d.result.isWaiting = d.result.isWaiting && d.result.fatal == nil && r.ctx.Err() == nil
	return d.result, nil
}

// announceCalls collects the calls without a result, and yields them.
func (d *dispatcher) announceCalls(b *batch) error {
	d.media = mediaCount{}
	d.calls = make([]*batchCall, 0, len(b.calls))
	for i := range b.calls {
		c := &b.calls[i]
		if c.result != nil {
			d.result.hasSucceeded = d.result.hasSucceeded || !c.result.IsError
			d.countMedia(*c.result)
			continue
		}
		d.calls = append(d.calls, c)
		if err := d.emitCall(c, ToolCalled{c.ToolUse}); err != nil {
			return err
		}
	}
	return nil
}

// closeCalls releases the resources of the run's calls, which have all ended.
func (r *run) closeCalls() {
	if r.inFlight != nil {
		r.inFlight.close()
	}
}

// emitCall yields an event of a call, unless the call gives the typed answer: no tool is involved in it.
func (d *dispatcher) emitCall(c *batchCall, ev Event) error {
	if d.isOutputCall(c.Name) {
		return nil
	}
	return d.emit(ev)
}

// dispatchAll starts the calls and records their ends.
func (d *dispatcher) dispatchAll() error {
	started := 0
	for ended := 0; ended < len(d.calls); {
		for started < len(d.calls) && started-ended < d.agent.limits.Parallel {
			d.dispatchCall(started)
			started++
		}
		index, o, isEnd := d.inFlight.awaitEnd(d.progress.ready)
		if !isEnd {
			if err := d.emitProgress(0, started); err != nil {
				return err
			}
			continue
		}
		if err := d.emitProgress(index, index+1); err != nil {
			return err
		}
		d.progress.endCall(index)
		ended++
		if err := d.recordOutcome(d.calls[index], o); err != nil {
			return err
		}
	}
	return nil
}

func (d *dispatcher) dispatchCall(i int) {
	c := d.calls[i]
	d.dispatched++
	d.inFlight.start(i, d.tools, tools.NewCall(tools.CallOptions{
		Scope: d.in.Scope, Shared: d.in.Shared, ID: c.ID, Name: c.Name, Args: c.Input, State: d.state,
		IdempotencyKey: c.key, Progress: func(v any) { d.progress.putValue(i, v) },
	}))
}

// emitProgress yields the new progress of the calls in [from, to).
func (d *dispatcher) emitProgress(from, to int) error {
	for i := from; i < to; i++ {
		c := d.calls[i]
		for _, v := range d.progress.takeValues(i) {
			if err := d.emitCall(c, ToolProgress{ID: c.ID, Value: v}); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordOutcome stores the outcome of a call, and yields it. A fatal call cancels the others.
func (d *dispatcher) recordOutcome(c *batchCall, o callOutcome) error {
	if o.pending != nil && d.in.Run != "" {
		d.result.isWaiting = true
		res := failedResult("Not run: it waited, and the run was stopped.")
		c.stopgap = &res
		return d.emit(ToolPending{ID: c.ID, Name: c.Name, Input: c.Input,
			Approval: o.pending.Approval, Reason: o.pending.Reason, Expires: o.pending.Expires})
	}
	if o.pending != nil {
		o.fatal = &RunError{Code: CodeInternal, Message: "A tool waits for an approval, and this run cannot be resumed.",
			Err: fmt.Errorf("agent: a run without an id cannot wait: %w", o.err)}
		o.isOpen = true
	}
	if o.isOpen {
		c.stopgap = &o.result
	} else {
		c.result, d.result.hasSettled = &o.result, true
		d.result.hasSucceeded = d.result.hasSucceeded || !o.result.IsError
	}
	if o.err != nil {
		d.result.err = fmt.Errorf("agent: call of %.64q: %w", c.Name, o.err)
	}
	if o.fatal != nil && d.result.fatal == nil {
		d.result.fatal = o.fatal
		d.inFlight.cancel()
	}
	return d.emitCall(c, ToolDone{ID: c.ID, Name: c.Name, Result: o.result, Took: o.took, Err: o.err})
}
