package agent

import (
	"context"
	"errors"
	"iter"
	"sync"
	"unicode/utf8"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// Agent is a model with its system prompt, tools and limits. It is immutable and safe for concurrent use. The state of a
// run is in its [Input] and its events.
type Agent struct {
	model   Model
	system  func(context.Context, Input) (string, error)
	tools   tools.Set
	limits  Limits
	request RequestLimits  // the model's
	limited bool           // Limits.ToolTimeout is set, so a tool cannot extend its time
	compact Compactor      // may be nil
	objects *object.Bucket // may be nil
	cache   bool
	// structured requests typed answers through [Request].Output.
	structured bool
	audit      scope.Auditor // may be nil
	tel        *telemetry    // may be nil

	abandoned abandonedCalls
	outputs   sync.Map // by reflect.Type: *typedOutput, so that a schema is inferred once
}

// Options configure an [Agent]. A nil *Options is valid.
type Options struct {
	// System is the system prompt. Default: none.
	System string
	// SystemFunc returns the system prompt of a run, for example with the user's name or today's date. It is called once
	// when a run starts or is resumed, in the consumer's goroutine, and must be safe for concurrent use. An error ends
	// the run with [CodeInternal]. If it is set, System must be empty. Default: the prompt is System.
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
	// Audit receives each call that the agent refuses, because its tool was not offered or its arguments are invalid, and
	// each object outside the run's scope. If nil, refusals are not reported.
	Audit scope.Auditor
	// Name is the agent's name, for spans. Default: none.
	Name string
	// Tracer makes the spans of OpenTelemetry's GenAI conventions 0.1.0: invoke_agent, and within it chat and
	// execute_tool. They contain names, counts and ids, and no content of the conversation. The span of a run that resumes
	// a checkpoint links to the span of the run before. Default: no spans.
	Tracer trace.TracerProvider
	// Meter records the metrics of OpenTelemetry's GenAI conventions 0.1.0: durations of inferences, tool calls and runs,
	// the time to the first chunk, tokens, and the inferences and tool calls of a run; and carrel.agent.skipped, the number
	// of pieces of answers that the Model did not pass on. No attribute identifies a tenant, a user or a session. Default:
	// nothing is recorded.
	Meter metric.MeterProvider
}

// New returns an agent. It returns an error if the model is nil, a limit is negative, the system prompt
// is not UTF-8, or the set of tools is invalid.
func New(m Model, o *Options) (*Agent, error) {
	if m == nil {
		return nil, errors.New("agent: the model is nil")
	}
	if o == nil {
		o = &Options{}
	}
	if !utf8.ValidString(o.System) {
		return nil, errors.New("agent: the system prompt is not UTF-8")
	}
	if o.System != "" && o.SystemFunc != nil {
		return nil, errors.New("agent: Options has both System and SystemFunc: only one is accepted")
	}
	if err := o.Tools.Err(); err != nil {
		return nil, err
	}
	l, err := o.Limits.withDefaults()
	if err != nil {
		return nil, err
	}
	if o.StructuredOutput && !describe(m).StructuredOutput {
		return nil, errors.New("agent: the model does not support structured output")
	}
	tel, err := newTelemetry(m, o)
	if err != nil {
		return nil, err
	}
	return &Agent{abandoned: abandonedCalls{max: maxAbandoned}, model: m, system: systemFunc(o),
		tools: o.Tools, limits: l, limited: o.Limits.ToolTimeout > 0, request: describe(m).Limits, compact: o.Compact,
		objects: o.Objects, cache: o.Cache,
		structured: o.StructuredOutput, audit: o.Audit, tel: tel}, nil
}

// systemFunc returns the function that returns the system prompt.
func systemFunc(o *Options) func(context.Context, Input) (string, error) {
	if o.SystemFunc != nil {
		return o.SystemFunc
	}
	return func(context.Context, Input) (string, error) { return o.System, nil }
}

// Input is what one run starts from.
type Input struct {
	// Scope is the tenant isolation of the run: tools can only reach its data. With the zero Scope an agent that has tools
	// returns [scope.ErrDenied].
	Scope scope.Scope
	// Shared lets the run read the data that the users of its tenant share: tools get it, read-only, from
	// [tools.Call.Shared], and media may name its objects. It must be of [scope.SharedLevel] and of Scope's tenant;
	// otherwise the run fails with [scope.ErrDenied]. Nothing derives it from Scope. Default: none.
	Shared scope.Scope
	// Run is the run's id, in UTF-8. The idempotency keys of the calls depend on it, so every run needs a new id, for
	// example from crypto/rand.Text, unless it resumes a checkpoint with that id. If two runs of a Scope have the same id,
	// a tool that uses its key may mistake a new call for one that it has already made. Without an id the keys are empty,
	// the run does not yield [Checkpointed] events, Done does not have a Checkpoint, and calls cannot wait for an approval.
	Run string
	// Prompt is the user's message. It may be blank if there are Media, or if the history ends with something that the
	// model has not answered, such as results. The run then continues from there.
	Prompt string
	// Media are images, documents and videos, which come before the prompt. Each holds bytes, or an object that Scope or
	// Shared contains. Bytes that cannot be of their format are rejected.
	Media []tools.Media
	// History is the conversation before this run. The run works on a copy of its State.
	History History
	// Resume is a checkpoint of this Run and Scope. The run makes the calls that it holds, or else asks the model. Prompt
	// and Media must be empty. History must have the checkpoint's first Turns turns. It may also have the turn after them
	// if the checkpoint is within that turn, as Done's History has after a cancellation; the run then makes that turn
	// again. Any other History is rejected. The State, the usage and the counts of the limits are the checkpoint's.
	//
	// An interrupted call that is made again finds the State as it left it.
	Resume *Checkpoint
}

// Stream runs the loop. Each range over the sequence is a separate run, in the caller's goroutine.
//
// The last pair is either a [Done] with a nil error, or a nil Event with a [*RunError]. Leaving the loop earlier
// cancels the run and waits for its goroutines. If ctx ends, the Outcome of Done is [OutcomeCancelled]. If a call waits
// for an approval, it is [OutcomePending].
//
// A tool that does not return within two seconds of being cancelled is abandoned: its result is lost, the run continues,
// and its goroutine counts in [Agent.Abandoned] until it returns. A run waits for everything else that it starts.
func (a *Agent) Stream(ctx context.Context, in Input) iter.Seq2[Event, error] {
	return a.stream(ctx, in, nil)
}

// stream is Stream with a typed answer, unless out is nil.
func (a *Agent) stream(ctx context.Context, in Input, out *typedOutput) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		ctx, span := a.tel.startRun(ctx, in)
		r := &run{agent: a, in: in, out: out, ctx: ctx, cancel: cancel, yield: yield}
		how := "left" // of a consumer that leaves or panics
		defer func() { span.endRun(how, r) }()
		end, err := r.execute()
		failed, isFailed := errors.AsType[*RunError](err)
		switch {
		case isFailed:
			how, end.partial = string(failed.Code), failed.Done.Partial
		case err != nil: // the consumer has left
			return
		default:
			how = string(end.outcome)
			if out != nil && end.outcome != OutcomeComplete {
				failed = incomplete(ctx, end.outcome)
			}
		}
		done := r.done(end)
		if failed != nil {
			failed.Done = done
			yield(nil, failed)
			return
		}
		yield(done, nil)
	}
}

// Run reads [Agent.Stream] to its end. If it returns an error, that is a [*RunError] with the same Done.
func (a *Agent) Run(ctx context.Context, in Input) (Done, error) {
	return drained(a.Stream(ctx, in))
}

// drained reads a run to its end.
func drained(events iter.Seq2[Event, error]) (Done, error) {
	var done Done
	for ev, err := range events {
		if err != nil {
			if failed, ok := errors.AsType[*RunError](err); ok {
				done = failed.Done
			}
			return done, err
		}
		if d, ok := ev.(Done); ok {
			done = d
		}
	}
	return done, nil
}

// Abandoned returns the number of tool calls that did not return when their context ended and are still running. A
// number that stays above zero is a leak in a tool. At most 64 calls of all tenants may be abandoned, and 16 of one
// tenant: beyond that calls are not made, and the model receives a failed result, until some of them have returned.
func (a *Agent) Abandoned() int { return a.abandoned.count() }
