package agent

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// Agent is a model with its instructions, tools and limits. It is immutable and safe for concurrent use: what
// belongs to one run is in that run's [Input] and nowhere else.
type Agent struct {
	model  Model
	system string
	tools  tools.Set
	limits Limits
	audit  scope.Auditor // may be nil

	abandoned atomic.Int64
}

// Options configure an [Agent]. A nil *Options is valid.
type Options struct {
	// System is the system prompt. Default: none.
	System string
	// Tools are what the model may call; the set is resolved for the run's scope at each turn. Default: none.
	Tools tools.Set
	// Limits bound each run. Default: see Limits.
	Limits Limits
	// Audit is told of each call that the agent refuses: of a tool that was not offered, with arguments that its
	// schema does not have, or that cannot be read. Default: nobody is told.
	Audit scope.Auditor
}

// New makes an agent. It refuses a nil model, a negative limit and a set of tools that cannot be resolved.
func New(m Model, o *Options) (*Agent, error) {
	if m == nil {
		return nil, errors.New("agent: the model is nil")
	}
	if o == nil {
		o = &Options{}
	}
	if err := o.Tools.Err(); err != nil {
		return nil, err
	}
	l, err := o.Limits.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Agent{model: m, system: o.System, tools: o.Tools, limits: l, audit: o.Audit}, nil
}

// Input is what one run starts from.
type Input struct {
	// Scope is whose data the tools may touch. An agent with tools refuses the zero Scope.
	Scope scope.Scope
	// Run is the run's id, which the calls' idempotency keys are made from. Without one they are empty.
	Run string
	// Prompt is what the model is told. It may be blank only where the history ends with something that the model
	// has not answered, results above all: then the run goes on from there.
	Prompt string
	// History is the conversation before this run.
	History History
}

// Stream runs the loop. Each range over the sequence is a run of its own, in the caller's goroutine.
//
// The last pair is either a [Done] with a nil error, or a nil Event with a [*RunError]. Leaving the loop earlier
// cancels the run, waits for its goroutines and yields nothing more. A ctx that ends gives a Done whose Stop is
// [Cancelled].
//
// A tool that does not return within two seconds of being cancelled is abandoned: its result is lost, the run goes
// on without it, and it counts in [Agent.Abandoned] until it returns.
func (a *Agent) Stream(ctx context.Context, in Input) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		r := &run{agent: a, in: in, ctx: ctx, cancel: cancel, yield: yield}
		stop, failed := r.loop()
		if r.left {
			return
		}
		done := Done{Stop: stop, History: History{Turns: r.turns}, Usage: r.usage}
		if failed != nil {
			failed.Done = done
			yield(nil, failed)
			return
		}
		yield(done, nil)
	}
}

// Run is [Agent.Stream] drained. Its error is a [*RunError], and then Done is the same as the error's.
func (a *Agent) Run(ctx context.Context, in Input) (Done, error) {
	var done Done
	for ev, err := range a.Stream(ctx, in) {
		if err != nil {
			if failed, ok := errors.AsType[*RunError](err); ok {
				done = failed.Done
			}
			return done, err
		}
		if d, ok := ev.(Done); ok {
			done = d
		}
	}
	return done, nil
}

// Abandoned is how many tools are running now although their calls have ended, because they do not heed their
// context. A number that stays above zero is a leak in a tool.
func (a *Agent) Abandoned() int { return int(a.abandoned.Load()) }
