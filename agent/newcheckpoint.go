package agent

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
