package agent

import (
	"errors"
	"fmt"
	"slices"
)

// restoreFrom restores the state of c and returns the first phase.
func (r *run) restoreFrom(c *Checkpoint) (phase, error) {
	switch {
	case c.Run != r.in.Run:
		return nil, fmt.Errorf("the checkpoint belongs to another run, %.64q", c.Run)
	case c.scope.Partition() != r.in.Scope.Partition():
		return nil, errors.New("the checkpoint belongs to another scope")
	case c.Turns != len(r.turns):
		return nil, fmt.Errorf("the history has %d turns, but the checkpoint has %d", len(r.turns), c.Turns)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	at := c.at
	r.answers, r.usage, r.called, r.failing = at.Answers, at.Usage, at.Called, at.Failing
	if at.State != nil {
		r.state = at.State.Clone()
	}
	if at.Prompt != nil {
		r.prompt = at.Prompt
		r.addMessage(*at.Prompt)
	}
	r.last = c
	if at.Complete {
		r.value, r.reason = at.Output, at.StopReason
		return resumePhase{}, nil
	}
	b := c.openBatch()
	if b == nil {
		return askPhase{}, nil
	}
	r.resumed = b
	for _, call := range b.calls {
		r.callIDs[call.ID] = true
	}
	return resumePhase{batch: b}, nil
}

// closeResumed adds the turn of a resumed checkpoint to the history if the run ends before it has made the calls. It
// restores the turn if the input's history holds it. Otherwise it adds the turn if calls in it have results, so that
// the history does not lose them.
func (r *run) closeResumed() {
	b := r.resumed
	switch {
	case r.interruptedTurn != nil:
		r.turns = append(r.turns, *r.interruptedTurn)
	case b != nil && slices.ContainsFunc(b.calls, func(c batchCall) bool { return c.result != nil }):
		res := failedResult(interruptedCall)
		for i := range b.calls {
			b.calls[i].stopgap = &res
		}
		r.addTurn(b.answer, b.buildResults())
	}
}
