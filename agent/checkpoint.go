package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// Checkpoint is a moment of a run, and all that is needed to go on from it beside the history: see [Checkpointed] and
// [Input].Resume. A resumed run makes the calls whose results it lacks with the idempotency keys that they had, so
// effects that heed their key happen once however often a run is resumed.
//
// It is immutable, and is stored with [Checkpoint.Encode].
type Checkpoint struct {
	// Run and Scope are the run's; it is refused by every other.
	Run   string
	Scope scope.Scope
	// Turn is how many answers the model has given in the run.
	Turn int
	// Turns is how many turns the history had: the run is resumed with the first Turns of them, and is refused with
	// another number. (Where the turn behind them was stored as well, and the next checkpoint was not, the resumed run
	// makes the turn again, to the same effect.)
	Turns int
	// Prompt is what was said to the model and is not in the history yet; nil if nothing is.
	Prompt *Message
	// Answer is the model's answer whose calls are to be run; nil at the end of a turn.
	Answer *Message
	// Calls are the calls in Answer, in order.
	Calls []CallState
	// Notes are what the model is told of calls that could not be read.
	Notes []string
	// State is what the tools remember.
	State *tools.State
	// Usage is what the run has cost so far.
	Usage Usage
	// Called and Failing are what it has used of its Limits: how many calls it has made, those of Answer included, and
	// in how many turns in a row none succeeded.
	Called, Failing int
	// Complete says that the run is at its end. Resumed, it says so again and asks nothing.
	Complete bool
	// Output is the typed answer of a run that is Complete; nil where there is none.
	Output json.RawMessage
}

// CallState is how far a call of a [Checkpoint] has come.
type CallState struct {
	// Index is the call's place in the model's answer, those counted that could not be read.
	Index int
	// Result is what it gave; nil if it is still to be made.
	Result *tools.Result
}

// Pending are the calls that are still to be made, in order.
func (c *Checkpoint) Pending() []ToolUse {
	var out []ToolUse
	for i, u := range c.uses() {
		if i < len(c.Calls) && c.Calls[i].Result == nil {
			out = append(out, *u)
		}
	}
	return out
}

// uses are the calls in Answer.
func (c *Checkpoint) uses() []*ToolUse {
	if c.Answer == nil {
		return nil
	}
	return slices.Collect(Turn{Messages: []Message{*c.Answer}}.uses())
}

// check says why c is no moment of any run, if it is none.
func (c *Checkpoint) check() error {
	uses := c.uses()
	switch {
	case c.Run == "":
		return errors.New("no run")
	case !utf8.ValidString(c.Run):
		return errors.New("the run's id is not UTF-8")
	case min(c.Turn, c.Turns, c.Called, c.Failing) < 0, min(c.Usage.Input, c.Usage.Output, c.Usage.CacheRead, c.Usage.CacheWrite) < 0:
		return errors.New("a count is negative")
	case max(c.Turn, c.Called, c.Failing) > math.MaxInt32: // no run comes this far, and beyond it sums could wrap around
		return errors.New("a count is too large")
	case c.Turn == 0 && (c.Answer != nil || c.Complete):
		return errors.New("an answer, and no turn")
	case len(uses) != len(c.Calls):
		return fmt.Errorf("%d calls in the answer, and the state of %d", len(uses), len(c.Calls))
	case c.Answer != nil && len(uses) == 0:
		return errors.New("an answer without calls")
	case c.Complete && (c.Answer != nil || c.Prompt != nil):
		return errors.New("complete, and not at its end")
	case c.Output != nil && !c.Complete:
		return errors.New("an output, and not complete")
	}
	last := -1
	for _, call := range c.Calls {
		if call.Index <= last {
			return errors.New("the calls are not in order")
		}
		last = call.Index
	}
	t := c.turn()
	if len(t.Messages) == 0 {
		return nil
	}
	return t.check()
}

// turn is the turn that c leads to, with an empty result in the place of each that is missing.
func (c *Checkpoint) turn() Turn {
	var t Turn
	if c.Prompt != nil {
		t.Messages = append(t.Messages, *c.Prompt)
	}
	if c.Answer == nil {
		return t
	}
	results := Message{Role: User}
	for i, u := range c.uses() {
		r := &ToolResult{ID: u.ID}
		if had := c.Calls[i].Result; had != nil {
			r.Result = *had
		}
		results.Parts = append(results.Parts, Part{Result: r})
	}
	for _, n := range c.Notes {
		results.Parts = append(results.Parts, Part{Text: n})
	}
	t.Messages = append(t.Messages, *c.Answer, results)
	return t
}

// checkpoint is the run as it stands; w is the work that is still to be done in this turn, or nil.
func (r *run) checkpoint(w *work) *Checkpoint {
	c := &Checkpoint{
		Run: r.in.Run, Scope: r.in.Scope, Turn: r.turn, Turns: len(r.turns), Prompt: r.prompt, State: r.state.Clone(),
		Usage: r.usage, Called: r.called, Failing: r.failing,
	}
	if w == nil {
		return c
	}
	c.Answer = &w.answer
	for _, j := range w.jobs {
		c.Calls = append(c.Calls, CallState{Index: j.index, Result: j.result})
	}
	for _, n := range w.notes {
		c.Notes = append(c.Notes, n.Text)
	}
	return c
}

// restore takes up what c holds.
func (r *run) restore(c *Checkpoint) error {
	switch {
	case c.Run != r.in.Run:
		return fmt.Errorf("it is of another run, %.64q", c.Run)
	case c.Scope != r.in.Scope:
		return errors.New("it is of another scope")
	case c.Turns != len(r.turns):
		return fmt.Errorf("the history has %d turns, and had %d", len(r.turns), c.Turns)
	}
	if err := c.check(); err != nil {
		return err
	}
	r.turn, r.usage, r.called, r.failing = c.Turn, c.Usage, c.Called, c.Failing
	if c.State != nil {
		r.state = c.State.Clone()
	}
	if c.Prompt != nil {
		r.prompt = c.Prompt
		r.say(*c.Prompt)
	}
	if c.Complete {
		r.over, r.value = true, c.Output
		return nil
	}
	if c.Answer == nil {
		return nil
	}
	w := &work{answer: *c.Answer}
	for i, u := range c.uses() {
		if r.ids[u.ID] {
			return fmt.Errorf("the call %q is in the history", u.ID)
		}
		r.ids[u.ID] = true
		w.jobs = append(w.jobs, job{ToolUse: *u, index: c.Calls[i].Index, result: c.Calls[i].Result})
	}
	for _, n := range c.Notes {
		w.notes = append(w.notes, Part{Text: n})
	}
	r.resumed = w
	return nil
}
