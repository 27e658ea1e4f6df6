package agenttest

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/carrel-go/carrel/agent"
)

// Turn is one answer of a [Script], a value that may be used many times. The zero Turn is an answer without content.
type Turn struct {
	deltas []agent.Delta
	end    ending
	err    error
	checks []Check
	choose func(*agent.Request) Turn
	times  int // one less than how often it is played
}

// ending is how an answer ends after its deltas.
type ending int

const (
	whole   ending = iota // with a StopPart, which is added where there is none
	failing               // with an error
	cut                   // with nothing
	stalled               // when the context does
)

// Answer is a whole answer of these pieces. Where no [agent.StopPart] is among them, one is added at the end, with
// the reason tool_use if there was a call and end_turn otherwise.
func Answer(deltas ...agent.Delta) Turn { return Turn{deltas: slices.Clone(deltas)} }

// Fail yields these pieces, and then the error, which should be an [*agent.ModelError] as a Model's are.
func Fail(err error, deltas ...agent.Delta) Turn {
	return Turn{deltas: slices.Clone(deltas), end: failing, err: err}
}

// Cut yields these pieces and ends there, without a StopPart: how a connection that is lost looks.
func Cut(deltas ...agent.Delta) Turn { return Turn{deltas: slices.Clone(deltas), end: cut} }

// Stall yields these pieces and then waits until the context ends; its error is the last yield.
func Stall(deltas ...agent.Delta) Turn { return Turn{deltas: slices.Clone(deltas), end: stalled} }

// Choose is the turn that f chooses for the request. f may be called for several requests at once; it keeps and
// changes nothing of them.
func Choose(f func(*agent.Request) Turn) Turn { return Turn{choose: f} }

// Expect is the same turn, played only for a request that passes the checks, and those that it had before.
func (t Turn) Expect(checks ...Check) Turn {
	t.checks = slices.Concat(t.checks, checks)
	return t
}

// Times is the same turn, played n times in a row; less than once is once.
func (t Turn) Times(n int) Turn {
	t.times = max(n, 1) - 1
	return t
}

// Say is a piece of text.
func Say(text string) agent.Delta { return agent.TextPart{Text: text} }

// Think is a block of reasoning with its signature.
func Think(text, signature string) agent.Delta {
	return agent.ReasoningPart{Reasoning: agent.Reasoning{Text: text, Signature: signature}}
}

// Call is a whole call. The input is sent as it stands, so that it may be no JSON at all.
func Call(id, name, input string) agent.Delta {
	return agent.UsePart{ToolUse: agent.ToolUse{ID: id, Name: name, Input: json.RawMessage(input)}}
}

// Spent is what an answer cost, in tokens.
func Spent(input, output int64) agent.Delta {
	return agent.UsagePart{Usage: agent.Usage{Input: input, Output: output}}
}

// Stop ends an answer, for a reason of its own.
func Stop(r agent.Reason) agent.Delta { return agent.StopPart{Reason: r} }

// complete is the deltas with a StopPart. Its place is before a UsagePart at the end, where services have it.
func complete(deltas []agent.Delta) []agent.Delta {
	reason, at := agent.EndTurn, 0
	for i, d := range deltas {
		switch d.(type) {
		case agent.StopPart:
			return deltas
		case agent.UsePart:
			reason = agent.ToolUseReason
		}
		if _, ok := d.(agent.UsagePart); !ok {
			at = i + 1
		}
	}
	return slices.Insert(slices.Clone(deltas), at, agent.Delta(agent.StopPart{Reason: reason}))
}

// play yields the turn. A call's input is copied, since it is the consumer's from then on.
func (t Turn) play(ctx context.Context, yield func(agent.Delta, error) bool) {
	deltas := t.deltas
	if t.end == whole {
		deltas = complete(deltas)
	}
	for _, d := range deltas {
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		if !yield(own(d), nil) {
			return
		}
	}
	switch t.end {
	case failing:
		yield(nil, t.err)
	case stalled:
		<-ctx.Done()
		yield(nil, ctx.Err())
	case whole, cut:
	}
}

// own is a delta that shares nothing with d.
func own(d agent.Delta) agent.Delta {
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
