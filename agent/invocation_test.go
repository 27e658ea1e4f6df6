package agent

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

type panicky struct{}

func (panicky) Refused(context.Context, scope.Refusal) { panic("the host's") }

// spies are spans that call functions when they start and end.
type spies struct {
	tracenoop.TracerProvider
	start func(name string)
	end   func(name string, at time.Time)
}

func (s spies) Tracer(string, ...trace.TracerOption) trace.Tracer { return spyTracer{by: s} }

type spyTracer struct {
	tracenoop.Tracer
	by spies
}

func (s spyTracer) Start(ctx context.Context, name string, _ ...trace.SpanStartOption) (context.Context, trace.Span) {
	if s.by.start != nil {
		s.by.start(name)
	}
	return ctx, spySpan{by: s.by, name: name}
}

type spySpan struct {
	tracenoop.Span
	by   spies
	name string
}

func (s spySpan) End(o ...trace.SpanEndOption) {
	if s.by.end != nil {
		c := trace.NewSpanEndConfig(o...)
		s.by.end(s.name, c.Timestamp())
	}
}

// The auditor and the spans run in the run's goroutine. The consumer can recover their panics, and no call is left in
// flight.
func TestHostPanicsReachTheConsumer(t *testing.T) {
	t.Parallel()
	boom := func(name string) {
		if name == "execute_tool nap" {
			panic("the host's")
		}
	}
	for name, c := range map[string]struct {
		o      Options
		answer step
	}{
		"auditor, of a tool that is not offered": {Options{Audit: panicky{}}, append(step{use("c9", "gone", `{}`)}, naps("1h")...)},
		"auditor, of arguments":                  {Options{Audit: panicky{}}, append(step{use("c9", "nap", `{}`)}, naps("1h")...)},
		"tracer":                                 {Options{Tracer: spies{start: boom}}, naps("1h")},
		"span":                                   {Options{Tracer: spies{end: func(name string, _ time.Time) { boom(name) }}}, naps("1s")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.o.Tools = tools.Of(nap(t))
				a, err := New(play(c.answer), &c.o)
				require.NoError(t, err)
				require.PanicsWithValue(t, "the host's", func() {
					_, _ = a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
				})
				require.Zero(t, a.Abandoned())
			})
		})
	}
}

// A slow consumer changes neither the outcomes nor the durations of calls.
func TestSlowConsumerDoesNotChangeOutcomes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fails := mustTool(t, "fails", func(context.Context, *tools.Call, string) (string, error) {
			time.Sleep(2 * time.Second)
			return "", errors.New("out of service")
		})
		start := time.Now()
		ends := map[string]time.Duration{}
		a, err := New(play(append(step{use("f", "fails", `{"word":""}`)}, naps("1s", "3s")...), step{text("ok"), end}), &Options{
			Tools:  tools.Of(nap(t), fails),
			Tracer: spies{end: func(name string, at time.Time) { ends[name] = at.Sub(start) }},
		})
		require.NoError(t, err)
		var took []time.Duration
		for ev, err := range a.Stream(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."}) {
			require.NoError(t, err)
			switch ev := ev.(type) {
			case ToolDone:
				took = append(took, ev.Took)
				time.Sleep(time.Hour)
			case Done:
				require.Equal(t, "user: {f! The tool failed.} {c0= slept 1s} {c1= slept 3s}", lines(ev.History)[2])
			}
		}
		require.Equal(t, []time.Duration{time.Second, 2 * time.Second, 3 * time.Second}, took)
		require.Equal(t, 2*time.Second, ends["execute_tool fails"])
		require.Equal(t, 3*time.Second, ends["execute_tool nap"])
		require.Zero(t, a.Abandoned())
	})
}

// The timeout of a call starts with the call, in whatever order calls begin and end.
func TestEachCallHasItsOwnTimeout(t *testing.T) {
	t.Parallel()
	const out = time.Minute + grace
	for name, c := range map[string]struct {
		parallel  int
		words     []string
		took      time.Duration
		abandoned int
	}{
		"one by one":             {1, []string{"deaf 1h", "deaf 1h", "deaf 1h"}, 3 * out, 3},
		"the second begins late": {2, []string{"1s", "deaf 1h", "deaf 1h"}, time.Second + out, 2},
		"behind one that ends":   {1, []string{"10s", "deaf 1h"}, 10*time.Second + out, 1},
		"behind a late one":      {1, []string{"deaf 61s", "deaf 1h", "1s"}, 61*time.Second + out + time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAgent(t, play(naps(c.words...), step{text("ok"), end}), Limits{Parallel: c.parallel}, nap(t))
				start := time.Now()
				_, err := a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
				require.NoError(t, err)
				require.Equal(t, c.took, time.Since(start))
				require.Equal(t, c.abandoned, a.Abandoned())
				time.Sleep(2 * time.Hour)
			})
		})
	}
}
