package agent

import (
	"errors"
	"fmt"
	"slices"
)

// checkpoint returns a checkpoint of the present moment. b is the batch with calls to make, or nil.
func (r *run) checkpoint(b *batch) *Checkpoint {
	c := &Checkpoint{
		Run: r.in.Run, Scope: r.in.Scope, Turns: len(r.turns), turn: r.turn, prompt: r.prompt, state: r.state.Clone(),
		usage: r.usage, called: r.called, failing: r.failing, trace: traceParent(r.ctx),
	}
	if b == nil {
		return c
	}
	c.answer = &b.answer
	c.calls = make([]callState, 0, len(b.calls))
	for _, call := range b.calls {
		state := callState{index: call.index, result: call.result}
		if call.result == nil {
			state.key = call.key
		}
		c.calls = append(c.calls, state)
	}
	for _, n := range b.notes {
		c.notes = append(c.notes, n.Text)
	}
	return c
}

// keepCheckpoint makes c the checkpoint of Done. A run without an id has none.
func (r *run) keepCheckpoint(c *Checkpoint) {
	if r.in.Run != "" {
		r.last = c
	}
}

// emitCheckpoint keeps c and yields it with the turn that has just ended, if any. A run without an id yields nothing.
func (r *run) emitCheckpoint(c *Checkpoint, ended *Turn) error {
	if r.in.Run == "" {
		return nil
	}
	r.last = c
	return r.emit(Checkpointed{Checkpoint: c, Ended: ended})
}

// resumeFrom returns the checkpoint of Done: the latest one, with what the run has cost since.
func (r *run) resumeFrom() *Checkpoint {
	if r.last == nil {
		return nil
	}
	c := *r.last
	c.usage = r.usage
	return &c
}

// restore goes on from c and returns the phase that does so.
func (r *run) restore(c *Checkpoint) (phase, error) {
	switch {
	case c.Run != r.in.Run:
		return nil, fmt.Errorf("it is of another run, %.64q", c.Run)
	case c.Scope.Partition() != r.in.Scope.Partition():
		return nil, errors.New("it is of another scope")
	case c.Turns != len(r.turns):
		return nil, fmt.Errorf("the history has %d turns, and had %d", len(r.turns), c.Turns)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	r.turn, r.usage, r.called, r.failing = c.turn, c.usage, c.called, c.failing
	if c.state != nil {
		r.state = c.state.Clone()
	}
	if c.prompt != nil {
		r.prompt = c.prompt
		r.addMessage(*c.prompt)
	}
	r.last = c
	if c.Complete {
		r.value = c.output
		return resumePhase{}, nil
	}
	if c.answer == nil {
		return askPhase{}, nil
	}
	b := &batch{answer: *c.answer}
	r.resumed = b
	for i, u := range c.uses() {
		r.callIDs[u.ID] = true
		b.calls = append(b.calls, batchCall{ToolUse: *u, index: c.calls[i].index, key: c.calls[i].key, result: c.calls[i].result})
	}
	for _, n := range c.notes {
		b.notes = append(b.notes, Part{Text: n})
	}
	return resumePhase{batch: b}, nil
}

// closeResumed adds the turn of a resumed checkpoint to the history if the run ends before it has made the calls. A turn
// that the input's history holds comes back as it was. Otherwise the turn is added if calls in it have run, so that the
// history does not lose them.
func (r *run) closeResumed() {
	b := r.resumed
	switch {
	case r.closed != nil:
		r.turns = append(r.turns, *r.closed)
	case b != nil && slices.ContainsFunc(b.calls, func(c batchCall) bool { return c.result != nil }):
		res := failedResult("Interrupted: the run was stopped. Whether the call took effect is not known.")
		for i := range b.calls {
			b.calls[i].stopgap = &res
		}
		r.addTurn(b.answer, b.results())
	}
}
