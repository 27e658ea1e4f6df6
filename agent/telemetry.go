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

// Spans and metrics follow OpenTelemetry's semantic conventions for generative AI, version 0.1.0:
// https://github.com/open-telemetry/semantic-conventions-genai/tree/v0.1.0
//
// Metrics never have an attribute that identifies a tenant, a user or a session.

// instrumentation is the name of the tracer and the meter.
const instrumentation = "github.com/carrel-go/carrel/agent"

// telemetry makes an agent's spans and metrics. A nil telemetry or span does nothing.
type telemetry struct {
	tracer trace.Tracer
	instruments
	name  string
	max   int
	model ModelInfo
}

// runTotals counts the work of a run since it was started or resumed.
type runTotals struct {
	spent       Usage
	requests    int // sent to the model
	dispatched  int // calls started
	isCompacted bool
	// omittedMedia is the largest number of media that an accepted request lacked because the service had rejected a
	// request with them.
	omittedMedia int
}

// span is one operation.
type span struct {
	*telemetry
	trace.Span
	ctx       context.Context
	start     time.Time
	kinds     []string // kinds of the skipped pieces of an answer
	hasChunks bool     // the first chunk of an answer has come
}

func newTelemetry(m Model, o *Options) (*telemetry, error) {
	if o.Tracer == nil && o.Meter == nil {
		return nil, nil
	}
	t := &telemetry{name: o.Name, model: describeModel(m), max: o.Limits.MaxTokens}
	var traces trace.TracerProvider = tracenoop.NewTracerProvider()
	if o.Tracer != nil {
		traces = o.Tracer
	}
	t.tracer = traces.Tracer(instrumentation)
	var metrics metric.MeterProvider = metricnoop.NewMeterProvider()
	if o.Meter != nil {
		metrics = o.Meter
	}
	if err := t.createAll(metrics.Meter(instrumentation)); err != nil {
		return nil, fmt.Errorf("agent: metrics: %w", err)
	}
	return t, nil
}

// beginSpan starts a span. subject, if any, is the second word of its name.
func (t *telemetry) beginSpan(ctx context.Context, op, subject string, kind trace.SpanKind,
	attrs []attribute.KeyValue, o ...trace.SpanStartOption) (context.Context, *span) {
	name := op
	if subject != "" {
		name += " " + subject
	}
	s := &span{telemetry: t, start: time.Now()}
	attrs = append(attrs, attribute.String("gen_ai.operation.name", op))
	s.ctx, s.Span = t.tracer.Start(ctx, name, append(o, trace.WithSpanKind(kind), trace.WithAttributes(attrs...))...)
	return s.ctx, s
}

func (t *telemetry) modelAttributes() []attribute.KeyValue {
	return textAttributes("gen_ai.provider.name", t.model.Provider, "gen_ai.request.model", t.model.Model,
		"gen_ai.agent.name", t.name)
}

// textAttributes returns the attributes of pairs of names and values, without those whose value is empty.
func textAttributes(pairs ...string) []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, len(pairs)/2+2) // callers append more
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			attrs = append(attrs, attribute.String(pair[0], pair[1]))
		}
	}
	return attrs
}

func (t *telemetry) startRun(ctx context.Context, in Input) (context.Context, *span) {
	if t == nil {
		return ctx, nil
	}
	attrs := textAttributes("gen_ai.request.model", t.model.Model, "gen_ai.agent.name", t.name,
		"gen_ai.conversation.id", in.Scope.SessionID())
	var o []trace.SpanStartOption
	if in.Resume != nil {
		if earlier, err := parseTraceParent(in.Resume.at.Trace); err == nil && earlier.IsValid() {
			o = append(o, trace.WithLinks(trace.Link{SpanContext: earlier}))
		}
	}
	return t.beginSpan(ctx, "invoke_agent", t.name, trace.SpanKindInternal, attrs, o...)
}

// endRun ends the span of a run and records its metrics. errorType is how the run failed, or "".
func (s *span) endRun(errorType string, r runTotals) {
	if s == nil {
		return
	}
	s.SetAttributes(
		attribute.Int64("gen_ai.usage.input_tokens", r.spent.inputTotal()),
		attribute.Int64("gen_ai.usage.output_tokens", r.spent.Output))
	if r.isCompacted {
		s.SetAttributes(attribute.Bool("gen_ai.conversation.compacted", true))
	}
	attrs := textAttributes("gen_ai.agent.name", s.name, "gen_ai.request.model", s.model.Model)
	set := metric.WithAttributes(attrs...)
	if r.omittedMedia > 0 {
		s.SetAttributes(attribute.Int(omittedName, r.omittedMedia))
		s.omitted.Add(s.ctx, int64(r.omittedMedia), set)
	}
	s.inferenceCalls.Record(s.ctx, int64(r.requests), set)
	s.toolCalls.Record(s.ctx, int64(r.dispatched), set)
	s.runDuration.Record(s.ctx, time.Since(s.start).Seconds(),
		metric.WithAttributes(append(attrs, textAttributes("error.type", errorType)...)...))
	s.endSpan(errorType)
}

func (t *telemetry) startChat(ctx context.Context, in Input) (context.Context, *span) {
	if t == nil {
		return ctx, nil
	}
	attrs := append(t.modelAttributes(), textAttributes("gen_ai.conversation.id", in.Scope.SessionID())...)
	attrs = append(attrs, attribute.Bool("gen_ai.request.stream", true))
	if t.max > 0 {
		attrs = append(attrs, attribute.Int("gen_ai.request.max_tokens", t.max))
	}
	return t.beginSpan(ctx, "chat", t.model.Model, trace.SpanKindClient, attrs)
}

// countChunk records the time to the first chunk of an answer.
func (s *span) countChunk() {
	if s == nil || s.hasChunks {
		return
	}
	s.hasChunks = true
	s.firstChunk.Record(s.ctx, time.Since(s.start).Seconds(),
		metric.WithAttributes(append(s.modelAttributes(), attribute.String("gen_ai.operation.name", "chat"))...))
}

// skipPiece counts a skipped piece of the answer. All pieces that the Model does not know are one kind.
func (s *span) skipPiece(kind string) {
	if s == nil {
		return
	}
	s.kinds = append(s.kinds, kind)
	name, _, _ := strings.Cut(kind, ":")
	s.skipped.Add(s.ctx, 1, metric.WithAttributes(append(s.modelAttributes(), attribute.String(skippedKind, name))...))
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
	attrs := append(s.modelAttributes(), attribute.String("gen_ai.operation.name", "chat"))
	if len(s.kinds) > 0 {
		s.SetAttributes(attribute.StringSlice(skippedName, s.kinds))
	}
	if used != nil {
		s.SetAttributes(usageAttributes(*used)...)
		s.recordUsage(s.ctx, *used, metric.WithAttributes(attrs...))
	}
	s.chatDuration.Record(s.ctx, time.Since(s.start).Seconds(),
		metric.WithAttributes(append(attrs, textAttributes("error.type", how)...)...))
	s.endSpan(how)
}

// startTool starts the span of a call. The span does not name a tool that was not offered, because the model invented
// it.
func (t *telemetry) startTool(ctx context.Context, c *tools.Call, offered bool) (context.Context, *span) {
	if t == nil {
		return ctx, nil
	}
	name := ""
	if offered {
		name = c.Name()
	}
	attrs := textAttributes("gen_ai.tool.name", name, "gen_ai.tool.call.id", c.ID(),
		"gen_ai.tool.type", "function", "gen_ai.agent.name", t.name)
	return t.beginSpan(ctx, "execute_tool", name, trace.SpanKindInternal, attrs)
}

// endTool ends the span of a call at that time, because the consumer may have been busy since. The span of a call that
// was not made ends now. The error type is a word of this package or the Code of a [tools.FatalError], never the text
// of an error, which may contain anything.
func (s *span) endTool(o callOutcome, tool string, at time.Time) {
	if s == nil {
		return
	}
	how := toolErrorType(o)
	if at.IsZero() {
		s.endSpan(how)
		return
	}
	s.toolDuration.Record(s.ctx, o.took.Seconds(), metric.WithAttributes(textAttributes(
		"gen_ai.tool.name", tool, "gen_ai.tool.type", "function", "gen_ai.agent.name", s.name, "error.type", how)...))
	s.endSpan(how, trace.WithTimestamp(at))
}

func errorCode(err error) string {
	if failed, ok := errors.AsType[*RunError](err); ok {
		return string(failed.Code)
	}
	return string(CodeInternal)
}

// toolErrorType returns how a call failed, or "".
func toolErrorType(o callOutcome) string {
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

// endSpan ends the span. how is its error.type, or empty.
func (s *span) endSpan(how string, o ...trace.SpanEndOption) {
	if how != "" {
		s.SetAttributes(attribute.String("error.type", how))
		s.SetStatus(codes.Error, how)
	}
	s.End(o...)
}

// usageAttributes returns the attributes of u. By the conventions the input includes cache reads and writes.
func usageAttributes(u Usage) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.Int64("gen_ai.usage.input_tokens", u.inputTotal()),
		attribute.Int64("gen_ai.usage.output_tokens", u.Output),
		attribute.Int64("gen_ai.usage.cache_read.input_tokens", u.CacheRead),
		attribute.Int64("gen_ai.usage.cache_write.input_tokens", u.CacheWrite),
	}
}
