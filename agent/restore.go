package agent

import (
	"errors"
	"fmt"
)

// checkpoint returns the present moment of the run; w is the work that is left in this turn, or nil.
func (r *run) checkpoint(w *work) *Checkpoint {
	c := &Checkpoint{
		Run: r.in.Run, Scope: r.in.Scope, Turns: len(r.turns), turn: r.turn, prompt: r.prompt, state: r.state.Clone(),
		usage: r.usage, called: r.called, failing: r.failing,
	}
	if w == nil {
		return c
	}
	c.answer = &w.answer
	for _, j := range w.jobs {
		call := callState{index: j.index, result: j.result}
		if j.result == nil {
			call.key = j.key
		}
		c.calls = append(c.calls, call)
	}
	for _, n := range w.notes {
		c.notes = append(c.notes, n.Text)
	}
	return c
}

// keep remembers the present moment as the one that the run is resumed from. A run without an id has none.
func (r *run) keep(w *work) {
	if r.in.Run != "" {
		r.last = r.checkpoint(w)
	}
}

// save keeps the present moment and yields it. It returns false if the consumer has left.
func (r *run) save(w *work, ended *Turn) bool {
	if r.in.Run == "" {
		return true
	}
	r.keep(w)
	if r.over {
		r.last.Complete, r.last.output = true, r.value
	}
	return r.emit(Checkpointed{Checkpoint: r.last, Ended: ended})
}

// resumeFrom returns the checkpoint of Done: the last one, with what the run has cost since.
func (r *run) resumeFrom() *Checkpoint {
	if r.last == nil {
		return nil
	}
	c := *r.last
	c.usage = r.usage
	return &c
}

// restore goes on from c.
func (r *run) restore(c *Checkpoint) error {
	switch {
	case c.Run != r.in.Run:
		return fmt.Errorf("it is of another run, %.64q", c.Run)
	case c.Scope.Partition() != r.in.Scope.Partition():
		return errors.New("it is of another scope")
	case c.Turns != len(r.turns):
		return fmt.Errorf("the history has %d turns, and had %d", len(r.turns), c.Turns)
	}
	if err := c.check(); err != nil {
		return err
	}
	r.turn, r.usage, r.called, r.failing = c.turn, c.usage, c.called, c.failing
	if c.state != nil {
		r.state = c.state.Clone()
	}
	if c.prompt != nil {
		r.prompt = c.prompt
		r.say(*c.prompt)
	}
	r.last = c
	if c.Complete {
		r.over, r.value = true, c.output
		return nil
	}
	if c.answer == nil {
		return nil
	}
	w := &work{answer: *c.answer}
	for i, u := range c.uses() {
		r.ids[u.ID] = true
		w.jobs = append(w.jobs, job{ToolUse: *u, index: c.calls[i].index, key: c.calls[i].key, result: c.calls[i].result})
	}
	for _, n := range c.notes {
		w.notes = append(w.notes, Part{Text: n})
	}
	r.resumed = w
	return nil
}
