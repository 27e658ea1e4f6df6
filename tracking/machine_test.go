package tracking

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// transitions is the whole table: what each operation makes of each state that
// enrichment can be in. "ok" is a write, "same" a replay that needs none; a
// verdict is what a sweep came to; all else is the refusal. take and early: by
// Track, at any time and before the back-off is over. orphans: swept at once,
// with all workers dead. none, there: swept a week later, where the upload is
// not in the storage, or is. own: by the worker that had the stage last; old: by one
// that had it before. The upload has arrived except in "waiting".
const transitions = `
from             start      resume     mine    other   observe   cancel    own.beat own.done own.done2 own.fail own.park own.free old.beat old.done take      early     sweep     orphans   none      there
waiting          deps       notparked  taken   taken   ok        ok        fenced   fenced   fenced    fenced   fenced   fenced   fenced   fenced deps      deps      nothing   nothing   abandoned arrived
queued           ok         notparked  taken   taken   same      ok        fenced   fenced   fenced    fenced   fenced   fenced   fenced   fenced ok        ok        nothing   nothing   abandoned abandoned
running          running    running    ok      taken   same      ok        ok       ok       ok        ok       ok       ok       fenced   fenced running   running   nothing   lost      lost      lost
dead             ok         notparked  ok      taken   same      ok        ok       ok       ok        ok       ok       ok       fenced   fenced ok        ok        nothing   lost      lost      lost
dead-last        exhausted  notparked  ok      taken   same      ok        ok       ok       ok        ok       ok       ok       fenced   fenced exhausted exhausted nothing   lost      lost      lost
failed           ok         notparked  taken   taken   same      ok        fenced   fenced   fenced    same     fenced   fenced   fenced   fenced ok        early     nothing   nothing   abandoned abandoned
failed-good      terminal   terminal   terminal terminal same    terminal  fenced   fenced   fenced    fenced   fenced   fenced   fenced   fenced terminal  terminal  nothing   nothing   nothing   nothing
failed-last      terminal   terminal   terminal terminal same    terminal  fenced   fenced   fenced    same     fenced   fenced   fenced   fenced terminal  terminal  nothing   nothing   nothing   nothing
parked           parked     ok         taken   taken   same      ok        fenced   fenced   fenced    fenced   same     fenced   fenced   fenced parked    parked    nothing   nothing   abandoned abandoned
released         parked     ok         ok      taken   same      ok        fenced   fenced   fenced    fenced   fenced   same     fenced   fenced ok        ok        nothing   nothing   abandoned abandoned
again            running    running    ok      taken   same      ok        ok       ok       ok        ok       ok       ok       fenced   fenced running   running   nothing   lost      lost      lost
again-dead       parked     ok         ok      taken   same      ok        ok       ok       ok        ok       ok       ok       fenced   fenced ok        ok        nothing   lost      lost      lost
again-failed     parked     ok         taken   taken   same      ok        fenced   fenced   fenced    same     fenced   fenced   fenced   fenced ok        early     nothing   nothing   abandoned abandoned
again-good       parked     ok         taken   taken   same      ok        fenced   fenced   fenced    fenced   fenced   fenced   fenced   fenced ok        early     nothing   nothing   abandoned abandoned
again-released   parked     ok         ok      taken   same      ok        fenced   fenced   fenced    fenced   fenced   same     fenced   fenced ok        ok        nothing   nothing   abandoned abandoned
success          terminal   terminal   terminal terminal same    terminal  fenced   same     fenced    fenced   fenced   fenced   fenced   fenced terminal  terminal  nothing   nothing   nothing   nothing
cancelled        terminal   terminal   terminal terminal same    same      fenced   fenced   fenced    fenced   fenced   fenced   fenced   fenced terminal  terminal  nothing   nothing   nothing   nothing
cancelled-early  terminal   terminal   terminal terminal terminal same     fenced   fenced   fenced    fenced   fenced   fenced   fenced   fenced terminal  terminal  nothing   nothing   nothing   nothing
`

var refusals = map[string]error{
	"running": ErrRunning, "terminal": ErrTerminal, "parked": ErrParked, "notparked": ErrNotParked,
	"exhausted": ErrExhausted, "deps": ErrDependencies, "fenced": ErrFenced, "taken": ErrTaken, "early": ErrEarly,
}

var verdicts = map[string]verdict{"nothing": nothing, "lost": lost, "arrived": arrived, "moved": moved, "abandoned": abandoned}

// world is the pure machine with two workers.
type world struct {
	t        *testing.T
	m        machine
	r        Record
	now      time.Time
	own, old hold
}

func newWorld(t *testing.T) *world {
	p, err := Uploads().complete()
	require.NoError(t, err)
	w := &world{t: t, m: machine{pipeline: p, review: 24 * time.Hour}, now: epoch}
	w.r = w.m.create(sessionOf(t, userOf(t, "acme", "u1"), 1), "cover.jpg", []byte{1}, time.Time{}, w.now)
	w.own.spec, w.old.spec = w.spec(), w.spec()
	return w
}

func (w *world) spec() StageSpec {
	s, err := w.m.pipeline.spec(Enrichment)
	require.NoError(w.t, err)
	return s
}

func (w *world) claim(key, owner string) claim {
	s := w.spec()
	return claim{spec: s, key: key, owner: owner, lease: s.Lease, due: s.Due}
}

// must applies a transition that has to be allowed, and checks it.
func (w *world) must(next Record, write bool, err error) {
	w.t.Helper()
	require.NoError(w.t, err)
	require.True(w.t, write)
	invariants(w.t, w.m, w.r, next)
	w.r = next
}

func (w *world) take(give func(Record, claim, time.Time) (Record, bool, error), key, owner string) {
	w.t.Helper()
	w.must(give(w.r, w.claim(key, owner), w.now))
	w.old, w.own = w.own, hold{spec: w.spec(), fence: w.r.Stage(Enrichment).Fence, owner: owner, lease: w.spec().Lease}
}

var (
	boom  = Failure{Code: "throttled", Message: "429"}
	fatal = Failure{Code: "no_image", Message: "This is no image.", Permanent: true}
	dest  = Location{Bucket: "raw", Key: "k"}
)

func (w *world) start()   { w.take(w.m.start, "run", "w-"+w.now.String()) }
func (w *world) resume()  { w.take(w.m.resume, "run", "w-"+w.now.String()) }
func (w *world) arrive()  { w.must(w.m.observe(w.r, UserUpload, dest, w.now)) }
func (w *world) park()    { w.must(w.m.park(w.r, w.own, time.Hour, w.now)) }
func (w *world) release() { w.must(w.m.release(w.r, w.own, w.now)) }
func (w *world) later()   { w.now = w.now.Add(time.Minute) }
func (w *world) fail(f Failure) {
	w.must(w.m.fail(w.r, w.own, f, w.now))
}

// again is a second run after a person has looked at the first.
func (w *world) again() {
	w.start()
	w.park()
	w.later()
	w.resume()
}

func (w *world) last() {
	for range w.spec().MaxAttempts - 1 {
		w.start()
		w.fail(boom)
		w.later()
	}
	w.start()
}

// bring brings enrichment into a state of the table.
func (w *world) bring(state string) {
	switch state {
	case "waiting":
		return
	case "cancelled-early":
		w.must(w.m.cancel(w.r, w.now))
		return
	}
	w.arrive()
	switch state {
	case "queued":
	case "running":
		w.start()
	case "dead":
		w.start()
		w.later()
	case "dead-last":
		w.last()
		w.later()
	case "failed":
		w.start()
		w.fail(boom)
	case "failed-good":
		w.start()
		w.fail(fatal)
	case "failed-last":
		w.last()
		w.fail(boom)
	case "parked":
		w.start()
		w.park()
	case "released":
		w.start()
		w.release()
	case "again":
		w.again()
	case "again-dead":
		w.again()
		w.later()
	case "again-failed":
		w.again()
		w.fail(boom)
	case "again-good":
		w.again()
		w.fail(fatal)
	case "again-released":
		w.again()
		w.release()
	case "success":
		w.again()
		w.must(w.m.complete(w.r, w.own, dest, w.now))
	case "cancelled":
		w.start()
		w.must(w.m.cancel(w.r, w.now))
	default:
		w.t.Fatalf("no state %q", state)
	}
}

// operate does one operation of the table.
func (w *world) operate(op string) (Record, bool, error) {
	take := func(key string, over bool) claim {
		c := w.claim(key, "somebody")
		c.takeOver = over
		return c
	}
	switch op {
	case "take":
		return w.m.take(w.r, take("new", false), w.now)
	case "early":
		c := take("new", false)
		c.patient = true
		return w.m.take(w.r, c, w.now)
	case "start":
		return w.m.start(w.r, take("new", false), w.now)
	case "resume":
		return w.m.resume(w.r, take("new", false), w.now)
	case "mine":
		return w.m.resume(w.r, take("run", true), w.now)
	case "other":
		return w.m.resume(w.r, take("new", true), w.now)
	case "observe":
		return w.m.observe(w.r, UserUpload, dest, w.now)
	case "cancel":
		return w.m.cancel(w.r, w.now)
	case "own.beat":
		return w.m.heartbeat(w.r, w.own, w.now)
	case "own.done":
		return w.m.complete(w.r, w.own, dest, w.now)
	case "own.done2":
		return w.m.complete(w.r, w.own, Location{Bucket: "raw", Key: "other"}, w.now)
	case "own.fail":
		return w.m.fail(w.r, w.own, boom, w.now)
	case "own.park":
		return w.m.park(w.r, w.own, time.Hour, w.now)
	case "own.free":
		return w.m.release(w.r, w.own, w.now)
	case "old.beat":
		return w.m.heartbeat(w.r, w.old, w.now)
	case "old.done":
		return w.m.complete(w.r, w.old, dest, w.now)
	}
	w.t.Fatalf("no operation %q", op)
	return Record{}, false, nil
}

// sweep does one of the table's sweeps.
func (w *world) sweep(op string) (Record, verdict) {
	switch op {
	case "sweep":
		return w.m.sweep(w.r, finding{}, w.now)
	case "orphans":
		return w.m.sweep(w.r, finding{orphans: true}, w.now)
	}
	week := w.now.Add(7 * 24 * time.Hour)
	f := finding{}
	awaited := w.m.awaited(w.r, f, week)
	if len(awaited) > 0 {
		_, v := w.m.sweep(w.r, f, week)
		require.Equal(w.t, nothing, v, "what has not been looked for is not missing")
	}
	if op == "none" {
		f.absent = awaited
	} else {
		f.there = map[Stage]Location{UserUpload: dest}
	}
	return w.m.sweep(w.r, f, week)
}

func TestTransitionTable(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(transitions), "\n")
	ops := strings.Fields(lines[0])[1:]
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		require.Len(t, cells, len(ops)+1, line)
		for i, op := range ops {
			state, want := cells[0], cells[i+1]
			t.Run(state+"/"+op, func(t *testing.T) {
				w := newWorld(t)
				w.bring(state)
				before := w.r.encode()
				if v, ok := verdicts[want]; ok {
					next, got := w.sweep(op)
					require.Equal(t, v, got)
					require.Equal(t, before, w.r.encode(), "the record that was given has changed")
					if got == nothing {
						require.Equal(t, w.r, next)
					} else {
						invariants(t, w.m, w.r, next)
					}
					return
				}
				next, write, err := w.operate(op)
				require.Equal(t, before, w.r.encode(), "the record that was given has changed")
				switch want {
				case "ok":
					require.NoError(t, err)
					require.True(t, write)
					invariants(t, w.m, w.r, next)
				case "same":
					require.NoError(t, err)
					require.False(t, write)
					require.Equal(t, w.r, next)
				default:
					require.False(t, write)
					require.Equal(t, w.r, next)
					s := stateOf(t, err, refusals[want])
					require.Equal(t, w.r, s.Record)
					require.NotEmpty(t, s.Op)
				}
			})
		}
	}
}

// What a transition leaves behind, beyond that it is allowed.
func TestTransitionEffects(t *testing.T) {
	t.Run("start", func(t *testing.T) {
		w := newWorld(t)
		w.bring("failed")
		w.later()
		was := w.r.Stage(Enrichment)
		w.start()
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
		w.bring("again-failed")
		require.Equal(t, StatusFailed, w.r.Status)
		require.Equal(t, "throttled", w.r.Reason)
		was := w.r.Stage(Enrichment)
		w.later()
		w.resume()
		p := w.r.Stage(Enrichment)
		require.Equal(t, was.Attempt, p.Attempt)
		require.Equal(t, was.Started, p.Started)
		require.Equal(t, was.Fence+1, p.Fence)
		require.Zero(t, p.Ended)
		require.Empty(t, w.r.Reason)
	})
	t.Run("observed inside start", func(t *testing.T) {
		w := newWorld(t)
		c := w.claim("run", "w")
		c.observed, c.observedDest = UserUpload, dest
		w.must(w.m.start(w.r, c, w.now))
		require.Equal(t, StateSuccess, w.r.Stage(UserUpload).State)
		require.Equal(t, dest, w.r.Stage(UserUpload).Destination)
		require.Equal(t, StateRunning, w.r.Stage(Enrichment).State)
	})
	t.Run("observed inside start, and that was all that was waited for", func(t *testing.T) {
		p, err := Pipeline{Name: "docs", Stages: []StageSpec{{Stage: UserUpload, External: true}, {Stage: Enrichment, Optional: true}}}.complete()
		require.NoError(t, err)
		w := newWorld(t)
		w.m.pipeline = p
		w.r = w.m.create(w.r.Scope, "a.pdf", []byte{1}, time.Time{}, w.now)
		c := w.claim("run", "w")
		c.observed, c.observedDest = UserUpload, dest
		next, write, err := w.m.start(w.r, c, w.now)
		stateOf(t, err, ErrTerminal)
		require.False(t, write)
		require.Equal(t, w.r, next)
	})
	t.Run("due", func(t *testing.T) {
		w := newWorld(t)
		require.Equal(t, w.now.Add(75*time.Minute), w.r.Due, "the grant")
		w.arrive()
		require.Equal(t, w.now.Add(24*time.Hour), w.r.Due, "somebody should extract")
		w.start()
		require.Equal(t, w.now.Add(15*time.Minute), w.r.Due, "the run")
		w.later()
		due := w.r.Due
		w.must(w.m.heartbeat(w.r, w.own, w.now))
		require.Equal(t, due, w.r.Due, "a heartbeat touches no index")
		w.park()
		require.Equal(t, w.now.Add(time.Hour), w.r.Due, "as Park said")
	})
	t.Run("for good", func(t *testing.T) {
		w := newWorld(t)
		w.bring("failed-good")
		require.True(t, w.r.Terminal)
		require.Equal(t, "no_image", w.r.Reason)
		w = newWorld(t)
		w.bring("failed-last")
		require.True(t, w.r.Terminal)
		require.Equal(t, ReasonMaxAttempts, w.r.Reason)
		w = newWorld(t)
		w.bring("again-good")
		require.False(t, w.r.Terminal, "a person has seen it: nothing is for good")
	})
	t.Run("swept", func(t *testing.T) {
		w := newWorld(t)
		w.bring("running")
		was := w.r.Stage(Enrichment)
		w.now = w.r.Due
		next, v := w.m.sweep(w.r, finding{}, w.now)
		require.Equal(t, lost, v)
		w.must(next, true, nil)
		p := w.r.Stage(Enrichment)
		require.Equal(t, CodeLost, p.Error.Code)
		require.Equal(t, was.Fence+1, p.Fence)
		require.Equal(t, was.Attempt, p.Attempt)
		require.Equal(t, w.now.Add(24*time.Hour), w.r.Due, "somebody should try again")
		require.False(t, w.r.Terminal)
		_, _, err := w.m.complete(w.r, w.own, dest, w.now)
		stateOf(t, err, ErrFenced)

		w.now = w.r.Due.Add(-time.Millisecond)
		_, v = w.m.sweep(w.r, finding{}, w.now)
		require.Equal(t, nothing, v)
		w.now = w.r.Due
		next, v = w.m.sweep(w.r, finding{}, w.now)
		require.Equal(t, abandoned, v)
		w.must(next, true, nil)
		require.True(t, w.r.Terminal)
		require.Equal(t, CodeAbandoned, w.r.Reason)
		require.Equal(t, CodeLost, w.r.Stage(Enrichment).Error.Code, "what had gone wrong before is still told")
		_, _, err = w.m.observe(w.r, UserUpload, dest, w.now)
		require.NoError(t, err)
	})
	t.Run("swept at the last attempt", func(t *testing.T) {
		w := newWorld(t)
		w.bring("dead-last")
		next, v := w.m.sweep(w.r, finding{orphans: true}, w.now)
		require.Equal(t, lost, v)
		w.must(next, true, nil)
		require.True(t, w.r.Terminal)
		require.Equal(t, ReasonMaxAttempts, w.r.Reason)
	})
	t.Run("a live lease at due", func(t *testing.T) {
		w := newWorld(t)
		w.bring("running")
		w.now = w.r.Due
		w.must(w.m.heartbeat(w.r, w.own, w.now))
		next, v := w.m.sweep(w.r, finding{}, w.now)
		require.Equal(t, moved, v)
		w.must(next, true, nil)
		require.Equal(t, w.r.Stage(Enrichment).Lease, w.r.Due)
		w.must(w.m.complete(w.r, w.own, dest, w.now))
	})
	t.Run("a live lease at due, of a stage that only a newer version knows", func(t *testing.T) {
		w := newWorld(t)
		w.arrive()
		due := w.now.Add(10 * time.Minute)
		w.r.stages = append(w.r.stages, Progress{Stage: "embedding", State: StateRunning, Attempt: 1, Fence: 1, owner: "newer",
			Started: w.now, Lease: due.Add(time.Minute), Due: due})
		w.r.Due, w.now = due, due
		next, v := w.m.sweep(w.r, finding{}, w.now)
		require.Equal(t, moved, v)
		w.must(next, true, nil)
		require.Equal(t, due.Add(time.Minute), w.r.Due)
		require.Equal(t, StateRunning, w.r.Stage("embedding").State)
	})
	t.Run("what waits for a person waits as long as Park said, whatever else ends", func(t *testing.T) {
		w := newWorld(t)
		w.arrive()
		w.start()
		until := w.now.Add(7 * 24 * time.Hour)
		w.must(w.m.park(w.r, w.own, 7*24*time.Hour, w.now))
		spec, err := w.m.pipeline.spec(AVScan)
		require.NoError(t, err)
		w.later()
		w.must(w.m.start(w.r, claim{spec: spec, key: "scan", owner: "s", lease: time.Minute, due: time.Hour}, w.now))
		require.Equal(t, w.now.Add(time.Hour), w.r.Due, "what runs is looked after first")
		w.must(w.m.complete(w.r, hold{spec: spec, fence: w.r.Stage(AVScan).Fence, owner: "s"}, dest, w.now))
		require.Equal(t, until, w.r.Due)
		w.resume()
		require.Equal(t, w.now.Add(15*time.Minute), w.r.Due)
		w.fail(boom)
		require.Equal(t, w.now.Add(24*time.Hour), w.r.Due, "it waits no more")
	})
	t.Run("an optional External stage is not waited for", func(t *testing.T) {
		p, err := Pipeline{Name: "docs", Stages: []StageSpec{
			{Stage: "receipt", External: true, Optional: true, Due: time.Hour}, {Stage: Enrichment},
		}}.complete()
		require.NoError(t, err)
		w := newWorld(t)
		w.m.pipeline = p
		w.r = w.m.create(w.r.Scope, "a.pdf", []byte{1}, time.Time{}, w.now)
		w.start()
		w.must(w.m.park(w.r, w.own, 24*time.Hour, w.now))
		w.now = w.r.Due
		require.Equal(t, epoch.Add(time.Hour), w.now)
		next, v := w.m.sweep(w.r, finding{absent: []Stage{"receipt"}}, w.now)
		require.Equal(t, lost, v)
		w.must(next, true, nil)
		require.Equal(t, StateFailed, w.r.Stage("receipt").State)
		require.Equal(t, CodeAbandoned, w.r.Stage("receipt").Error.Code)
		require.Equal(t, StateParked, w.r.Stage(Enrichment).State, "a person is looking at it")
		require.Equal(t, StatusInProgress, w.r.Status)
		late := w.r
		w.must(w.m.observe(w.r, "receipt", dest, w.now))
		require.Equal(t, StateSuccess, w.r.Stage("receipt").State, "it may still come")

		w.r, w.now = late, late.Due
		next, v = w.m.sweep(w.r, finding{}, w.now)
		require.Equal(t, abandoned, v, "nobody came")
		w.must(next, true, nil)
	})
	t.Run("an arrival after abandonment", func(t *testing.T) {
		w := newWorld(t)
		w.now = w.r.Due
		next, v := w.m.sweep(w.r, finding{absent: []Stage{UserUpload}}, w.now)
		require.Equal(t, abandoned, v)
		w.must(next, true, nil)
		_, _, err := w.m.observe(w.r, UserUpload, dest, w.now)
		stateOf(t, err, ErrTerminal)
	})
	t.Run("back-off", func(t *testing.T) {
		w := newWorld(t)
		w.arrive()
		for i := range 9 {
			w.start()
			w.fail(boom)
			p := w.r.Stage(Enrichment)
			most := time.Second << i
			require.LessOrEqual(t, p.NotBefore.Sub(p.Ended), most)
			require.GreaterOrEqual(t, p.NotBefore.Sub(p.Ended), most/2)
			c := w.claim("new", "somebody")
			c.patient = true
			_, _, err := w.m.start(w.r, c, p.NotBefore.Add(-time.Millisecond))
			stateOf(t, err, ErrEarly)
			_, _, err = w.m.start(w.r, c, p.NotBefore)
			require.NoError(t, err)
			w.later()
		}
	})
	t.Run("retention", func(t *testing.T) {
		w := newWorld(t)
		w.m.retention = time.Hour
		w.now = w.now.Add(time.Millisecond)
		w.bring("again")
		require.Zero(t, w.r.Expires)
		w.must(w.m.complete(w.r, w.own, dest, w.now))
		require.Equal(t, w.now.Add(time.Hour).Truncate(time.Second).Add(time.Second), w.r.Expires)
	})
	t.Run("a live optional stage does not outlive the record", func(t *testing.T) {
		w := newWorld(t)
		w.arrive()
		spec, err := w.m.pipeline.spec(AVScan)
		require.NoError(t, err)
		w.must(w.m.start(w.r, claim{spec: spec, key: "scan", owner: "s", lease: time.Hour, due: time.Hour}, w.now))
		scanner := hold{spec: spec, fence: w.r.Stage(AVScan).Fence, owner: "s", lease: time.Hour}
		w.start()
		w.must(w.m.complete(w.r, w.own, dest, w.now))
		require.Equal(t, StatusSuccess, w.r.Status)
		require.Equal(t, CodeUnneeded, w.r.Stage(AVScan).Error.Code)
		_, _, err = w.m.complete(w.r, scanner, dest, w.now)
		stateOf(t, err, ErrFenced)
	})
	t.Run("an optional stage fails alone", func(t *testing.T) {
		w := newWorld(t)
		w.arrive()
		spec, err := w.m.pipeline.spec(AVScan)
		require.NoError(t, err)
		c := claim{spec: spec, key: "scan", owner: "s", lease: time.Hour, due: time.Hour}
		w.must(w.m.start(w.r, c, w.now))
		w.must(w.m.fail(w.r, hold{spec: spec, fence: w.r.Stage(AVScan).Fence, owner: "s"}, fatal, w.now))
		require.Equal(t, StatusInProgress, w.r.Status)
		c.owner = "t"
		_, _, err = w.m.start(w.r, c, w.now)
		stateOf(t, err, ErrTerminal)
		w.start()
	})
	t.Run("a clock that is behind", func(t *testing.T) {
		w := newWorld(t)
		w.arrive()
		w.start()
		w.now = w.now.Add(-time.Hour)
		w.must(w.m.complete(w.r, w.own, dest, w.now))
		require.Zero(t, w.r.Stage(Enrichment).Duration())
	})
}
