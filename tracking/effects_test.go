package tracking

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Each transition sets the fields of the record and of its stages.
func TestTransitionsSetFields(t *testing.T) {
	t.Parallel()
	t.Run("start", func(t *testing.T) {
		w := newWorld(t)
		w.bringTo("failed")
		w.passMinute()
		was := w.r.Stage(Enrichment)
		w.startStage()
		p := w.r.Stage(Enrichment)
		require.Equal(t, was.Attempt+1, p.Attempt)
		require.Equal(t, was.Fence+1, p.Fence)
		require.Equal(t, w.now, p.Started)
		require.Equal(t, w.now.Add(30*time.Second), p.Lease)
		require.Equal(t, w.now.Add(15*time.Minute), w.r.Due)
		require.Zero(t, p.Error)
		require.Equal(t, StatusInProgress, w.r.Status)
	})
	t.Run("resume keeps the attempt and its start", func(t *testing.T) {
		w := newWorld(t)
		w.bringTo("again-failed")
		require.Equal(t, StatusFailed, w.r.Status)
		require.Equal(t, "throttled", w.r.Reason)
		was := w.r.Stage(Enrichment)
		w.passMinute()
		w.startStage()
		p := w.r.Stage(Enrichment)
		require.Equal(t, was.Attempt, p.Attempt)
		require.Equal(t, was.Started, p.Started)
		require.Equal(t, was.Fence+1, p.Fence)
		require.Zero(t, p.Ended)
		require.Empty(t, w.r.Reason)
	})
	t.Run("observed inside start", func(t *testing.T) {
		w := newWorld(t)
		c := w.newClaim("run", "w")
		c.observed, c.observedDest = UserUpload, dest
		w.mustApply(w.m.claimStage(w.r, c, w.now))
		require.Equal(t, StateSuccess, w.r.Stage(UserUpload).State)
		require.Equal(t, dest, w.r.Stage(UserUpload).Destination)
		require.Equal(t, StateRunning, w.r.Stage(Enrichment).State)
	})
	t.Run("observed inside start, and that was all that was waited for", func(t *testing.T) {
		p, err := Pipeline{Name: "docs", Stages: []StageSpec{{Stage: UserUpload, External: true}, {Stage: Enrichment, Optional: true}}}.withDefaults()
		require.NoError(t, err)
		w := newWorld(t)
		w.m.pipeline = p
		w.r = w.m.createRecord(Record{Scope: w.r.Scope, Filename: "a.pdf"}, time.Time{}, w.now)
		c := w.newClaim("run", "w")
		c.observed, c.observedDest = UserUpload, dest
		next, write, err := w.m.claimStage(w.r, c, w.now)
		stateOf(t, err, ErrTerminal)
		require.False(t, write)
		require.Equal(t, w.r, next)
	})
	t.Run("due", func(t *testing.T) {
		w := newWorld(t)
		require.Equal(t, w.now.Add(75*time.Minute), w.r.Due, "the grant")
		w.observeUpload()
		require.Equal(t, w.now.Add(24*time.Hour), w.r.Due, "somebody should extract")
		w.startStage()
		require.Equal(t, w.now.Add(15*time.Minute), w.r.Due, "the run")
		w.passMinute()
		due := w.r.Due
		w.mustApply(w.m.renewLease(w.r, w.own, w.now))
		require.Equal(t, due, w.r.Due, "a heartbeat touches no index")
		w.parkStage()
		require.Equal(t, w.now.Add(time.Hour), w.r.Due, "as Park said")
	})
	t.Run("for good", func(t *testing.T) {
		w := newWorld(t)
		w.bringTo("failed-good")
		require.True(t, w.r.Terminal)
		require.Equal(t, "no_image", w.r.Reason)
		w = newWorld(t)
		w.bringTo("failed-last")
		require.True(t, w.r.Terminal)
		require.Equal(t, reasonMaxAttempts, w.r.Reason)
		w = newWorld(t)
		w.bringTo("again-good")
		require.False(t, w.r.Terminal, "a person has seen it: nothing is for good")
	})
	t.Run("swept", func(t *testing.T) {
		w := newWorld(t)
		w.bringTo("running")
		was := w.r.Stage(Enrichment)
		w.now = w.r.Due
		next, v := w.m.sweepRecord(w.r, finding{}, w.now)
		require.Equal(t, verdictLost, v)
		w.mustApply(next, true, nil)
		p := w.r.Stage(Enrichment)
		require.Equal(t, codeLost, p.Error.Code)
		require.Equal(t, was.Fence+1, p.Fence)
		require.Equal(t, was.Attempt, p.Attempt)
		require.Equal(t, w.now.Add(24*time.Hour), w.r.Due, "somebody should try again")
		require.False(t, w.r.Terminal)
		_, _, err := w.m.completeStage(w.r, w.own, dest, w.now)
		stateOf(t, err, ErrFenced)

		w.now = w.r.Due.Add(-time.Millisecond)
		_, v = w.m.sweepRecord(w.r, finding{}, w.now)
		require.Equal(t, verdictNone, v)
		w.now = w.r.Due
		next, v = w.m.sweepRecord(w.r, finding{}, w.now)
		require.Equal(t, verdictAbandoned, v)
		w.mustApply(next, true, nil)
		require.True(t, w.r.Terminal)
		require.Equal(t, codeAbandoned, w.r.Reason)
		require.Equal(t, codeLost, w.r.Stage(Enrichment).Error.Code, "what had gone wrong before is still told")
		_, _, err = w.m.observeStage(w.r, UserUpload, dest, w.now)
		require.NoError(t, err)
	})
	t.Run("swept at the last attempt", func(t *testing.T) {
		w := newWorld(t)
		w.bringTo("dead-last")
		next, v := w.m.sweepRecord(w.r, finding{orphans: true}, w.now)
		require.Equal(t, verdictLost, v)
		w.mustApply(next, true, nil)
		require.True(t, w.r.Terminal)
		require.Equal(t, reasonMaxAttempts, w.r.Reason)
	})
	t.Run("a live lease at due", func(t *testing.T) {
		w := newWorld(t)
		w.bringTo("running")
		w.now = w.r.Due
		w.mustApply(w.m.renewLease(w.r, w.own, w.now))
		next, v := w.m.sweepRecord(w.r, finding{}, w.now)
		require.Equal(t, verdictMoved, v)
		w.mustApply(next, true, nil)
		require.Equal(t, w.r.Stage(Enrichment).Lease, w.r.Due)
		w.mustApply(w.m.completeStage(w.r, w.own, dest, w.now))
	})
	t.Run("a live lease at due, of a stage that only a newer version knows", func(t *testing.T) {
		w := newWorld(t)
		w.observeUpload()
		due := w.now.Add(10 * time.Minute)
		w.r.stages = append(w.r.stages, Progress{Stage: "embedding", State: StateRunning, Attempt: 1, Fence: 1, owner: "newer",
			Started: w.now, Lease: due.Add(time.Minute), Due: due})
		w.r.Due, w.now = due, due
		next, v := w.m.sweepRecord(w.r, finding{}, w.now)
		require.Equal(t, verdictMoved, v)
		w.mustApply(next, true, nil)
		require.Equal(t, due.Add(time.Minute), w.r.Due)
		require.Equal(t, StateRunning, w.r.Stage("embedding").State)
	})
	t.Run("what waits for a person waits as long as Park said, whatever else ends", func(t *testing.T) {
		w := newWorld(t)
		w.observeUpload()
		w.startStage()
		until := w.now.Add(7 * 24 * time.Hour)
		w.mustApply(w.m.parkStage(w.r, w.own, 7*24*time.Hour, w.now))
		spec, err := w.m.pipeline.findSpec(AVScan)
		require.NoError(t, err)
		w.passMinute()
		spec.Due = time.Hour
		w.mustApply(w.m.claimStage(w.r, claim{spec: spec, key: "scan", owner: "s", lease: time.Minute}, w.now))
		require.Equal(t, w.now.Add(time.Hour), w.r.Due, "what runs is looked after first")
		w.mustApply(w.m.completeStage(w.r, hold{spec: spec, fence: w.r.Stage(AVScan).Fence, owner: "s"}, dest, w.now))
		require.Equal(t, until, w.r.Due)
		w.startStage()
		require.Equal(t, w.now.Add(15*time.Minute), w.r.Due)
		w.failStage(boom)
		require.Equal(t, w.now.Add(24*time.Hour), w.r.Due, "it waits no more")
	})
	t.Run("an optional External stage is not waited for", func(t *testing.T) {
		p, err := Pipeline{Name: "docs", Stages: []StageSpec{
			{Stage: "receipt", External: true, Optional: true, Due: time.Hour}, {Stage: Enrichment},
		}}.withDefaults()
		require.NoError(t, err)
		w := newWorld(t)
		w.m.pipeline = p
		w.r = w.m.createRecord(Record{Scope: w.r.Scope, Filename: "a.pdf"}, time.Time{}, w.now)
		w.startStage()
		w.mustApply(w.m.parkStage(w.r, w.own, 24*time.Hour, w.now))
		w.now = w.r.Due
		require.Equal(t, epoch.Add(time.Hour), w.now)
		next, v := w.m.sweepRecord(w.r, finding{absent: []Stage{"receipt"}}, w.now)
		require.Equal(t, verdictLost, v)
		w.mustApply(next, true, nil)
		require.Equal(t, StateFailed, w.r.Stage("receipt").State)
		require.Equal(t, codeAbandoned, w.r.Stage("receipt").Error.Code)
		require.Equal(t, StateWaiting, w.r.Stage(Enrichment).State, "a person is looking at it")
		require.Equal(t, StatusInProgress, w.r.Status)
		late := w.r
		w.mustApply(w.m.observeStage(w.r, "receipt", dest, w.now))
		require.Equal(t, StateSuccess, w.r.Stage("receipt").State, "it may still come")

		w.r, w.now = late, late.Due
		next, v = w.m.sweepRecord(w.r, finding{}, w.now)
		require.Equal(t, verdictAbandoned, v, "nobody came")
		w.mustApply(next, true, nil)
	})
	t.Run("an arrival after abandonment", func(t *testing.T) {
		w := newWorld(t)
		w.now = w.r.Due
		next, v := w.m.sweepRecord(w.r, finding{absent: []Stage{UserUpload}}, w.now)
		require.Equal(t, verdictAbandoned, v)
		w.mustApply(next, true, nil)
		_, _, err := w.m.observeStage(w.r, UserUpload, dest, w.now)
		stateOf(t, err, ErrTerminal)
	})
	t.Run("back-off", func(t *testing.T) {
		w := newWorld(t)
		w.observeUpload()
		for i := range 9 {
			w.startStage()
			w.failStage(boom)
			p := w.r.Stage(Enrichment)
			most := time.Second << i
			require.LessOrEqual(t, p.NotBefore.Sub(p.Ended), most)
			require.GreaterOrEqual(t, p.NotBefore.Sub(p.Ended), most/2)
			c := w.newClaim("new", "somebody")
			c.keepsBackoff = true
			_, _, err := w.m.claimStage(w.r, c, p.NotBefore.Add(-time.Millisecond))
			stateOf(t, err, ErrEarly)
			_, _, err = w.m.claimStage(w.r, c, p.NotBefore)
			require.NoError(t, err)
			w.passMinute()
		}
	})
	t.Run("retention", func(t *testing.T) {
		w := newWorld(t)
		w.m.retention = time.Hour
		w.now = w.now.Add(time.Millisecond)
		w.bringTo("again")
		require.Zero(t, w.r.Expires)
		w.mustApply(w.m.completeStage(w.r, w.own, dest, w.now))
		require.Equal(t, w.now.Add(time.Hour).Truncate(time.Second).Add(time.Second), w.r.Expires)
	})
	t.Run("a live optional stage does not outlive the record", func(t *testing.T) {
		w := newWorld(t)
		w.observeUpload()
		spec, err := w.m.pipeline.findSpec(AVScan)
		require.NoError(t, err)
		spec.Due = time.Hour
		w.mustApply(w.m.claimStage(w.r, claim{spec: spec, key: "scan", owner: "s", lease: time.Hour}, w.now))
		scanner := hold{spec: spec, fence: w.r.Stage(AVScan).Fence, owner: "s", lease: time.Hour}
		w.startStage()
		w.mustApply(w.m.completeStage(w.r, w.own, dest, w.now))
		require.Equal(t, StatusSuccess, w.r.Status)
		require.Equal(t, codeUnneeded, w.r.Stage(AVScan).Error.Code)
		_, _, err = w.m.completeStage(w.r, scanner, dest, w.now)
		stateOf(t, err, ErrFenced)
	})
	t.Run("an optional stage fails alone", func(t *testing.T) {
		w := newWorld(t)
		w.observeUpload()
		spec, err := w.m.pipeline.findSpec(AVScan)
		require.NoError(t, err)
		spec.Due = time.Hour
		c := claim{spec: spec, key: "scan", owner: "s", lease: time.Hour}
		w.mustApply(w.m.claimStage(w.r, c, w.now))
		w.mustApply(w.m.failStage(w.r, hold{spec: spec, fence: w.r.Stage(AVScan).Fence, owner: "s"}, fatal, w.now))
		require.Equal(t, StatusInProgress, w.r.Status)
		c.owner = "t"
		_, _, err = w.m.claimStage(w.r, c, w.now)
		stateOf(t, err, ErrTerminal)
		w.startStage()
	})
	t.Run("a clock that is behind", func(t *testing.T) {
		w := newWorld(t)
		w.observeUpload()
		w.startStage()
		w.now = w.now.Add(-time.Hour)
		w.mustApply(w.m.completeStage(w.r, w.own, dest, w.now))
		require.Zero(t, w.r.Stage(Enrichment).Duration())
	})
}
