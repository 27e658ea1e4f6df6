package agent

import (
	"context"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// Options configure an [Agent]. A nil *Options is valid.
type Options struct {
	// System is the system prompt. Default: none.
	System string
	// SystemFunc returns the system prompt of a run, for example with the user's name or today's date. It is called once
	// when a run with a valid input starts or is resumed, in the consumer's goroutine, and must be safe for concurrent
	// use. An error ends the run with [CodeInternal], and the run can be resumed from Done's Checkpoint. If it is set,
	// System must be empty. Default: the prompt is System.
	SystemFunc func(ctx context.Context, in Input) (string, error)
	// Tools are the tools that the model may call. The set is resolved for the run's scope at each turn. Default: none.
	Tools tools.Set
	// Limits bound each run. Default: see Limits.
	Limits Limits
	// Compact shortens a conversation that grows too long, see [DropOldest] and [Summarise]. If nil, no turn is dropped.
	// In either case the longest texts, results and arguments are truncated if the conversation does not fit the model. A
	// run whose conversation cannot be made to fit fails with [CodeContextFull].
	Compact Compactor
	// Cache asks the model's service to keep the beginning of each request in its prompt cache. Default: false.
	Cache bool
	// StructuredOutput requests the typed answers of [RunAs] and [StreamAs] through the structured output of the model's
	// service, [Request].Output, instead of through the tool final_answer. [New] rejects a Model that does not support it.
	// A run whose service rejects it fails with [CodeInvalidCall]. Default: false, the tool, which every model that calls
	// tools supports.
	StructuredOutput bool
	// Objects is the bucket of the objects that media name. A Media with an object of another bucket is rejected. A Model
	// that cannot pass on a reference reads the object from here, within the run's scope. Each run looks up the objects of
	// earlier turns and of results once, so that a note replaces a deleted object. If nil, only a Model that passes on
	// references accepts objects, and a deleted object is noticed when the service rejects the request.
	Objects *object.Bucket
	// Audit receives each call that the agent refuses, because its tool was not offered or its arguments are invalid, each
	// object outside the run's scope, and each [Input] whose Shared is refused. If nil, refusals are not reported.
	Audit scope.Auditor
	// Name is the agent's name, for spans. Default: none.
	Name string
	// Tracer makes the spans of OpenTelemetry's GenAI conventions 0.1.0: invoke_agent, and within it chat and
	// execute_tool. They contain names, counts and ids, and no content of the conversation. The span of a run that resumes
	// a checkpoint links to the span of the run before. Default: no spans.
	Tracer trace.TracerProvider
	// Meter records the metrics of OpenTelemetry's GenAI conventions 0.1.0: durations of inferences, tool calls and runs,
	// the time to the first chunk, tokens, and the inferences and tool calls of a run; carrel.agent.skipped, the number
	// of pieces of answers that the Model did not pass on; and carrel.agent.media.omitted, see Done. No attribute
	// identifies a tenant, a user or a session.
	// Default: nothing is recorded.
	Meter metric.MeterProvider
}

// systemFunc returns the function that returns the system prompt.
func systemFunc(o *Options) func(context.Context, Input) (string, error) {
	if o.SystemFunc != nil {
		return o.SystemFunc
	}
	return func(context.Context, Input) (string, error) { return o.System, nil }
}
