package agent

import (
	"context"
	"iter"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// Model is a language model, or a program that answers like one.
//
// Stream sends one request and yields the answer in pieces, in order: any number of [TextDelta], [CitationPart],
// [ReasoningDelta], [ReasoningPart], [UseDelta], [UsePart] and [SkippedPart], and then exactly one [StopPart]. A
// [UsageReport] may come anywhere, and a SkippedPart also after the StopPart. An answer without a StopPart counts as
// truncated. A failure is the last pair, with a nil Delta. It should be a [*ModelError], because the messages of other
// errors are not shown to people. A pair never holds both a Delta and an error.
//
// The request is sent when the caller ranges over the sequence, in the caller's goroutine. A sequence is ranged over
// once. When the loop is left, or ctx is cancelled, Stream releases everything that it holds before it returns. A Model
// may retry a request, but only before its first Delta.
//
// A Model is safe for concurrent use. It must not keep or change a Request.
type Model interface {
	Stream(ctx context.Context, r *Request) iter.Seq2[Delta, error]
}

// Described is implemented by a [Model] that can describe itself.
type Described interface{ Info() ModelInfo }

// ModelInfo describes a model. A wrapper returns the ModelInfo of the wrapped Model.
type ModelInfo struct {
	// Provider is OpenTelemetry's gen_ai.provider.name ("aws.bedrock"), and Model is the id of the model. Either may be
	// empty.
	Provider, Model string
	// StructuredOutput reports whether the Model supports [Request].Output. Stream returns an error if the service rejects
	// the schema.
	StructuredOutput bool
	// Limits bound the content of one request.
	Limits RequestLimits
}

// Request is one request to a [Model].
type Request struct {
	// System is the system prompt, or empty.
	System string
	// Messages alternate between the roles. The first and the last are the user's. Results come before all other parts
	// of a message. Call ids are unique within a message. A Model replaces ids that its service rejects, in calls and
	// results.
	Messages []Message
	// Tools are the tools that may be called, ordered by name.
	Tools []tools.Spec
	// MaxTokens is the largest size of the answer in tokens. Zero means the Model's own limit.
	MaxTokens int
	// Choice requires the call of a tool. If zero, the model decides.
	Choice Choice
	// Output requests an answer that is one JSON object of this schema, as text, by the structured output of the service.
	// If nil, the answer may be any text. It is only set for a Model whose [ModelInfo] has StructuredOutput set.
	Output *tools.Spec
	// Cache reports whether a later request will begin in the same way. A service with a prompt cache should keep it.
	Cache bool
	// Load reads an object that a Media names, for a Model that cannot pass on a reference. It reads at most max bytes,
	// within the run's Scope and Shared. If nil, objects cannot be read.
	Load func(ctx context.Context, ref object.Ref, max int64) ([]byte, error)
}

// Choice requires the call of a tool: the one with that Name, or Any.
type Choice struct {
	Any  bool
	Name string
}
