package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/carrel-go/carrel/tools"
)

// Spans and metrics follow OpenTelemetry's semantic conventions for generative AI, version 1.41:
// https://github.com/open-telemetry/semantic-conventions/tree/v1.41.0/docs/gen-ai

// instrumentation is the name of the tracer and the meter.
const instrumentation = "github.com/carrel-go/carrel/agent"

// The names of what the conventions do not have.
const (
	skippedName = "carrel.agent.skipped"
	skippedKind = "carrel.agent.skipped.kind"
)

// telemetry makes an agent's spans and metrics. A nil one makes none, and neither does a nil span.
type telemetry struct {
	tracer   trace.Tracer
	tokens   metric.Int64Histogram
	duration metric.Float64Histogram
	skipped  metric.Int64Counter
	name     string
	max      int
	model    ModelInfo
}

// span is one operation under way.
type span struct {
	*telemetry
	trace.Span
	ctx   context.Context
	start time.Time
	kinds []string // of pieces of the answer that were skipped
}

func newTelemetry(m Model, o *Options) (*telemetry, error) {
	if o.Tracer == nil && o.Meter == nil {
		return nil, nil
	}
	t := &telemetry{name: o.Name, model: describe(m)}
	if l, err := o.Limits.withDefaults(); err == nil {
		t.max = l.MaxTokens
	}
	var traces trace.TracerProvider = tracenoop.NewTracerProvider()
	if o.Tracer != nil {
		traces = o.Tracer
	}
	t.tracer = traces.Tracer(instrumentation)
	var metrics metric.MeterProvider = metricnoop.NewMeterProvider()
	if o.Meter != nil {
		metrics = o.Meter
	}
	meter := metrics.Meter(instrumentation)
	var one, two, three error
	t.tokens, one = meter.Int64Histogram("gen_ai.client.token.usage", metric.WithUnit("{token}"),
		metric.WithDescription("Number of input and output tokens used."),
		metric.WithExplicitBucketBoundaries(1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864))
	t.duration, two = meter.Float64Histogram("gen_ai.client.operation.duration", metric.WithUnit("s"),
		metric.WithDescription("GenAI operation duration."),
		metric.WithExplicitBucketBoundaries(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92))
	t.skipped, three = meter.Int64Counter(skippedName, metric.WithUnit("{piece}"),
		metric.WithDescription("Number of pieces of answers that the model adapter did not pass on."))
	if err := errors.Join(one, two, three); err != nil {
		return nil, fmt.Errorf("agent: metrics: %w", err)
	}
	return t, nil
}

// begin starts a span. subject, if any, is the second word of its name.
func (t *telemetry) begin(ctx context.Context, op, subject string, kind trace.SpanKind, attrs ...attribute.KeyValue) (context.Context, *span) {
	name := op
	if subject != "" {
		name += " " + subject
	}
	s := &span{telemetry: t, start: time.Now()}
	attrs = append(attrs, attribute.String("gen_ai.operation.name", op))
	s.ctx, s.Span = t.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attrs...))
	return s.ctx, s
}

// about is what is said of the agent and its model.
func (t *telemetry) about() []attribute.KeyValue {
	return known(attribute.String("gen_ai.provider.name", t.model.Provider), attribute.String("gen_ai.request.model", t.model.Model),
		attribute.String("gen_ai.agent.name", t.name))
}

// known are those of attrs whose text is not empty.
func known(attrs ...attribute.KeyValue) []attribute.KeyValue {
	return slices.DeleteFunc(attrs, func(a attribute.KeyValue) bool { return a.Value.AsString() == "" })
}

func (t *telemetry) startRun(ctx context.Context, in Input) (context.Context, *span) {
	if t == nil {
		return ctx, nil
	}
	attrs := append(t.about(), known(attribute.String("gen_ai.conversation.id", in.Scope.SessionID()))...)
	return t.begin(ctx, "invoke_agent", t.name, trace.SpanKindInternal, attrs...)
}

// endRun takes the run's stop or its error's code.
func (s *span) endRun(how string, u Usage) {
	if s == nil {
		return
	}
	s.SetAttributes(usageAttributes(u)...)
	switch Outcome(how) {
	case OutcomeComplete, OutcomePending:
		how = ""
	}
	s.finish(how)
}

func (t *telemetry) startChat(ctx context.Context, in Input) (context.Context, *span) {
	if t == nil {
		return ctx, nil
	}
	attrs := append(t.about(), known(attribute.String("gen_ai.conversation.id", in.Scope.SessionID()))...)
	attrs = append(attrs, attribute.Bool("gen_ai.request.stream", true))
	if t.max > 0 {
		attrs = append(attrs, attribute.Int("gen_ai.request.max_tokens", t.max))
	}
	return t.begin(ctx, "chat", t.model.Model, trace.SpanKindClient, attrs...)
}

// skip counts a piece of the answer that the Model does not pass on. All unknown pieces are of one kind here.
func (s *span) skip(kind string) {
	if s == nil {
		return
	}
	s.kinds = append(s.kinds, kind)
	name, _, _ := strings.Cut(kind, ":")
	s.skipped.Add(s.ctx, 1, metric.WithAttributes(append(s.about(), attribute.String(skippedKind, name))...))
}

// endChat ends the span of one answer, and records its metrics.
func (s *span) endChat(reason StopReason, used *Usage, err error) {
	if s == nil {
		return
	}
	how := ""
	switch {
	case errors.Is(err, errConsumerLeft):
		how = "left"
	case s.ctx.Err() != nil && err != nil:
		how = string(OutcomeCancelled)
	case err != nil:
		how = errorCode(err)
	}
	if reason != "" {
		s.SetAttributes(attribute.StringSlice("gen_ai.response.finish_reasons", []string{string(reason)}))
	}
	attrs := append(s.about(), attribute.String("gen_ai.operation.name", "chat"))
	if len(s.kinds) > 0 {
		s.SetAttributes(attribute.StringSlice(skippedName, s.kinds))
	}
	if used != nil {
		s.SetAttributes(usageAttributes(*used)...)
		for kind, n := range map[string]int64{"input": used.Input + used.CacheRead + used.CacheWrite, "output": used.Output} {
			s.tokens.Record(s.ctx, n, metric.WithAttributes(append(attrs[:len(attrs):len(attrs)], attribute.String("gen_ai.token.type", kind))...))
		}
	}
	s.duration.Record(s.ctx, time.Since(s.start).Seconds(), metric.WithAttributes(append(attrs, known(attribute.String("error.type", how))...)...))
	s.finish(how)
}

// startTool begins a call. A name that was not offered is the model's invention, and names no span.
func (t *telemetry) startTool(ctx context.Context, c *tools.Call, offered bool) (context.Context, *span) {
	if t == nil {
		return ctx, nil
	}
	name := ""
	if offered {
		name = c.Name()
	}
	attrs := known(attribute.String("gen_ai.tool.name", name), attribute.String("gen_ai.tool.call.id", c.ID()),
		attribute.String("gen_ai.tool.type", "function"), attribute.String("gen_ai.agent.name", t.name))
	return t.begin(ctx, "execute_tool", name, trace.SpanKindInternal, attrs...)
}

// endTool says how a call failed, if it did: in a word of a closed list, since errors may hold anything. The call ended
// at that moment, or now where it was not made: the consumer may have been busy since.
func (s *span) endTool(o callOutcome, at time.Time) {
	switch {
	case s == nil:
	case at.IsZero():
		s.finish(toolFailure(o))
	default:
		s.finish(toolFailure(o), trace.WithTimestamp(at))
	}
}

// errorCode returns the code of a run's error.
func errorCode(err error) string {
	if failed, ok := errors.AsType[*RunError](err); ok {
		return string(failed.Code)
	}
	return string(CodeInternal)
}

func toolFailure(o callOutcome) string {
	_, correction := errors.AsType[*tools.CorrectionError](o.err)
	_, panicked := errors.AsType[*tools.PanicError](o.err)
	switch {
	case o.pending != nil:
		return ""
	case o.fatal != nil:
		return string(o.fatal.Code)
	case o.err == nil && !o.result.IsError:
		return ""
	case correction:
		return "correction"
	case panicked:
		return "panic"
	case errors.Is(o.err, context.DeadlineExceeded):
		return string(CodeTimeout)
	case errors.Is(o.err, context.Canceled):
		return string(OutcomeCancelled)
	}
	return string(CodeToolFailed)
}

// finish ends the span; how is its error.type, empty where it went well.
func (s *span) finish(how string, o ...trace.SpanEndOption) {
	if how != "" {
		s.SetAttributes(attribute.String("error.type", how))
		s.SetStatus(codes.Error, how)
	}
	s.End(o...)
}

// usageAttributes: by the conventions the input counts what was read from and written to a cache.
func usageAttributes(u Usage) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.Int64("gen_ai.usage.input_tokens", u.Input+u.CacheRead+u.CacheWrite),
		attribute.Int64("gen_ai.usage.output_tokens", u.Output),
		attribute.Int64("gen_ai.usage.cache_read.input_tokens", u.CacheRead),
		attribute.Int64("gen_ai.usage.cache_creation.input_tokens", u.CacheWrite),
	}
}
