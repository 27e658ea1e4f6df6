package agent

import (
	"context"
	"errors"
	"iter"
)

// Stream runs the loop. Each range over the sequence is a separate run, in the caller's goroutine.
//
// The last pair is either a [Done] with a nil error, or a nil Event with a [*RunError]. Leaving the loop earlier
// cancels the run and waits for its goroutines. If ctx ends, the Outcome of Done is [OutcomeCancelled]. If a call waits
// for an approval, it is [OutcomePending].
//
// A tool that does not return within two seconds of being cancelled is abandoned: its result is lost, the run
// continues, and its goroutine counts in [Agent.Abandoned] until it returns. A run waits for everything else that it
// starts.
func (a *Agent) Stream(ctx context.Context, in Input) iter.Seq2[Event, error] {
	return a.streamTyped(ctx, in, nil)
}

// streamTyped is Stream with a typed answer, unless out is nil.
func (a *Agent) streamTyped(ctx context.Context, in Input, out *typedOutput) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		ctx, span := a.tel.startRun(ctx, in)
		r := &run{agent: a, in: in, out: out, ctx: ctx, cancel: cancel, yield: yield}
		errorType := "left" // of a consumer that leaves or panics
		defer func() { span.endRun(errorType, r.runTotals) }()
		end, err := r.runPhases()
		r.yieldEnd(end, err, &errorType)
	}
}

// yieldEnd yields the last pair of the stream unless the consumer has left, and sets the error type of the run before.
func (r *run) yieldEnd(end finished, err error, errorType *string) {
	failed, isFailed := errors.AsType[*RunError](err)
	switch {
	case isFailed:
		*errorType, end.partial = string(failed.Code), failed.Done.Partial
	case err != nil: // the consumer has left
		return
	default:
		*errorType = end.outcome.errorType()
		if r.out != nil && end.outcome != OutcomeComplete {
			failed = incompleteError(r.ctx, end.outcome)
		}
	}
	done := r.newDone(end)
	if failed != nil {
		failed.Done = done
		r.yield(nil, failed)
		return
	}
	r.yield(done, nil)
}

// Run reads [Agent.Stream] to its end. If it returns an error, that is a [*RunError] with the same Done.
func (a *Agent) Run(ctx context.Context, in Input) (Done, error) {
	return drainRun(a.Stream(ctx, in))
}

// drainRun reads a run to its end.
func drainRun(events iter.Seq2[Event, error]) (Done, error) {
	var done Done
	for ev, err := range events {
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

// Abandoned returns the number of tool calls that did not return when their context ended and are still running. A
// number that stays above zero is a leak in a tool. At most 64 calls of all tenants may be abandoned, and 16 of one
// tenant: beyond that calls are not made, and the model receives a failed result, until some of them have returned.
func (a *Agent) Abandoned() int { return a.abandoned.count() }

// runPhases runs phase after phase until the run has finished or failed. The error is a [*RunError] or errConsumerLeft.
func (r *run) runPhases() (finished, error) {
	defer r.closeResumed()
	defer r.closeCalls()
	p, err := r.start()
	if err != nil {
		return finished{}, err
	}
	for {
		if end, ok := p.(finished); ok {
			return end, nil
		}
		if p, err = p.next(r); err != nil {
			return finished{}, err
		}
	}
}

func (r *run) newDone(end finished) Done {
	d := Done{Outcome: end.outcome, History: History{Turns: r.turns, State: r.state.Clone()}, Usage: r.usage,
		StopReason: r.reason, Partial: end.partial, Skipped: r.skipped, OmittedMedia: r.omittedMedia,
		CompactErr: r.compactErr, Checkpoint: r.resumeFrom()}
	if end.outcome == OutcomeComplete {
		d.Output = r.value
	}
	if b, err := d.History.State.MarshalJSON(); err == nil && string(b) == "{}" {
		d.History.State = nil
	}
	return d
}
