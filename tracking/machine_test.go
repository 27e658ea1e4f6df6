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
