package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// Checkpoint is a moment from which a run can be resumed, in this process or another: see [Checkpointed], [Done] and
// [Input].Resume. A resumed run keeps the results that the checkpoint holds, and makes the pending calls with the
// idempotency keys that it holds. A tool that honours the key therefore takes effect once, however often a run is
// resumed.
//
// A checkpoint is immutable and is stored as JSON. It contains calls, with their arguments and keys, that a resumed run
// makes without asking the model again. A person who can alter it controls the tools within the scope. Keep it on the
// server, or authenticate it before it is decoded, for example with an HMAC over the bytes.
type Checkpoint struct {
	// Run identifies the run within its scope. A run with another id or scope rejects the checkpoint.
	Run string
	// Turns is the number of turns that the history had, see [Input].Resume.
	Turns int

	scope scope.Scope // of the run
	at    moment
}

// moment is the state that a run needs to resume.
type moment struct {
	Answers  int             `json:"answers"`          // number of the model's answers in the run
	Prompt   *Message        `json:"prompt,omitempty"` // sent to the model and not in the history yet
	Answer   *Message        `json:"answer,omitempty"` // the answer with pending calls; nil at the end of a turn
	Calls    []callState     `json:"calls,omitempty"`  // the calls in Answer, in order
	Notes    []string        `json:"notes,omitempty"`  // explain to the model which calls were invalid
	State    *tools.State    `json:"state,omitempty"`  // of the tools
	Usage    Usage           `json:"usage"`            // of the run so far
	Called   int             `json:"called"`           // counts towards Limits.Calls
	Failing  int             `json:"failing"`          // counts towards Limits.Corrections
	Complete bool            `json:"complete,omitempty"`
	Output   json.RawMessage `json:"output,omitempty"` // the typed answer of a run that is complete
	Trace    string          `json:"trace,omitempty"`  // the span of the run, see traceParent
	// StopReason is that of the last answer of a run that is complete.
	StopReason StopReason `json:"stop_reason,omitempty"`
}

type callState struct {
	Index  int           `json:"index"`            // the call's place in the model's answer, invalid calls included
	Key    string        `json:"key,omitempty"`    // the idempotency key of a pending call
	Result *tools.Result `json:"result,omitempty"` // nil if the call is pending
}

// Pending returns the calls that have not been made, in order.
func (c *Checkpoint) Pending() []ToolUse {
	var out []ToolUse
	for i, u := range c.listUses() {
		if i < len(c.at.Calls) && c.at.Calls[i].Result == nil {
			out = append(out, *u)
		}
	}
	return out
}

// Result returns the result of a call that has been made, beside which others are pending. It returns false for other
// ids.
func (c *Checkpoint) Result(call string) (tools.Result, bool) {
	for i, u := range c.listUses() {
		if u.ID == call && i < len(c.at.Calls) && c.at.Calls[i].Result != nil {
			return *c.at.Calls[i].Result, true
		}
	}
	return tools.Result{}, false
}

// Close returns the turn of the checkpoint for a history without the calls that wait: each of them has a failed result
// with this text. It returns false at the end of a turn.
func (c *Checkpoint) Close(text string) (t Turn, ok bool) {
	b := c.openBatch()
	if b == nil {
		return t, false
	}
	res := failedResult(text)
	for i := range b.calls {
		b.calls[i].stopgap = &res
	}
	t = c.openTurn()
	t.Messages[len(t.Messages)-1] = *b.buildResults()
	return t, true
}

// State returns a copy of the tools' memory at this moment, which is part of the checkpoint.
func (c *Checkpoint) State() *tools.State {
	if c.at.State == nil {
		return &tools.State{}
	}
	return c.at.State.Clone()
}

// listUses returns the calls in the answer.
func (c *Checkpoint) listUses() (uses []*ToolUse) {
	if c.at.Answer == nil {
		return nil
	}
	for _, p := range c.at.Answer.Parts {
		if p.Use != nil {
			uses = append(uses, p.Use)
		}
	}
	return uses
}

var keyGrammar = regexp.MustCompile(`^[0-9a-f]{64}$`)

// check returns an error unless a run can reach c.
func (c *Checkpoint) check() error {
	uses := c.listUses()
	switch {
	case c.Run == "":
		return errors.New("the run's id is missing")
	case !utf8.ValidString(c.Run):
		return errors.New("the run's id is not UTF-8")
	case min(c.at.Answers, c.Turns, c.at.Called, c.at.Failing) < 0,
		min(c.at.Usage.Input, c.at.Usage.Output, c.at.Usage.CacheRead, c.at.Usage.CacheWrite) < 0:
		return errors.New("a count is negative")
	case max(c.at.Answers, c.at.Called, c.at.Failing) > math.MaxInt32: // sums must not overflow
		return errors.New("a count is too large")
	case c.at.Answers == 0 && (c.at.Answer != nil || c.at.Complete):
		return errors.New("there is an answer, but the count of answers is 0")
	case len(uses) != len(c.at.Calls):
		return fmt.Errorf("the answer has %d calls, but there are %d call states", len(uses), len(c.at.Calls))
	case c.at.Answer != nil && len(uses) == 0:
		return errors.New("the answer does not have calls")
	case c.at.Complete && (c.at.Answer != nil || c.at.Prompt != nil):
		return errors.New("a complete run has an answer or a prompt")
	case c.at.Output != nil && !c.at.Complete:
		return errors.New("a run that is not complete has an output")
	case c.at.StopReason != "" && !c.at.Complete:
		return errors.New("a run that is not complete has a stop reason")
	}
	if err := checkCalls(c.at.Calls); err != nil {
		return err
	}
	if _, err := parseTraceParent(c.at.Trace); err != nil {
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
		case call.Index <= last:
			return errors.New("the calls are not in order")
		case call.Result != nil && call.Key != "":
			return errors.New("a call has a result and a key")
		case call.Result == nil && !keyGrammar.MatchString(call.Key):
			return fmt.Errorf("a call has the invalid key %.80q", call.Key)
		case call.Result == nil && keys[call.Key]:
			return errors.New("two calls have the same key")
		}
		last, keys[call.Key] = call.Index, true
	}
	return nil
}

// openTurn returns the turn of c, with an empty result for each pending call.
func (c *Checkpoint) openTurn() Turn {
	var t Turn
	if c.at.Prompt != nil {
		t.Messages = append(t.Messages, *c.at.Prompt)
	}
	if b := c.openBatch(); b != nil {
		t.Messages = append(t.Messages, b.answer, *b.buildResults())
	}
	return t
}

// openBatch returns the answer of c with its calls, or nil if c is at the end of a turn.
func (c *Checkpoint) openBatch() *batch {
	if c.at.Answer == nil {
		return nil
	}
	b := &batch{answer: *c.at.Answer}
	for i, u := range c.listUses() {
		call := c.at.Calls[i]
		b.calls = append(b.calls, batchCall{ToolUse: *u, index: call.Index, key: call.Key, result: call.Result})
	}
	for _, note := range c.at.Notes {
		b.notes = append(b.notes, Part{Text: note})
	}
	return b
}

// countTurns returns the number of turns before c. A run that is stopped during its calls adds their turn to the
// history with stopgap results, so that another prompt may follow. If the run is resumed instead, it makes that turn
// again. countTurns does not leave out any other turn: restoreFrom rejects a history of another length.
func (c *Checkpoint) countTurns(turns []Turn) int {
	if c.at.Answer == nil || c.Turns < 0 || len(turns) != c.Turns+1 {
		return len(turns)
	}
	open, closed := c.openTurn().Messages, turns[c.Turns].Messages
	if len(open) != len(closed) {
		return len(turns)
	}
	for i := range len(open) - 1 { // all but the results
		if !isSameJSON(open[i], closed[i]) {
			return len(turns)
		}
	}
	return c.Turns
}
