package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/carrel-go/carrel/tools"
)

// recorder is a provider of traces and metrics that records lines.
type recorder struct {
	tracenoop.TracerProvider
	mu    sync.Mutex
	ended []string
	open  int
	seen  []string // measurements
	links []trace.Link
}

type recordedKey struct{}

func (r *recorder) Tracer(string, ...trace.TracerOption) trace.Tracer { return tracer{recorder: r} }

type tracer struct {
	tracenoop.Tracer
	*recorder
}

func (t tracer) Start(ctx context.Context, name string, o ...trace.SpanStartOption) (context.Context, trace.Span) {
	c := trace.NewSpanStartConfig(o...)
	s := &recorded{by: t.recorder, name: name, kind: c.SpanKind(), attrs: c.Attributes()}
	if p, ok := ctx.Value(recordedKey{}).(*recorded); ok {
		s.parent = p.name
	}
	t.mu.Lock()
	t.open++
	t.mu.Unlock()
	t.links = append(t.links, c.Links()...)
	return trace.ContextWithSpan(context.WithValue(ctx, recordedKey{}, s), s), s
}

type recorded struct {
	tracenoop.Span
	by           *recorder
	name, parent string
	kind         trace.SpanKind
	attrs        []attribute.KeyValue
	status       string
}

func (s *recorded) SpanContext() trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
}

func (s *recorded) SetAttributes(kv ...attribute.KeyValue) { s.attrs = append(s.attrs, kv...) }
func (s *recorded) SetStatus(c codes.Code, d string)       { s.status = c.String() + " " + d }
func (s *recorded) End(...trace.SpanEndOption) {
	s.by.mu.Lock()
	defer s.by.mu.Unlock()
	s.by.open--
	s.by.ended = append(s.by.ended, strings.TrimSpace(fmt.Sprintf("%s < %s (%s) %s %s", s.name, s.parent, s.kind, attrLine(s.attrs), s.status)))
}

func attrLine(kv []attribute.KeyValue) string {
	var out []string
	for _, a := range kv {
		out = append(out, string(a.Key)+"="+a.Value.String())
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

type meters struct {
	metricnoop.MeterProvider
	*recorder
}

func (m meters) Meter(string, ...metric.MeterOption) metric.Meter { return meter{recorder: m.recorder} }

type meter struct {
	metricnoop.Meter
	*recorder
}

func (m meter) Int64Histogram(name string, _ ...metric.Int64HistogramOption) (metric.Int64Histogram, error) {
	return counts{recorder: m.recorder, name: name}, nil
}

func (m meter) Float64Histogram(name string, _ ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return durations{recorder: m.recorder, name: name}, nil
}

func (m meter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return recordedCounter{recorder: m.recorder, name: name}, nil
}

type recordedCounter struct {
	metricnoop.Int64Counter
	*recorder
	name string
}

func (h recordedCounter) Add(_ context.Context, n int64, o ...metric.AddOption) {
	set := metric.NewAddConfig(o).Attributes()
	h.measured(fmt.Sprintf("%s +%d %s", h.name, n, attrLine(set.ToSlice())))
}

type counts struct {
	metricnoop.Int64Histogram
	*recorder
	name string
}

func (h counts) Record(_ context.Context, n int64, o ...metric.RecordOption) {
	set := metric.NewRecordConfig(o).Attributes()
	h.measured(fmt.Sprintf("%s %d %s", h.name, n, attrLine(set.ToSlice())))
}

type durations struct {
	metricnoop.Float64Histogram
	*recorder
	name string
}

func (h durations) Record(_ context.Context, s float64, o ...metric.RecordOption) {
	set := metric.NewRecordConfig(o).Attributes()
	if s < 0 {
		panic("a negative duration")
	}
	h.measured(h.name + " " + attrLine(set.ToSlice()))
}

func (r *recorder) measured(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, line)
}

func observed(t testing.TB, m Model, ts ...*tools.Tool) (*Agent, *recorder) {
	t.Helper()
	r := &recorder{}
	a, err := New(described{m}, &Options{Name: "clerk", Tools: tools.Of(ts...), Tracer: r, Meter: meters{recorder: r}, Limits: Limits{Parallel: 1}})
	require.NoError(t, err)
	return a, r
}

// The spans and metrics of a run have the names of the GenAI conventions, and do not hold content of the conversation.
func TestTelemetryFollowsTheConventions(t *testing.T) {
	t.Parallel()
	a, r := observed(t, play(
		step{text("PRIVATE"), use("c1", "echo", `{"word":"PRIVATE"}`), use("c2", "echo", `{"word":"mend"}`), use("c3", "PRIVATE_invented", `{}`), use("c4", "echo", `{"word":"secret"}`), use("c5", "echo", `{"word":"panic"}`),
			UsageReport{Usage: Usage{Input: 10, Output: 3, CacheRead: 4, CacheWrite: 2}}, calls},
		step{text("PRIVATE"), end, UsageReport{Usage: Usage{Input: 1, Output: 1}}},
	), echo(t))
	_, err := a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "PRIVATE"})
	require.NoError(t, err)
	who := "gen_ai.agent.name=clerk"
	model := " gen_ai.provider.name=p gen_ai.request.model=m gen_ai.request.stream=true gen_ai.response.finish_reasons="
	tool := func(name, id, errorType string) string {
		span, of := "execute_tool", ""
		if name != "" {
			span, of = "execute_tool "+name, " gen_ai.tool.name="+name
		}
		s := span + " < invoke_agent clerk (internal) "
		if errorType != "" {
			s += "error.type=" + errorType + " "
		}
		s += who + " gen_ai.operation.name=execute_tool gen_ai.tool.call.id=" + id + of + " gen_ai.tool.type=function"
		if errorType != "" {
			s += " Error " + errorType
		}
		return s
	}
	require.Equal(t, []string{
		"chat m < invoke_agent clerk (client) " + who + " gen_ai.operation.name=chat" + model + `["tool_use"] gen_ai.usage.cache_read.input_tokens=4 gen_ai.usage.cache_write.input_tokens=2 gen_ai.usage.input_tokens=16 gen_ai.usage.output_tokens=3`,
		tool("echo", "c1", ""), tool("echo", "c2", "correction"), tool("", "c3", "correction"), tool("echo", "c4", "tool_failed"), tool("echo", "c5", "panic"),
		"chat m < invoke_agent clerk (client) " + who + " gen_ai.operation.name=chat" + model + `["end_turn"] gen_ai.usage.cache_read.input_tokens=0 gen_ai.usage.cache_write.input_tokens=0 gen_ai.usage.input_tokens=1 gen_ai.usage.output_tokens=1`,
		"invoke_agent clerk <  (internal) " + who + " gen_ai.operation.name=invoke_agent gen_ai.request.model=m gen_ai.usage.input_tokens=17 gen_ai.usage.output_tokens=4",
	}, r.ended)
	about := " " + who + " gen_ai.operation.name=chat gen_ai.provider.name=p gen_ai.request.model=m"
	inference := func(line string) string { return strings.Replace("gen_ai.client.inference."+line, "|", about, 1) }
	ofTool := func(name, errorType string) string {
		line := "gen_ai.execute_tool.duration "
		if errorType != "" {
			line += "error.type=" + errorType + " "
		}
		return line + who + " gen_ai.tool.name=" + name + " gen_ai.tool.type=function"
	}
	ofRun := " " + who + " gen_ai.request.model=m"
	require.ElementsMatch(t, []string{
		inference("operation.input_tokens 16|"), inference("operation.output_tokens 3|"),
		inference("operation.input_tokens 1|"), inference("operation.output_tokens 1|"),
		inference("usage.input_tokens +16|"), inference("usage.output_tokens +3|"),
		inference("usage.cache_read.input_tokens +4|"), inference("usage.cache_write.input_tokens +2|"),
		inference("usage.input_tokens +1|"), inference("usage.output_tokens +1|"),
		inference("usage.cache_read.input_tokens +0|"), inference("usage.cache_write.input_tokens +0|"),
		inference("duration|"), inference("duration|"),
		inference("time_to_first_chunk|"), inference("time_to_first_chunk|"),
		ofTool("echo", ""), ofTool("echo", "correction"), ofTool("echo", "tool_failed"), ofTool("echo", "panic"),
		"gen_ai.invoke_agent.duration" + ofRun,
		"gen_ai.invoke_agent.inference_calls 2" + ofRun, "gen_ai.invoke_agent.tool_calls 5" + ofRun,
	}, r.seen)
	require.NotContains(t, strings.Join(append(r.ended, r.seen...), "\n"), "PRIVATE")
	require.NotContains(t, strings.Join(r.seen, "\n"), "acme", "no tenant on a metric")
}

func TestSpansEndHoweverTheRunEnds(t *testing.T) {
	t.Parallel()
	one := step{text("a"), use("c1", "echo", `{"word":"fatal"}`), calls}
	for name, c := range map[string]struct {
		step step
		do   func(a *Agent, in Input)
		want []string
	}{
		"failed":   {step{&ModelError{Code: CodeThrottled}}, nil, []string{"Error throttled", "Error throttled"}},
		"panicked": {step{func(context.Context) { panic("x") }}, nil, []string{"Error internal", "Error internal"}},
		"fatal":    {one, nil, []string{`"tool_use"`, "Error not_an_image", "Error not_an_image"}},
		"refused":  {nil, func(a *Agent, in Input) { in.Prompt = ""; _, _ = a.Run(t.Context(), in) }, []string{"Error invalid_call"}},
		"left": {one, func(a *Agent, in Input) {
			for ev := range a.Stream(t.Context(), in) {
				if _, ok := ev.(StepStarted); !ok {
					break
				}
			}
		}, []string{"Error left", "Error left"}},
		"the consumer panics": {one, func(a *Agent, in Input) {
			require.Panics(t, func() {
				for ev := range a.Stream(t.Context(), in) {
					if _, ok := ev.(StepStarted); ok {
						continue
					}
					panic("mine")
				}
			})
		}, []string{"Error left", "Error left"}},
		"cancelled": {one, func(a *Agent, in Input) {
			ctx, cancel := context.WithCancel(t.Context())
			for ev := range a.Stream(ctx, in) {
				if _, ok := ev.(TextDelta); ok {
					cancel()
				}
			}
			cancel()
		}, []string{`"tool_use"`, "Error cancelled"}},
	} {
		t.Run(name, func(t *testing.T) {
			a, r := observed(t, play(c.step), echo(t))
			in := Input{Scope: tenant(t, "acme"), Prompt: "Go."}
			if c.do == nil {
				_, _ = a.Run(t.Context(), in)
			} else {
				c.do(a, in)
			}
			require.Zero(t, r.open)
			require.Len(t, r.ended, len(c.want))
			for i, want := range c.want {
				require.Contains(t, r.ended[i], want)
			}
		})
	}
}

// A Tracer or a Meter is enough, and the model need not describe itself.
func TestTelemetryNeedsOneProvider(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	for _, o := range []*Options{{Tracer: r}, {Meter: meters{recorder: r}}} {
		a, err := New(play(step{text("a"), end}), o)
		require.NoError(t, err)
		_, err = a.Run(t.Context(), Input{Prompt: "Go."})
		require.NoError(t, err)
	}
	require.Len(t, r.ended, 2)
	require.True(t, strings.HasPrefix(r.ended[0], "chat < invoke_agent (client)"))
	require.Equal(t, []string{
		"gen_ai.client.inference.time_to_first_chunk gen_ai.operation.name=chat",
		"gen_ai.client.inference.duration gen_ai.operation.name=chat",
		"gen_ai.invoke_agent.inference_calls 1 ", "gen_ai.invoke_agent.tool_calls 0 ", "gen_ai.invoke_agent.duration ",
	}, r.seen)
}

// The link also works for a checkpoint that was stored.
func TestResumedRunLinksToTheEarlierTrace(t *testing.T) {
	t.Parallel()
	sc := tenant(t, "acme")
	a, r := observed(t, play(step{text("a"), end}))
	done, err := a.Run(t.Context(), Input{Scope: sc, Run: "r1", Prompt: "Go."})
	require.NoError(t, err)
	require.Empty(t, r.links)
	stored, err := json.Marshal(done.Checkpoint)
	require.NoError(t, err)
	c, err := decodeCheckpoint(stored)
	require.NoError(t, err)
	_, err = a.Run(t.Context(), Input{Scope: sc, Run: "r1", History: done.History, Resume: c})
	require.NoError(t, err)
	require.Len(t, r.links, 1)
	require.Equal(t, trace.TraceID{1}, r.links[0].SpanContext.TraceID())
	require.Equal(t, trace.SpanID{2}, r.links[0].SpanContext.SpanID())
	require.True(t, r.links[0].SpanContext.IsSampled())

	for _, bad := range []string{"x", "00-" + strings.Repeat("0", 32) + "-0000000000000002-01", strings.Repeat("a", 55)} {
		c.at.Trace = bad
		require.ErrorContains(t, c.check(), "invalid trace", bad)
	}
}

// A tool may name its failure like an outcome. The run has still failed.
func TestAFailureWithTheNameOfAnOutcomeIsAnError(t *testing.T) {
	t.Parallel()
	for _, code := range []Outcome{OutcomeComplete, OutcomePending} {
		fatal := mustTool(t, "scan", func(context.Context, *tools.Call, string) (string, error) {
			return "", tools.Fatal(&tools.FatalError{Code: string(code), Message: "No."})
		})
		a, r := observed(t, play(step{use("c1", "scan", `{"word":"a"}`), calls}), fatal)
		_, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
		require.Equal(t, Code(code), failed.Code)
		require.Contains(t, r.ended[len(r.ended)-1], "error.type="+string(code))
	}
}
