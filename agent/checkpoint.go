package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// Checkpoint is a moment from which a run can be resumed, in this process or another: see [Checkpointed],
// [Done] and [Input].Resume. A resumed run keeps the results that the checkpoint holds, and makes the calls whose
// results it lacks with the idempotency keys that it holds. Effects that heed their key therefore happen once, however
// often a run is resumed.
//
// A checkpoint is immutable and is stored with [Checkpoint.Encode]. It contains calls, with their arguments and keys,
// that a resumed run makes without asking the model again. A person who can alter it controls what the tools do within
// the scope. Keep it on the server, or authenticate it before it is decoded, for example with an HMAC over the bytes.
type Checkpoint struct {
	// Run and Scope identify the run. Every other run rejects the checkpoint.
	Run   string
	Scope scope.Scope
	// Turns is the number of turns that the history had, see [Input].Resume.
	Turns int
	// Complete reports whether the run has ended with [OutcomeComplete]. If it is resumed, it ends so again without a
	// request to the model.
	Complete bool

	turn            int          // answers that the model has given in the run
	prompt          *Message     // sent to the model and not in the history yet; may be nil
	answer          *Message     // the answer with calls to make; nil at the end of a turn
	calls           []callState  // the calls in answer, in order
	notes           []string     // what the model is told of calls that could not be read
	state           *tools.State // what the tools remember
	usage           Usage        // of the run so far
	called, failing int          // what the run has used of its Limits
	output          json.RawMessage
	trace           string // the span of the run, see traceParent
}

// callState is how far a call of a checkpoint has come.
type callState struct {
	index  int           // the call's place in the model's answer, unreadable calls included
	key    string        // the idempotency key of a call that is still to be made
	result *tools.Result // nil if the call is still to be made
}

// Pending returns the calls that are still to be made, in order.
func (c *Checkpoint) Pending() []ToolUse {
	var out []ToolUse
	for i, u := range c.uses() {
		if i < len(c.calls) && c.calls[i].result == nil {
			out = append(out, *u)
		}
	}
	return out
}

// uses returns the calls in the answer.
func (c *Checkpoint) uses() []*ToolUse {
	if c.answer == nil {
		return nil
	}
	return slices.Collect(Turn{Messages: []Message{*c.answer}}.uses())
}

var keyGrammar = regexp.MustCompile(`^[0-9a-f]{64}$`)

// check returns an error if c is not a moment of any run.
func (c *Checkpoint) check() error {
	uses := c.uses()
	switch {
	case c.Run == "":
		return errors.New("no run")
	case !utf8.ValidString(c.Run):
		return errors.New("the run's id is not UTF-8")
	case min(c.turn, c.Turns, c.called, c.failing) < 0,
		min(c.usage.Input, c.usage.Output, c.usage.CacheRead, c.usage.CacheWrite) < 0:
		return errors.New("a count is negative")
	case max(c.turn, c.called, c.failing) > math.MaxInt32: // no run comes this far, and beyond it sums could wrap around
		return errors.New("a count is too large")
	case c.turn == 0 && (c.answer != nil || c.Complete):
		return errors.New("an answer, and no turn")
	case len(uses) != len(c.calls):
		return fmt.Errorf("%d calls in the answer, and the state of %d", len(uses), len(c.calls))
	case c.answer != nil && len(uses) == 0:
		return errors.New("an answer without calls")
	case c.Complete && (c.answer != nil || c.prompt != nil):
		return errors.New("complete, and not at its end")
	case c.output != nil && !c.Complete:
		return errors.New("an output, and not complete")
	}
	if err := checkCalls(c.calls); err != nil {
		return err
	}
	if _, err := parseTraceParent(c.trace); err != nil {
		return err
	}
	t := c.openTurn()
	if len(t.Messages) == 0 {
		return nil
	}
	return t.check()
}

// checkCalls returns an error unless the calls are in order and exactly those without a result have a key.
func checkCalls(calls []callState) error {
	last, keys := -1, map[string]bool{}
	for _, call := range calls {
		switch {
		case call.index <= last:
			return errors.New("the calls are not in order")
		case call.result != nil && call.key != "":
			return errors.New("a call has a result and a key")
		case call.result == nil && !keyGrammar.MatchString(call.key):
			return fmt.Errorf("a call has the invalid key %.80q", call.key)
		case call.result == nil && keys[call.key]:
			return errors.New("two calls have the same key")
		}
		last, keys[call.key] = call.index, true
	}
	return nil
}

// openTurn returns the turn that c leads to, with an empty result in the place of each that is missing.
func (c *Checkpoint) openTurn() Turn {
	var t Turn
	if c.prompt != nil {
		t.Messages = append(t.Messages, *c.prompt)
	}
	if c.answer == nil {
		return t
	}
	results := Message{Role: RoleUser}
	for i, u := range c.uses() {
		r := &ToolResult{ID: u.ID}
		if had := c.calls[i].result; had != nil {
			r.Result = *had
		}
		results.Parts = append(results.Parts, Part{Result: r})
	}
	for _, n := range c.notes {
		results.Parts = append(results.Parts, Part{Text: n})
	}
	t.Messages = append(t.Messages, *c.answer, results)
	return t
}

// countTurns returns the number of turns before c. A run that was stopped among its calls has closed their turn in its
// history, so that another prompt may follow; when it is resumed instead, that turn is made anew. No other turn is
// left out: restore rejects a history of another length. e encodes what lies in the run's scope.
func (c *Checkpoint) countTurns(turns []Turn, e encoder) int {
	if c.answer == nil || c.Turns < 0 || len(turns) != c.Turns+1 {
		return len(turns)
	}
	open, closed := c.openTurn().Messages, turns[c.Turns].Messages
	if len(open) != len(closed) {
		return len(turns)
	}
	for i := range len(open) - 1 { // all but the results
		if !e.equal(open[i], closed[i]) {
			return len(turns)
		}
	}
	return c.Turns
}
