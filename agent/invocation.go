package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/carrel-go/carrel/internal/calltime"
	"github.com/carrel-go/carrel/internal/ownstack"
	"github.com/carrel-go/carrel/tools"
)

// grace is how long a tool may take to return after its context has ended.
const grace = 2 * time.Second

var errExited = errors.New("agent: the tool ended its goroutine and returned nothing")

// invocations are the calls of a run that are in flight, each in a separate goroutine. The host's auditor and spans run
// in the goroutine of the run, so that the consumer can recover their panics.
type invocations struct {
	agent  *Agent
	accept func(callEnd) error // returns an error if no request can hold the result; may be nil
	ctx    context.Context
	cancel context.CancelFunc
	done   <-chan struct{} // of ctx; nil once its end has been handled
	times  *calltime.Group
	ends   chan callEnd  // of a batch, buffered for all its calls, so that no call waits for the consumer
	open   []*invocation // in the order in which they were started
	timer  *time.Timer   // fires when the next overdue call must be abandoned; nil until a call is overdue
}

// invocation is one call in flight.
type invocation struct {
	index     int
	call      *tools.Call
	tool      *tools.Tool     // nil if the call is not made
	batch     context.Context // the calls', with the call's span
	ctx       *calltime.Context
	span      *span
	start     time.Time
	abandonAt time.Time // zero if ctx decides, see abandonTime
	// isEnded is set by the goroutine that reports the end: the call's own, or the run's when it abandons the call.
	isEnded atomic.Bool
}

// callEnd is the end of an invocation.
type callEnd struct {
	*invocation
	callOutcome      // of a call that was made, it only holds what the tool returned: see interpretEnd
	runEnded    bool // before the call did
	isOverdue   bool // the call's time had passed
}

func newInvocations(ctx context.Context, a *Agent, accept func(callEnd) error) *invocations {
	ctx, cancel := context.WithCancel(ctx)
	return &invocations{agent: a, accept: accept, ctx: ctx, cancel: cancel, done: ctx.Done(),
		times: calltime.NewGroup(ctx, a.limits.ToolTimeout, grace, a.hasToolTimeout)}
}

// close releases the contexts of the calls.
func (n *invocations) close() {
	n.cancel()
	n.times.Close()
	if n.timer != nil {
		n.timer.Stop()
	}
}

// start starts a call. If the call must not be made, it reports its end.
func (n *invocations) start(index int, set toolset, c *tools.Call) {
	v := &invocation{index: index, call: c}
	if err := n.ctx.Err(); err != nil {
		n.refuseCall(v, callOutcome{result: failedResult("Not run: the run was stopped."), err: err, isOpen: true})
		return
	}
	tool, ok := set.lookupTool(c.Name())
	v.batch, v.span = n.agent.tel.startTool(n.ctx, c, ok)
	if !ok {
		err := tools.Correct(fmt.Sprintf("There is no tool named %q. %s", c.Name(), set))
		n.agent.auditCall(v.batch, c.Scope(), c.Name(), err)
		n.refuseCall(v, callOutcome{result: explainError(err, ""), err: err})
		return
	}
	if !set.isOutput(c.Name()) && n.agent.abandoned.isFull(c.Scope().TenantID()) {
		res := failedResult("Not run: too many earlier calls have not ended. Go on without this tool, or try again later.")
		n.refuseCall(v, callOutcome{result: res, err: errAbandoned})
		return
	}
	v.tool, v.start = tool, time.Now()
	v.ctx = n.times.Start(v.batch, v.start)
	n.open = append(n.open, v)
	go v.invokeTool(n.ends, &n.agent.abandoned)
}

// refuseCall reports the end of a call that is not made.
func (n *invocations) refuseCall(v *invocation, o callOutcome) {
	n.ends <- callEnd{invocation: v, callOutcome: o}
}

// invokeTool calls the tool and reports its end, unless the run has abandoned the call.
func (v *invocation) invokeTool(ends chan<- callEnd, abandoned *abandonedCalls) {
	o := callOutcome{err: errExited}
	defer func() { // a tool may end its goroutine
		if !v.isEnded.CompareAndSwap(false, true) {
			abandoned.add(v.call.Scope().TenantID(), -1)
			return
		}
		ends <- v.endNow(o)
	}()
	ownstack.Grow(ownstack.KB8) // most arguments decode without more
	o.result, o.err = v.tool.Call(v.ctx, v.call)
}

// endNow returns the end of the call at this moment.
func (v *invocation) endNow(o callOutcome) callEnd {
	o.took = time.Since(v.start)
	return callEnd{invocation: v, callOutcome: o, runEnded: v.batch.Err() != nil, isOverdue: v.ctx.Err() != nil}
}

// awaitEnd waits for the end of a call. It returns false if there is progress first.
func (n *invocations) awaitEnd(progress <-chan struct{}) (index int, _ callOutcome, isEnd bool) {
	for {
		var fired <-chan time.Time
		if n.timer != nil {
			fired = n.timer.C
		}
		select {
		case <-progress:
			return 0, callOutcome{}, false
		case e := <-n.ends:
			return e.index, n.removeEnded(e), true
		case <-n.done:
			n.done = nil
			n.shortenAll(time.Now().Add(grace))
			n.abandonOverdue()
		case <-n.times.Expired():
			n.abandonOverdue()
		case <-fired:
			n.abandonOverdue()
		}
	}
}

// shortenAll abandons no call later than at that time.
func (n *invocations) shortenAll(at time.Time) {
	for _, v := range n.open {
		if v.abandonTime().After(at) {
			v.abandonAt = at
		}
	}
}

// removeEnded takes a call that has ended out of those in flight and returns its outcome.
func (n *invocations) removeEnded(e callEnd) callOutcome {
	o := e.callOutcome
	if e.tool != nil {
		n.open = slices.DeleteFunc(n.open, func(v *invocation) bool { return v == e.invocation })
		e.ctx.Cancel()
		o = n.interpretEnd(e)
	}
	name, ended := "", time.Time{}
	if e.tool != nil {
		name, ended = e.tool.Spec().Name, e.start.Add(o.took)
	}
	e.span.endTool(o, name, ended)
	return o
}

// abandonTime returns when the call is abandoned. The tool's own timeout extends it.
func (v *invocation) abandonTime() time.Time {
	if v.abandonAt.IsZero() {
		return v.ctx.Until().Add(grace)
	}
	return v.abandonAt
}

// timeLimit returns the time that the call had.
func (v *invocation) timeLimit() time.Duration { return v.ctx.Until().Sub(v.start) }

// abandonOverdue abandons the calls that have expired and arms the timer for the next one.
func (n *invocations) abandonOverdue() {
	next := time.Duration(-1)
	for _, v := range n.open {
		if wait := time.Until(v.abandonTime()); wait > 0 {
			if next < 0 || wait < next {
				next = wait
			}
			continue
		}
		tenant := v.call.Scope().TenantID()
		n.agent.abandoned.add(tenant, 1) // before its goroutine can count down
		if !v.isEnded.CompareAndSwap(false, true) {
			n.agent.abandoned.add(tenant, -1)
			continue
		}
		n.ends <- v.endNow(callOutcome{
			err: fmt.Errorf("agent: %s was cancelled, did not return and is abandoned: %w", v.call.Name(), v.ctx.Err()),
		})
	}
	if next > 0 {
		n.armTimer(next)
	}
}

func (n *invocations) armTimer(d time.Duration) {
	if n.timer == nil {
		n.timer = time.NewTimer(d)
		return
	}
	n.timer.Reset(d)
}

// cancelOpen cancels the calls in flight, if any, and waits for them.
func (n *invocations) cancelOpen() {
	if len(n.open) == 0 {
		return
	}
	n.cancel()
	for len(n.open) > 0 {
		n.awaitEnd(nil)
	}
}

// interpretEnd returns the outcome of a call that was made.
func (n *invocations) interpretEnd(e callEnd) callOutcome {
	a, o := n.agent, e.callOutcome
	hasRun := o.err == nil // the tool returned a result, which the model may be unable to receive
	if hasRun {
		o.err = a.checkResult(e.batch, reach{e.call.Scope(), e.call.Shared()}, o.result)
	}
	if o.err == nil && n.accept != nil {
		o.err = n.accept(e)
	}
	if c, ok := errors.AsType[*tools.CorrectionError](o.err); ok && c.Arguments {
		a.auditCall(e.batch, e.call.Scope(), e.call.Name(), o.err)
	}
	if o.err == nil {
		return o
	}
	var isPending bool
	o.pending, isPending = errors.AsType[*tools.PendingError](o.err)
	switch {
	case isPending:
		o.result = failedResult("Not run: it waits for something outside this conversation.")
	case hasRun:
		o.result = explainError(o.err, hiddenResult+".")
	case e.runEnded:
		o.isOpen = true
		o.result = failedResult(interruptedCall)
	default:
		o.fatal = fatalError(o.err)
		o.isOpen = o.fatal != nil
		general := "The tool failed."
		if e.isOverdue {
			general = fmt.Sprintf("The tool did not finish within %v. Whether it took effect is not known.",
				e.timeLimit().Round(time.Second))
		}
		o.result = explainError(o.err, general)
	}
	return o
}
