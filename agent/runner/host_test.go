package runner_test

import (
	"context"
	"iter"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tracking"
)

// hostThat returns a Host one of whose functions calls f.
func hostThat(t testing.TB, function string, f func()) runner.Host {
	t.Helper()
	host := hostOf(t, librarian(0))
	stream := host.Stream
	switch function {
	case "stream":
		host.Stream = func(context.Context, *runner.Run, agent.Input) iter.Seq2[agent.Event, error] { f(); return nil }
	case "events":
		host.Stream = func(ctx context.Context, r *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
			return func(yield func(agent.Event, error) bool) {
				for ev, err := range stream(ctx, r, in) {
					if !yield(ev, err) {
						return
					}
					f()
				}
			}
		}
	case "prompt":
		host.Prompt = func(context.Context, *runner.Run) (string, []tools.Media, error) { f(); return "", nil, nil }
	case "stage":
		host.Stage = func(context.Context, *runner.Run) (*tracking.Attempt, error) { f(); return nil, nil }
	case "custom":
		host.Custom = func(context.Context, *runner.Run, agent.Event) ([]runner.Custom, error) { f(); return nil, nil }
	case "end":
		host.End = func(context.Context, *runner.Run, runner.Result) error { f(); return nil }
	}
	return host
}

// A function of the host that panics, or ends its goroutine as the FailNow of a test does, fails its run. The run leaves
// neither a place nor a count nor a lease behind.
func TestAHostThatBreaksFailsItsRun(t *testing.T) {
	t.Parallel()
	for what, f := range map[string]func(){"panics": func() { panic("no") }, "exits": runtime.Goexit} {
		for _, function := range []string{"stream", "events", "prompt", "stage", "custom", "end"} {
			t.Run(function+" "+what, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					d := table.NewMemory(nil)
					tb := must.Get(table.New(d, nil))
					limits := must.Get(admission.New(tb.System(), nil))
					p := newProcess(t, d, hostThat(t, function, f), &runner.Options{Admission: limits, MaxRuns: 1})
					session := newSession(t)
					for range 2 {
						run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
						require.NoError(t, err)
						require.NoError(t, p.Wait(t.Context(), session, run.ID))
						assert.Equal(t, runner.StatusFailed, endsWithin(t, p, session, run.ID, time.Minute))
					}
					for _, level := range []scope.Level{scope.UserLevel, scope.TenantLevel} {
						view := must.Get(tb.System().Above(session, level))
						page := must.Get(view.Query(t.Context(), table.Query{From: "slot#", To: "slot$", Consistent: true}))
						assert.Empty(t, page.Items)
					}
					p.shutDown(t)
				})
			})
		}
	}
}
