package agent

import "errors"

// phase is a state of a run's machine. A run alternates between askPhase and callPhase until it has finished. A run that
// resumes a checkpoint may begin with resumePhase.
type phase interface {
	// next does the work of the phase and returns the phase that follows. The error is a [*RunError] or errConsumerLeft.
	next(r *run) (phase, error)
}

type (
	// askPhase asks the model.
	askPhase struct{}

	// callPhase makes the calls of an answer.
	callPhase struct {
		tools toolset
		batch *batch
	}

	// resumePhase continues from a checkpoint in the middle of a turn or at the end of the run.
	resumePhase struct {
		batch *batch // nil if the run was complete
	}

	// finished is the end of a run that did not fail.
	finished struct {
		outcome Outcome
		partial string // the text of an incomplete answer
	}
)

func (p finished) next(*run) (phase, error) { return p, nil }

func (p resumePhase) next(r *run) (phase, error) {
	if p.batch == nil {
		if err := r.checkOutput(); err != nil {
			return nil, err
		}
		return finished{outcome: OutcomeComplete}, nil
	}
	set, end, err := r.resolveTools()
	if err != nil || end != nil {
		return end, err
	}
	return callPhase{set, p.batch}, nil
}

func (askPhase) next(r *run) (phase, error) {
	limits := r.agent.limits
	if r.ctx.Err() == nil && r.failing >= limits.Corrections {
		return nil, r.stuckError()
	}
	set, end, err := r.resolveTools()
	if err != nil || end != nil {
		return end, err
	}
	if r.turn >= limits.Turns {
		return nil, limitError("The model did not finish within %d turns.", limits.Turns)
	}
	if r.isOverBudget() {
		return nil, r.budgetError()
	}
	ans, err := r.ask(set)
	switch {
	case errors.Is(err, errConsumerLeft):
		return nil, err
	case r.ctx.Err() != nil && (err != nil || len(ans.calls) > 0):
		return finished{outcome: OutcomeCancelled, partial: ans.text()}, nil
	case err != nil:
		return nil, withPartial(err, ans.text())
	case len(ans.calls) == 0:
		return r.endWithText(ans)
	}
	return r.planCalls(set, ans)
}

// isOverBudget reports whether the run has used up Limits.Tokens.
func (r *run) isOverBudget() bool {
	budget := r.agent.limits.Tokens
	return budget > 0 && r.usage.total() >= budget
}

func (r *run) budgetError() *RunError {
	return limitError("The run has used its budget of %d tokens.", r.agent.limits.Tokens)
}

// endWithText returns the phase after an answer without calls, which ends the run unless it was paused or a typed answer
// is missing.
func (r *run) endWithText(ans *answer) (phase, error) {
	switch {
	case r.reason == StopPauseTurn && !r.isStructured(): // takeStructured checks whether the answer is complete
		return r.askAgain(ans.message(), continueRequest)
	case r.out == nil:
		return r.commitTurn(ans.message(), nil, OutcomeComplete)
	case r.isStructured():
		return r.takeStructured(ans)
	}
	return r.askForOutput(ans.message())
}

// planCalls checks that the calls of an answer fit the limits, yields a checkpoint and returns the phase that makes them.
func (r *run) planCalls(set toolset, ans *answer) (phase, error) {
	limits := r.agent.limits
	n := len(ans.calls)
	for _, c := range ans.calls {
		if r.isOutputCall(c.Name) {
			n--
		}
	}
	switch {
	case r.turn == limits.Turns && n > 0:
		return nil, withPartial(limitError("The model did not finish within %d turns.", limits.Turns), ans.text())
	case n > 0 && r.isOverBudget():
		return nil, withPartial(r.budgetError(), ans.text())
	case r.called+n > limits.Calls:
		return nil, withPartial(limitError("The model wanted to make more than %d tool calls.", limits.Calls), ans.text())
	}
	r.called += n
	b := r.newBatch(set, ans)
	if len(b.calls) > 0 {
		if err := r.emitCheckpoint(r.checkpoint(b), nil); err != nil {
			return nil, err
		}
	}
	return callPhase{set, b}, nil
}

// next makes the calls and adds the turn to the history, unless calls are pending.
func (p callPhase) next(r *run) (phase, error) {
	b := p.batch
	res, err := r.makeCalls(p.tools, b)
	if err != nil {
		return nil, err
	}
	hadTurn := r.closed != nil
	r.resumed, r.closed = nil, nil
	if res.isWaiting {
		if err := r.emitCheckpoint(r.checkpoint(b), nil); err != nil {
			return nil, err
		}
		if hadTurn { // a history never becomes shorter
			r.addTurn(b.answer, b.results())
		}
		return finished{outcome: OutcomePending}, nil
	}
	if b.isOpen() {
		if res.hasSettled { // otherwise the checkpoint before the calls still holds
			r.keepCheckpoint(r.checkpoint(b))
		}
		r.addTurn(b.answer, b.results())
		if res.fatal != nil {
			return nil, res.fatal
		}
		return finished{outcome: OutcomeCancelled}, nil
	}
	r.failing++
	if res.hasSucceeded {
		r.failing = 0
	}
	r.callErr = res.err
	switch {
	case res.hasSucceeded && r.isOutputCall(b.onlyCall()):
		value, err := r.out.tool.Validate(b.calls[0].Input) // the form that decodes into the caller's type
		if err != nil {
			return nil, outputMismatch(err)
		}
		r.value = value
		return r.commitTurn(b.answer, b.results(), OutcomeComplete)
	case r.ctx.Err() != nil:
		return r.commitTurn(b.answer, b.results(), OutcomeCancelled)
	}
	return r.commitTurn(b.answer, b.results(), "")
}
