package agent

import (
	"context"
	"iter"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// Model is a language model, or a program that answers like one.
//
// Stream sends one request and yields the answer piece by piece: any number of [TextPart], [CitationPart],
// [ReasoningDelta], [ReasoningPart], [UseDelta], [UsePart] and [SkippedPart], in the order of the answer, and then
// exactly one [StopPart]. A [UsagePart] may come anywhere. An answer without a StopPart counts as cut. A failure is
// yielded as the last pair, with a nil Delta; it should be a [*ModelError], and every other error is shown to nobody. Deltas and errors are not mixed in
// one pair.
//
// The request is sent when the sequence is ranged over, in the caller's goroutine, and blocks there. A sequence is
// ranged over once. When the loop is left, or ctx is cancelled, Stream releases everything that it holds before it
// returns. A Model retries, if at all, only before its first delta.
//
// A Model is safe for concurrent use. It may keep nothing of a Request, and changes nothing in it.
type Model interface {
	Stream(ctx context.Context, r *Request) iter.Seq2[Delta, error]
}

// Described is what a [Model] implements that can describe itself.
type Described interface{ Info() ModelInfo }

// ModelInfo describes a model. A Model that wraps another one returns the other's.
type ModelInfo struct {
	// Provider is OpenTelemetry's gen_ai.provider.name ("aws.bedrock"), and Model is the id of the model. Either may be
	// empty.
	Provider, Model string
	// StructuredOutput reports that the Model passes [Request].Output on, and fails if its service does not support it.
	StructuredOutput bool
	// Limits are what the service accepts in one request.
	Limits RequestLimits
}

// Request is one call of a [Model].
type Request struct {
	// System is the system prompt, or empty.
	System string
	// Messages alternate, and the first and the last are the user's. In a message that holds results they lead. Call
	// ids are unique within a message: a Model replaces those that its service refuses, in calls and results.
	Messages []Message
	// Tools are what may be called, ordered by name.
	Tools []tools.Spec
	// MaxTokens is the largest size of the answer in tokens. Zero means the Model's own limit.
	MaxTokens int
	// Choice says whether a tool must be called. Default: the model decides.
	Choice Choice
	// Output asks for an answer that is one JSON object of this schema, as text, by the service's structured output. Nil
	// means any text. A Model whose [ModelInfo] does not say StructuredOutput is not sent it.
	Output *tools.Spec
	// Cache says that the request's beginning will be sent again: a service with a prompt cache should keep it.
	Cache bool
	// Load reads an object that a Media names, for a Model that cannot pass on where it is. It reads within the run's
	// Scope and Shared, and no more than max bytes. nil: objects cannot be read.
	Load func(ctx context.Context, ref object.Ref, max int64) ([]byte, error)
}

// Choice says whether a tool must be called: the one of that Name, or Any.
type Choice struct {
	Any  bool
	Name string
}

// Delta is a piece of a Model's answer. It is sealed.
type Delta interface{ delta() }

type (
	// TextPart is more text.
	TextPart struct{ Text string }

	// CitationPart is one citation. It follows the whole of the text that it supports.
	CitationPart struct{ Citation }

	// ReasoningDelta is more of what the model thinks, as it comes.
	ReasoningDelta struct{ Text string }

	// ReasoningPart is one whole block of reasoning, what its ReasoningDeltas said included. It comes when the block is
	// closed.
	ReasoningPart struct{ Reasoning }

	// UseDelta is more of a call's arguments, as they come: a fragment of JSON, of the call with this ID. The UsePart
	// holds them all.
	UseDelta struct{ ID, Name, Input string }

	// UsePart is one whole call. Input is what arrived, valid JSON or not: the agent checks. An empty Input is a call
	// without arguments. The Input is the agent's from then on.
	UsePart struct{ ToolUse }

	// SkippedPart reports a piece of the answer that the Model does not pass on. Kind names it in the service's
	// words: "server_tool_use" for a call that the service made itself, "unknown:" and a name for what the Model does not
	// know.
	SkippedPart struct{ Kind string }

	// UsagePart holds what the answer has cost so far, from its beginning. If several come, the largest counts hold.
	UsagePart struct{ Usage }

	// StopPart ends the answer: it comes exactly once, and only a UsagePart may follow.
	StopPart struct{ Reason Reason }
)

func (TextPart) delta()       {}
func (CitationPart) delta()   {}
func (SkippedPart) delta()    {}
func (ReasoningDelta) delta() {}
func (ReasoningPart) delta()  {}
func (UseDelta) delta()       {}
func (UsePart) delta()        {}
func (UsagePart) delta()      {}
func (StopPart) delta()       {}

// Usage counts tokens, or what the model counts instead. CacheRead and CacheWrite are not part of Input.
type Usage struct{ Input, Output, CacheRead, CacheWrite int64 }

// largest returns the larger of each count.
func (u Usage) largest(o Usage) Usage {
	return Usage{max(u.Input, o.Input), max(u.Output, o.Output), max(u.CacheRead, o.CacheRead), max(u.CacheWrite, o.CacheWrite)}
}

// minus returns the difference of each count.
func (u Usage) minus(o Usage) Usage {
	return Usage{u.Input - o.Input, u.Output - o.Output, u.CacheRead - o.CacheRead, u.CacheWrite - o.CacheWrite}
}

func (u *Usage) add(o Usage) {
	u.Input += o.Input
	u.Output += o.Output
	u.CacheRead += o.CacheRead
	u.CacheWrite += o.CacheWrite
}

// Reason is why the model stopped. The agent derives what to do next from the parts: it runs calls whether the reason
// is EndTurn or ToolUseReason. The reason alone only ever forbids.
//
// The list is open, because services add reasons such as "refusal". With a reason that is not listed here the agent
// keeps an answer of text without calls; any other answer fails with [UnknownReason].
type Reason string

// The reasons that the agent knows.
const (
	EndTurn         Reason = "end_turn"
	ToolUseReason   Reason = "tool_use"
	StopSequence    Reason = "stop_sequence"
	MaxTokens       Reason = "max_tokens"
	ContentFiltered Reason = "content_filtered" // and guardrails
	ContextWindow   Reason = "context_window"
	Malformed       Reason = "malformed" // the service says that the model's output was malformed
)
