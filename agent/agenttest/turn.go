package agenttest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/carrel-go/carrel/agent"
)

// Turn is one answer of a [Script]. It is immutable. The zero Turn is an answer without content.
type Turn struct {
	deltas []agent.Delta
	end    ending
	err    error
	checks []Check
}

// ending is how an answer ends after its deltas.
type ending int

const (
	endStop  ending = iota // with a StopPart, which is added if it is missing
	endError               // with an error
	endStall               // when the context ends
)

// Answer returns a complete answer. If it lacks an [agent.StopPart], one is added: with the reason tool_use after a
// call, end_turn otherwise.
func Answer(deltas ...agent.Delta) Turn { return Turn{deltas: slices.Clone(deltas)} }

// Fail returns an answer that yields the deltas and then err, which should be an [*agent.ModelError], as the errors of
// other models are. If err is nil, it yields an error that says so.
func Fail(err error, deltas ...agent.Delta) Turn {
	if err == nil {
		err = errors.New("agenttest: Fail requires an error, not nil")
	}
	return Turn{deltas: slices.Clone(deltas), end: endError, err: err}
}

// Stall returns an answer that yields the deltas, waits until the context ends, and yields the context's error.
func Stall(deltas ...agent.Delta) Turn { return Turn{deltas: slices.Clone(deltas), end: endStall} }

// Expect returns t with more checks. A request that fails a check is answered with an error.
func (t Turn) Expect(checks ...Check) Turn {
	t.checks = slices.Concat(t.checks, checks)
	return t
}

// Say returns a delta of text.
func Say(text string) agent.Delta { return agent.TextDelta{Text: text} }

// Call returns a complete call. The input is sent verbatim and may be invalid JSON.
func Call(id, name, input string) agent.Delta {
	return agent.UsePart{ToolUse: agent.ToolUse{ID: id, Name: name, Input: json.RawMessage(input)}}
}

// addStop returns deltas with a StopPart, before a UsageReport at the end.
func addStop(deltas []agent.Delta) []agent.Delta {
	reason, at := agent.StopEndTurn, 0
	for i, d := range deltas {
		switch d.(type) {
		case agent.StopPart:
			return deltas
		case agent.UsePart:
			reason = agent.StopToolUse
		}
		if _, ok := d.(agent.UsageReport); !ok {
			at = i + 1
		}
	}
	return slices.Insert(slices.Clone(deltas), at, agent.Delta(agent.StopPart{Reason: reason}))
}

// play yields the turn. The consumer owns the input of a call, so it gets a copy.
func (t Turn) play(ctx context.Context, yield func(agent.Delta, error) bool) {
	deltas := t.deltas
	if t.end == endStop {
		deltas = addStop(deltas)
	}
	for _, d := range deltas {
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		if !yield(cloneDelta(d), nil) {
			return
		}
	}
	switch t.end {
	case endError:
		yield(nil, t.err)
	case endStall:
		<-ctx.Done()
		yield(nil, ctx.Err())
	case endStop:
	}
}

func cloneDelta(d agent.Delta) agent.Delta {
	switch d := d.(type) {
	case agent.UsePart:
		d.Input = slices.Clone(d.Input)
		return d
	case agent.ReasoningPart:
		d.Redacted = slices.Clone(d.Redacted)
		return d
	case agent.CitationPart:
		d.Quotes = slices.Clone(d.Quotes)
		return d
	}
	return d
}
