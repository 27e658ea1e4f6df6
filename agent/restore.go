package agent

import (
	"errors"
	"fmt"
	"slices"
)

// newCheckpoint returns a checkpoint of the present moment. b is the batch with pending calls, or nil.
func (r *run) newCheckpoint(b *batch) *Checkpoint {
	at := moment{Answers: r.answers, Prompt: r.prompt, State: r.state.Clone(), Usage: r.usage, Called: r.called,
		Failing: r.failing, Trace: traceParent(r.ctx)}
	if b != nil {
		at.Answer = &b.answer
		at.Calls = make([]callState, 0, len(b.calls))
		for _, call := range b.calls {
			state := callState{Index: call.index, Result: call.result}
			if call.result == nil {
				state.Key = call.key
			}
			at.Calls = append(at.Calls, state)
		}
		for _, n := range b.notes {
			at.Notes = append(at.Notes, n.Text)
		}
	}
	return &Checkpoint{Run: r.in.Run, Turns: len(r.turns), scope: r.in.Scope, at: at}
}

// keepCheckpoint makes c the checkpoint of Done, unless the run does not have an id.
func (r *run) keepCheckpoint(c *Checkpoint) {
	if r.in.Run != "" {
		r.last = c
	}
}

// emitCheckpoint keeps c and yields it with the turn that has just ended, if any, unless the run does not have an id.
func (r *run) emitCheckpoint(c *Checkpoint, ended *Turn) error {
	if r.in.Run == "" {
		return nil
	}
	r.last = c
	return r.emit(Checkpointed{Checkpoint: c, Ended: ended})
}

// resumeFrom returns the checkpoint of Done: the latest one, with the usage since then.
func (r *run) resumeFrom() *Checkpoint {
	if r.last == nil {
		return nil
	}
	c := *r.last
	c.at.Usage = r.usage
	return &c
}

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
