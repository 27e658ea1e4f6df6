package agent

import (
	"cmp"
	"slices"

	"github.com/carrel-go/carrel/tools"
)

// batch is an answer and the calls in it.
type batch struct {
	answer Message
	calls  []batchCall // those that are valid
	notes  []Part      // explain to the model which calls were invalid
	// invalid is the error of the last invalid call, or nil. It is not in checkpoints.
	invalid error
}

type batchCall struct {
	ToolUse
	index   int           // among all calls of the answer
	key     string        // the idempotency key; empty in a run without an id
	result  *tools.Result // nil before the call is made
	stopgap *tools.Result // the result in the history if the turn ends without one
}

// onlyCall returns the name of the only call, or "" if there is not exactly one.
func (b *batch) onlyCall() string {
	if len(b.calls) != 1 || len(b.notes) > 0 {
		return ""
	}
	return b.calls[0].Name
}

// isOpen reports whether a call lacks a result.
func (b *batch) isOpen() bool {
	return slices.ContainsFunc(b.calls, func(c batchCall) bool { return c.result == nil })
}

// buildResults returns the message with every result in call order, and then the notes. A call without a result has its
// stopgap, or an empty result before it is made.
func (b *batch) buildResults() *Message {
	m := &Message{Role: RoleUser, Parts: make([]Part, 0, len(b.calls)+len(b.notes))}
	for _, c := range b.calls {
		res := &ToolResult{ID: c.ID}
		if had := cmp.Or(c.result, c.stopgap); had != nil {
			res.Result = *had
		}
		m.Parts = append(m.Parts, Part{Result: res})
	}
	m.Parts = append(m.Parts, b.notes...)
	return m
}
