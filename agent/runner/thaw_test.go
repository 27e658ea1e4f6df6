package runner_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// A process that thaws between the takeover of a run and the claim of its stage takes the stage from the process that
// has the run now. The run continues all the same, and its stage ends with it.
func TestARunOutlivesAThawedProcessThatTakesItsStage(t *testing.T) {
	t.Parallel()
	// With the first lease the claim is noticed during the run, and with the second one at its end.
	for _, lease := range []time.Duration{6 * time.Second, 30 * time.Second} {
		stolen := 0
		for thaw := 11; thaw <= 40; thaw++ {
			synctest.Test(t, func(t *testing.T) {
				if loseStageToThawed(t, lease, time.Duration(thaw)*time.Second) {
					stolen++
				}
			})
		}
		assert.Greater(t, stolen, 5, "the stage was taken while the run was going on")
	}
}

// loseStageToThawed lets the second of three processes freeze right before it claims the stage, and thaw when the third
// one has the run. It reports whether it got the stage before the run had ended.
func loseStageToThawed(t *testing.T, lease, thaw time.Duration) (isStolen bool) {
	t.Helper()
	pipeline := tracking.Uploads()
	for i := range pipeline.Stages {
		if pipeline.Stages[i].Stage == tracking.Enrichment {
			pipeline.Stages[i].Lease, pipeline.Stages[i].Heartbeat = lease, lease/3
		}
	}
	var effects shelf
	d := table.NewMemory(nil)
	tr, session := newUpload(t, d, pipeline)
	frozen, claimed := &freezer{thaw: thaw}, new(atomic.Bool)
	freezing := &hooked{Driver: d, put: func(ctx context.Context, k table.Key, _ table.Row, do func() error) error {
		frozen.wait(k.Sort())
		err := do()
		if k.Sort() == "meta" && err == nil {
			claimed.Store(true)
		}
		return err
	}}
	dying := newDoomed(d, 1<<30, 0)
	host := func(d table.Driver) runner.Host {
		return stagedHost(t, d, pipeline, slowly(4*time.Second, librarian(2)), effects.tool(t))
	}
	a, b := newProcess(t, dying, host(dying), nil), newProcess(t, freezing, host(freezing), nil)
	c := newProcess(t, d, host(d), nil)
	run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Put two books."})
	require.NoError(t, err)
	<-time.After(time.Second)
	dying.left.Store(0)
	<-time.After(15 * time.Second)
	require.NoError(t, b.Recover(t.Context(), b.table.System()))
	<-time.After(time.Second)
	require.True(t, frozen.began.Load(), "it is frozen before its claim")
	stop := c.watch(t)
	events := tell(t, collect(t, c, session, run.ID))
	isStolen = claimed.Load()
	checkTelling(t, events)
	assert.JSONEq(t, `{"type":"finished","outcome":"complete"}`, last(events))
	rec, err := tr.Get(t.Context(), session)
	require.NoError(t, err)
	assert.Equal(t, tracking.StateWaiting, rec.Stage(tracking.Enrichment).State, "the stage ends before the run")
	<-time.After(time.Minute)
	stop()
	a.shutDown(t)
	b.shutDown(t)
	assert.Len(t, effects.effects, 2, "every effect happened once")
	checkHistory(t, c, session)
	return isStolen
}

// freezer freezes a process when it claims its stage. Its writes of HEAD arrive a second after the claim.
type freezer struct {
	thaw  time.Duration
	began atomic.Bool
	once  sync.Once
	end   time.Time
}

// wait waits until the write of an item arrives.
func (f *freezer) wait(sort string) {
	switch {
	case sort == "meta":
		f.once.Do(func() {
			f.end = time.Now().Add(f.thaw)
			f.began.Store(true)
			<-time.After(f.thaw)
		})
	case f.began.Load() && strings.HasPrefix(sort, "run#"):
		<-time.After(time.Until(f.end.Add(time.Second)))
	}
}

// A run whose stage is taken by other work, or whose record is cancelled, is not continued by any process.
func TestARunWhoseStageIsTakenByOtherWorkIsStopped(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(*testing.T, *tracking.Tracker, scope.Scope, string){
		"cancel": func(t *testing.T, tr *tracking.Tracker, session scope.Scope, _ string) {
			_, err := tr.Cancel(t.Context(), session)
			require.NoError(t, err)
		},
		"accept": func(t *testing.T, tr *tracking.Tracker, session scope.Scope, run string) {
			o := &tracking.ClaimOptions{Key: run, TakeOver: true}
			attempt, err := tr.Claim(t.Context(), session, tracking.Enrichment, o)
			require.NoError(t, err)
			require.NoError(t, attempt.Park(t.Context(), 0))
			_, err = tr.Claim(t.Context(), session, tracking.Enrichment, &tracking.ClaimOptions{Key: "accept"})
			require.NoError(t, err)
		},
	} {
		for notice, pause := range map[string]time.Duration{"by a heartbeat": 26 * time.Second, "at the end": 2 * time.Second} {
			t.Run(name+" that is noticed "+notice, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					d := table.NewMemory(nil)
					tr, session := newUpload(t, d, tracking.Uploads())
					p := newProcess(t, d, stagedHost(t, d, tracking.Uploads(), slowly(pause, librarian(0))), nil)
					stop := p.watch(t)
					run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Hello?"})
					require.NoError(t, err)
					<-time.After(time.Second)
					take(t, tr, session, run.ID)
					before, err := tr.Get(t.Context(), session)
					require.NoError(t, err)
					events := collect(t, p, session, run.ID)
					assert.JSONEq(t, `{"type":"finished","outcome":"stopped"}`, last(events))
					assert.NotContains(t, types(events), "retract", "it was not taken over")
					rec, err := tr.Get(t.Context(), session)
					require.NoError(t, err)
					assert.Equal(t, before.Version, rec.Version, "the run does not change the record")
					stop()
				})
			})
		}
	}
}

// A process that thaws after the run has ended elsewhere does not take a place for it again.
func TestAThawedProcessDoesNotTakeAPlaceForARunThatHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		freezing := newDoomed(d, 1<<30, 90*time.Second)
		var effects shelf
		tool := effects.tool(t)
		a := newProcess(t, freezing, hostOf(t, slowly(time.Minute, librarian(2)), tool), withLimits(t, freezing))
		b := newProcess(t, d, hostOf(t, librarian(2), tool), withLimits(t, d))
		session := newSession(t)
		run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Put two books."})
		require.NoError(t, err)
		<-time.After(20500 * time.Millisecond) // the next heartbeat renews the place too
		freezing.left.Store(0)
		stop := b.watch(t)
		checkTelling(t, tell(t, collect(t, b, session, run.ID)))
		checkNothingReserved(t, b, session)
		<-freezing.thawed
		<-time.After(time.Second)
		checkNothingReserved(t, b, session)
		stop()
		a.shutDown(t)
	})
}
