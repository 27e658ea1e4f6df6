package runner_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tracking"
)

// watch recovers runs in p until the test ends.
func (p *process) watch(t testing.TB) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { p.Watch(ctx, p.table.System()) })
	return func() {
		cancel()
		wg.Wait()
		p.shutDown(t)
	}
}

func TestShutdownHandsRunsOverAtACheckpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		var effects shelf
		host := hostOf(t, slowly(time.Second, librarian(2)), effects.tool(t))
		a, b := newProcess(t, d, host, nil), newProcess(t, d, host, nil)
		defer b.watch(t)()
		session := newSession(t)
		run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Put two books."})
		require.NoError(t, err)
		<-time.After(2500 * time.Millisecond)
		a.shutDown(t)
		_, err = a.Start(t.Context(), runner.Request{Scope: newSession(t), Prompt: "One more."})
		require.ErrorIs(t, err, runner.ErrShutdown)
		begin := time.Now()
		events := collect(t, b, session, run.ID)
		assert.Less(t, time.Since(begin), 20*time.Second)
		checkTelling(t, tell(t, events))
		assert.Equal(t, "I put book 0. I put book 1. All is done.", textOf(t, events), "nothing was told twice")
		assert.Equal(t, 2, effects.calls)
	})
}

func TestShutdownInterruptsRunsWhenItsTimeIsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		var effects shelf
		tool := effects.tool(t)
		a := newProcess(t, d, hostOf(t, slowly(time.Minute, librarian(2)), tool), nil)
		b := newProcess(t, d, hostOf(t, librarian(2), tool), nil)
		session := newSession(t)
		run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Put two books."})
		require.NoError(t, err)
		<-time.After(90 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		require.NoError(t, a.Shutdown(ctx), "another process continues the run")
		assert.Equal(t, 10*time.Second, time.Since(begin))
		require.NoError(t, b.Recover(t.Context(), b.table.System()), "its lease was given back")
		events := collect(t, b, session, run.ID)
		checkTelling(t, tell(t, events))
		assert.Contains(t, types(events), "retract")
		b.shutDown(t)
	})
}

func TestAStopRequestOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		dying := newDoomed(d, 1<<30, 0)
		host := hostOf(t, slowly(time.Second, librarian(2)))
		a, b := newProcess(t, dying, host, nil), newProcess(t, d, host, nil)
		session := newSession(t)
		run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
		require.NoError(t, err)
		<-time.After(time.Second)
		dying.left.Store(0)
		require.NoError(t, b.Stop(t.Context(), session, run.ID))
		defer b.watch(t)()
		events := tell(t, collect(t, b, session, run.ID))
		assert.JSONEq(t, `{"type":"finished","outcome":"stopped"}`, last(events))
		assert.Empty(t, textOf(t, events))
		a.shutDown(t)
	})
}

// With a table that no other process has, a process does not wait for the leases of the process before.
func TestAnExclusiveTableIsRecoveredAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "runs.db")
	var effects shelf
	tool := effects.tool(t)
	session := newSession(t)
	var run *runner.Run
	exclusive := &runner.Options{Exclusive: true}
	open := func(then func(d table.Driver)) {
		d, err := bolt.Open(path)
		require.NoError(t, err)
		defer func() { require.NoError(t, d.Close()) }()
		then(d)
	}
	open(func(d table.Driver) {
		dying := newDoomed(d, 1<<30, 0)
		model := agenttest.Func(func(ctx context.Context, r *agent.Request) ([]agent.Delta, error) {
			if len(r.Messages) > 2 {
				dying.left.Store(0) // killed in its second answer
			}
			var deltas []agent.Delta
			for delta, err := range librarian(2).Stream(ctx, r) {
				if err != nil {
					return deltas, err
				}
				deltas = append(deltas, delta)
			}
			return deltas, nil
		})
		p := newProcess(t, dying, hostOf(t, model, tool), &runner.Options{Exclusive: true, Lease: time.Second})
		var err error
		run, err = p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Put two books."})
		require.NoError(t, err)
		require.NoError(t, p.Wait(t.Context(), session, run.ID))
		p.shutDown(t)
	})
	open(func(d table.Driver) {
		p := newProcess(t, d, hostOf(t, librarian(2), tool), exclusive)
		require.NoError(t, p.Recover(t.Context(), p.table.System()))
		checkTelling(t, tell(t, collect(t, p, session, run.ID)))
		p.shutDown(t)
		assert.Len(t, effects.effects, 2)
		checkHistory(t, p, session)
	})
}

func TestAQueuedRunStartsWhenAPlaceIsFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		limits := newAdmission(t, d, &admission.Options{UserRuns: 1, TenantRuns: 1, Queue: 2})
		p := newProcess(t, d, hostOf(t, slowly(time.Second, librarian(0))), &runner.Options{Admission: limits})
		defer p.shutDown(t)
		var sessions []scope.Scope
		var runs []*runner.Run
		for range 3 {
			session := newSession(t)
			run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
			require.NoError(t, err)
			sessions, runs = append(sessions, session), append(runs, run)
		}
		_, err := p.Start(t.Context(), runner.Request{Scope: newSession(t), Prompt: "Go."})
		full, ok := errors.AsType[*admission.FullError](err)
		require.True(t, ok, "%v", err)
		assert.GreaterOrEqual(t, full.RetryAfter, time.Second)
		assert.Equal(t, runner.StatusQueued, runs[1].Status)
		require.NoError(t, p.Stop(t.Context(), sessions[1], runs[1].ID))
		assert.Equal(t, []string{"run_queued", "finished"}, types(collect(t, p, sessions[1], runs[1].ID)))
		events := collect(t, p, sessions[2], runs[2].ID)
		assert.Equal(t, []string{"run_queued", "run_started", "user_message", "step_started", "text_delta", "step_finished", "finished"}, types(events))
		assert.Contains(t, last(events), "complete")
	})
}

func TestForgedRowsDoNotTouchOtherScopes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		p := newProcess(t, d, hostOf(t, librarian(0)), nil)
		defer p.shutDown(t)
		session := newSession(t)
		v, err := p.table.In(session)
		require.NoError(t, err)
		for _, sort := range []string{"run#x", "run#00000000", "meta", "run#00000007"} {
			_, err = v.Put(t.Context(), table.Item{Sort: sort, Index: []table.Entry{{
				Slot: table.I3, Level: scope.None, Class: "run", Shard: 3, Sort: "1999-01-01T00:00:00.000Z",
			}}}, table.Absent())
			require.NoError(t, err)
		}
		err = p.Recover(t.Context(), p.table.System())
		require.ErrorContains(t, err, "run#00000007")
		assert.NotContains(t, err.Error(), "meta")
	})
}

// A run with a stage: the stage is taken over with the run, and its transition comes before the last event.
func TestAStageIsTakenOverWithItsRun(t *testing.T) {
	t.Parallel()
	n := 0
	synctest.Test(t, func(t *testing.T) { n = trackedRun(t, 0, 1<<30, 0) })
	for k := 1; k <= n; k++ {
		for _, pause := range []time.Duration{0, 11 * time.Second, time.Minute} {
			synctest.Test(t, func(t *testing.T) { trackedRun(t, 0, k, pause) })
		}
		synctest.Test(t, func(t *testing.T) { trackedRun(t, time.Second, k, 5*time.Second) }) // only the stage's lease expires
	}
}

// newUpload returns a session whose upload has arrived.
func newUpload(t *testing.T, d table.Driver, pipeline tracking.Pipeline) (*tracking.Tracker, scope.Scope) {
	t.Helper()
	tb, err := table.New(d, nil)
	require.NoError(t, err)
	tr, err := tracking.New(tb, pipeline, nil)
	require.NoError(t, err)
	session := newSession(t)
	_, err = tr.Create(t.Context(), session, nil)
	require.NoError(t, err)
	_, err = tr.Observe(t.Context(), session, tracking.Observation{Stage: tracking.UserUpload})
	require.NoError(t, err)
	return tr, session
}

// stagedHost returns a Host with a stage, which it parks at the end of a run.
func stagedHost(t *testing.T, d table.Driver, pipeline tracking.Pipeline, m agent.Model, tool ...*tools.Tool) runner.Host {
	t.Helper()
	host := hostOf(t, m, tool...)
	tb, err := table.New(d, nil)
	require.NoError(t, err)
	tr, err := tracking.New(tb, pipeline, nil)
	require.NoError(t, err)
	host.Stage = func(ctx context.Context, r *runner.Run) (*tracking.Attempt, error) {
		a, err := tr.Claim(ctx, r.Scope, tracking.Enrichment, &tracking.ClaimOptions{Key: r.ID, TakeOver: r.TakenOver})
		if r.TakenOver && errors.Is(err, tracking.ErrTaken) { // the process before has not claimed it, or has parked it
			rec, err := tr.Get(ctx, r.Scope)
			if err == nil && rec.Stage(tracking.Enrichment).State == tracking.StateWaiting {
				return nil, nil
			}
			return tr.Claim(ctx, r.Scope, tracking.Enrichment, &tracking.ClaimOptions{Key: r.ID})
		}
		return a, err
	}
	host.End = func(ctx context.Context, r *runner.Run, _ runner.Result) error {
		if r.Attempt == nil {
			return nil
		}
		return r.Attempt.Park(ctx, 0)
	}
	return host
}

// trackedRun runs an agent with a stage in a process that is killed or frozen at its n-th write. The lease of the stage is
// the default if it is zero.
func trackedRun(t *testing.T, lease time.Duration, writes int, pause time.Duration) (made int) {
	t.Helper()
	pipeline := tracking.Uploads()
	for i := range pipeline.Stages {
		if pipeline.Stages[i].Stage == tracking.Enrichment && lease > 0 {
			pipeline.Stages[i].Lease, pipeline.Stages[i].Heartbeat = lease, 0
		}
	}
	var effects shelf
	d := table.NewMemory(nil)
	hostOn := func(d table.Driver) runner.Host {
		return stagedHost(t, d, pipeline, slowly(time.Second, librarian(2)), effects.tool(t))
	}
	tr, session := newUpload(t, d, pipeline)
	dying := newDoomed(d, writes, pause)
	begin := dying.left.Load()
	a, b := newProcess(t, dying, hostOn(dying), nil), newProcess(t, d, hostOn(d), nil)
	stop := b.watch(t)
	run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Put two books.", Key: "k"})
	if err != nil {
		run, err = b.Start(t.Context(), runner.Request{Scope: session, Prompt: "Put two books.", Key: "k"})
	}
	require.NoError(t, err)
	checkTelling(t, tell(t, collect(t, b, session, run.ID)))
	rec, err := tr.Get(t.Context(), session)
	require.NoError(t, err)
	assert.Equal(t, tracking.StateWaiting, rec.Stage(tracking.Enrichment).State, "it is parked before the last event")
	<-time.After(2 * time.Minute)
	stop()
	a.shutDown(t)
	checkHistory(t, b, session)
	return int(begin - dying.left.Load())
}

// The stage of a run that is stopped after its process has died ends with the run, also if the next process cannot
// claim it for longer than a lease.
func TestAStoppedRunEndsTheStageOfItsDeadProcess(t *testing.T) {
	t.Parallel()
	for _, outage := range []time.Duration{0, 15 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			d := table.NewMemory(nil)
			pipeline := tracking.Uploads()
			tr, session := newUpload(t, d, pipeline)
			dying := newDoomed(d, 1<<30, 0)
			m := slowly(time.Minute, librarian(0))
			host := stagedHost(t, d, pipeline, m)
			claim := host.Stage
			var first time.Time
			host.Stage = func(ctx context.Context, r *runner.Run) (*tracking.Attempt, error) {
				if first.IsZero() {
					first = time.Now()
				}
				if time.Since(first) < outage {
					return nil, errors.New("the table does not answer")
				}
				return claim(ctx, r)
			}
			a, b := newProcess(t, dying, stagedHost(t, dying, pipeline, m), nil), newProcess(t, d, host, nil)
			run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Hello?"})
			require.NoError(t, err)
			<-time.After(time.Second)
			dying.left.Store(0)
			rec, err := tr.Get(t.Context(), session)
			require.NoError(t, err)
			require.Equal(t, tracking.StateRunning, rec.Stage(tracking.Enrichment).State)

			require.NoError(t, b.Stop(t.Context(), session, run.ID))
			stop := b.watch(t)
			assert.JSONEq(t, `{"type":"finished","outcome":"stopped"}`, last(collect(t, b, session, run.ID)))
			rec, err = tr.Get(t.Context(), session)
			require.NoError(t, err)
			assert.Equal(t, tracking.StateWaiting, rec.Stage(tracking.Enrichment).State)
			stop()
			a.shutDown(t)
		})
	}
}
