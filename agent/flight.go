package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/carrel-go/carrel/internal/calltime"
	"github.com/carrel-go/carrel/tools"
)

// grace is how long a tool that has been cancelled may take to return.
const grace = 2 * time.Second

// errExited is the failure of a tool that ended its goroutine.
var errExited = errors.New("agent: the tool ended its goroutine and returned nothing")

// flights are the calls of a batch that are under way, each in a goroutine of its own. Everything else, the host's
// auditor and spans above all, happens in the goroutine of the run: a panic of theirs is the consumer's to see.
type flights struct {
	agent  *Agent
	accept func(landed) error // returns why the model cannot be shown a result; may be nil
	ctx    context.Context
	done   <-chan struct{} // of ctx; nil once it has been seen to end
	ends   chan landed     // room for all: no call waits for the consumer
	under  []*flight       // in the order in which they began
	timer  *time.Timer     // for the first that is to be abandoned; it may fire early
	armed  bool
}

// flight is one call.
type flight struct {
	index  int
	call   *tools.Call
	tool   *tools.Tool     // nil of a call that is not made
	run    context.Context // the batch's, with the call's span
	ctx    context.Context // with its deadline
	cancel context.CancelFunc
	span   *span
	start  time.Time
	until  time.Time   // when it is abandoned, if its context does not say; see expiry
	fixed  bool        // until holds whatever its context says
	over   atomic.Bool // whoever sets it tells of the end: the goroutine of the call, or the batch that abandons it
}

// landed is a flight at its end.
type landed struct {
	*flight
	outcome            // of a call that was made, what came back; judge says what it means
	stopped, late bool // the run, or the time of the call, had ended by then
}

func (a *Agent) newFlights(ctx context.Context, calls int) *flights {
	return &flights{agent: a, ctx: ctx, done: ctx.Done(), ends: make(chan landed, calls)}
}

// start begins a call, if it can be made.
func (fs *flights) start(index int, offered offer, c *tools.Call) {
	f := &flight{index: index, call: c}
	if err := fs.ctx.Err(); err != nil {
		fs.ends <- landed{flight: f, outcome: outcome{result: failure("Not run: the run was stopped."), err: err, open: true}}
		return
	}
	tool, ok := offered.lookup(c.Name())
	f.run, f.span = fs.agent.tel.startTool(fs.ctx, c, ok)
	if !ok {
		err := tools.Correct(fmt.Sprintf("There is no tool named %q. %s", c.Name(), offered))
		fs.agent.refused(f.run, c.Scope(), c.Name(), err)
		fs.ends <- landed{flight: f, outcome: outcome{result: explainFailure(err, ""), err: err}}
		return
	}
	if !offered.isOutput(c.Name()) && fs.agent.abandoned.isFull(c.Scope().TenantID()) {
		res := failure("Not run: too many earlier calls have not ended. Go on without this tool, or try again later.")
		fs.ends <- landed{flight: f, outcome: outcome{result: res, err: errAbandoned}}
		return
	}
	limit := fs.agent.limits.ToolTimeout
	f.tool, f.start = tool, time.Now()
	f.until = f.start.Add(limit + grace)
	if fs.agent.limited {
		f.ctx, f.cancel = context.WithTimeout(f.run, limit)
	} else {
		f.ctx, f.cancel = calltime.WithDefault(f.run, limit, grace)
	}
	fs.under = append(fs.under, f)
	if !fs.armed {
		fs.arm(limit + grace)
	}
	go f.fly(fs.ends, &fs.agent.abandoned)
}

// fly makes the call.
func (f *flight) fly(ends chan<- landed, abandoned *abandonedCalls) {
	l := landed{flight: f, outcome: outcome{err: errExited}}
	defer func() { // a tool may end its goroutine
		if !f.over.CompareAndSwap(false, true) {
			abandoned.add(f.call.Scope().TenantID(), -1)
			return
		}
		l.at()
		ends <- l
	}()
	l.result, l.err = f.tool.Call(f.ctx, f.call)
}

// at takes down the moment.
func (l *landed) at() {
	l.took, l.stopped, l.late = time.Since(l.start), l.run.Err() != nil, l.ctx.Err() != nil
}

// next waits for the end of a call. It gives false where news came first.
func (fs *flights) next(news <-chan struct{}) (int, outcome, bool) {
	for {
		var fired <-chan time.Time
		if fs.timer != nil {
			fired = fs.timer.C
		}
		select {
		case <-news:
			return 0, outcome{}, false
		case l := <-fs.ends:
			return l.index, fs.land(l), true
		case <-fs.done:
			fs.done = nil
			until := time.Now().Add(grace)
			for _, f := range fs.under {
				if f.expiry().After(until) {
					f.until, f.fixed = until, true
				}
			}
			fs.arm(0)
		case <-fired:
			fs.armed = false
			fs.abandon()
		}
	}
}

// land takes a call out of those that are under way.
func (fs *flights) land(l landed) outcome {
	o := l.outcome
	if l.tool != nil {
		fs.under = slices.DeleteFunc(fs.under, func(f *flight) bool { return f == l.flight })
		l.cancel()
		o = fs.judge(l)
	}
	l.span.endTool(o, l.start.Add(l.took))
	return o
}

// expiry returns when the call is abandoned. A timeout of the tool's own moves it.
func (f *flight) expiry() time.Time {
	if c, ok := f.ctx.(*calltime.Context); ok && !f.fixed {
		return c.Until().Add(grace)
	}
	return f.until
}

// limit returns the time that the call had.
func (f *flight) limit() time.Duration {
	if c, ok := f.ctx.(*calltime.Context); ok {
		return c.Until().Sub(f.start)
	}
	return f.until.Sub(f.start) - grace
}

// abandon gives up the calls whose time is over, and waits for the next one's.
func (fs *flights) abandon() {
	next := time.Duration(-1)
	for _, f := range fs.under {
		if wait := time.Until(f.expiry()); wait > 0 {
			if next < 0 || wait < next {
				next = wait
			}
			continue
		}
		tenant := f.call.Scope().TenantID()
		fs.agent.abandoned.add(tenant, 1) // before its goroutine could count down
		if !f.over.CompareAndSwap(false, true) {
			fs.agent.abandoned.add(tenant, -1)
			continue
		}
		l := landed{flight: f}
		l.at()
		l.err = fmt.Errorf("agent: %s was cancelled, did not return and is abandoned: %w", f.call.Name(), f.ctx.Err())
		fs.ends <- l
	}
	if next > 0 {
		fs.arm(next)
	}
}

func (fs *flights) arm(d time.Duration) {
	fs.armed = true
	if fs.timer == nil {
		fs.timer = time.NewTimer(d)
		return
	}
	fs.timer.Reset(d)
}

// wait waits for the calls that are under way, which have been cancelled.
func (fs *flights) wait() {
	for len(fs.under) > 0 {
		fs.next(nil)
	}
	if fs.timer != nil {
		fs.timer.Stop()
	}
}
