package runner_test

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// A run that waits in the queue is not the cause of the deaths of its processes, however many there are.
func TestARunThatWaitsOutlivesManyProcesses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		host := hostOf(t, agenttest.Func(func(context.Context, *agent.Request) ([]agent.Delta, error) { return say("Hi."), nil }))
		open := func(d table.Driver) (*process, *admission.Admission) {
			a := newAdmission(t, d, &admission.Options{UserRuns: 1})
			return newProcess(t, d, host, &runner.Options{Admission: a}), a
		}
		clean, places := open(d)
		hold, err := places.Enter(t.Context(), newSession(t), "other")
		require.NoError(t, err)
		session := newSession(t)
		var run *runner.Run
		for range 10 {
			mortal := newDoomed(d, 1<<30, 0)
			p, _ := open(mortal)
			stop := p.watch(t)
			if run == nil {
				run, err = p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Hello?"})
				require.NoError(t, err)
				require.Equal(t, runner.StatusQueued, run.Status)
			}
			<-time.After(20 * time.Second)
			require.NoError(t, hold.Renew(t.Context()))
			mortal.left.Store(0) // it is killed
			stop()
			<-time.After(20 * time.Second)
			require.NoError(t, hold.Renew(t.Context()))
		}
		require.NoError(t, hold.Leave(t.Context()))
		stop := clean.watch(t)
		events := collect(t, clean, session, run.ID)
		stop()
		assert.JSONEq(t, `{"type":"finished","outcome":"complete"}`, last(events))
		assert.Equal(t, "Hi.", textOf(t, tell(t, events)))
	})
}

// A run that makes its process crash ends after five more processes have died of it. Its stage ends too.
func TestARunThatKillsItsProcessesFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		tr, session := newUpload(t, d, tracking.Uploads())
		var deaths atomic.Int32
		for {
			mortal := newDoomed(d, 1<<30, 0)
			crash := func(ctx context.Context, _ *runner.Run, _ agent.Input) iter.Seq2[agent.Event, error] {
				return func(yield func(agent.Event, error) bool) {
					deaths.Add(1)
					mortal.left.Store(0)
					<-ctx.Done()
					yield(nil, context.Cause(ctx))
				}
			}
			host := stagedHost(t, mortal, tracking.Uploads(), librarian(0))
			host.Stream = crash
			p := newProcess(t, mortal, host, nil)
			stop := p.watch(t)
			if deaths.Load() == 0 {
				_, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Hello?"})
				require.NoError(t, err)
			}
			<-time.After(time.Minute)
			stop()
			if run, err := p.Get(t.Context(), session, session.SessionID()+".1"); err == nil && run.Status.HasEnded() {
				events := collect(t, p, session, run.ID)
				assert.Contains(t, last(events), `"code":"lost"`)
				assert.EqualValues(t, 6, deaths.Load())
				rec, err := tr.Get(t.Context(), session)
				require.NoError(t, err)
				assert.Equal(t, tracking.StateWaiting, rec.Stage(tracking.Enrichment).State)
				return
			}
			require.Less(t, deaths.Load(), int32(10))
		}
	})
}
