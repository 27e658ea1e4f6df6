package agent

import (
	"cmp"
	"errors"
)

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
	if r.answers >= limits.Turns {
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
		return finished{outcome: OutcomeCancelled, partial: ans.joinText()}, nil
	case err != nil:
		return nil, withPartial(err, ans.joinText())
	case len(ans.calls) == 0:
		return r.endWithText(ans)
	}
	return r.planCalls(set, ans)
}

// next makes the calls and adds the turn to the history, unless calls are pending.
func (p callPhase) next(r *run) (phase, error) {
	b := p.batch
	res, err := r.makeCalls(p.tools, b)
	if err != nil {
		return nil, err
	}
	hadTurn := r.interruptedTurn != nil
	r.resumed, r.interruptedTurn = nil, nil
	if res.isWaiting {
		if err := r.emitCheckpoint(r.newCheckpoint(b), nil); err != nil {
			return nil, err
		}
		if hadTurn { // a history never becomes shorter
			r.addTurn(b.answer, b.buildResults())
		}
		return finished{outcome: OutcomePending}, nil
	}
	if b.isOpen() {
		if res.hasSettled { // otherwise the checkpoint before the calls still holds
			r.keepCheckpoint(r.newCheckpoint(b))
		}
		r.addTurn(b.answer, b.buildResults())
		if res.fatal != nil {
			return nil, res.fatal
		}
		return finished{outcome: OutcomeCancelled}, nil
	}
	r.failing++
	if res.hasSucceeded {
		r.failing = 0
	}
	r.callErr = cmp.Or(res.err, b.invalid)
	switch {
	case res.hasSucceeded && r.isOutputCall(b.onlyCall()):
		value, err := r.out.tool.Validate(b.calls[0].Input) // the form that decodes into the caller's type
		if err != nil {
			return nil, outputMismatch(err)
		}
		r.value = value
		return r.commitTurn(b.answer, b.buildResults(), OutcomeComplete)
	case r.ctx.Err() != nil:
		return r.commitTurn(b.answer, b.buildResults(), OutcomeCancelled)
	}
	return r.commitTurn(b.answer, b.buildResults(), "")
}

// stuckError returns the error of a run that has used up Limits.Corrections.
func (r *run) stuckError() *RunError {
	n := r.agent.limits.Corrections
	failed := limitError("None of the model's tool calls succeeded in %d turns in a row.", n)
	if r.out != nil && r.prompt != nil {
		failed = limitError("The model did not answer in the requested form in %d turns in a row.", n)
	}
	failed.Err = r.callErr // invalid calls and typed answers do not have events with it
	return failed
}
