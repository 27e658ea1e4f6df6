package tracking

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// readTransitions returns the table of docs/tracking.md: what each operation
// does in each state of enrichment. The page explains the words.
func readTransitions(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", "tracking.md"))
	require.NoError(t, err)
	_, table, found := strings.Cut(string(page), "```text\n")
	require.True(t, found)
	table, _, found = strings.Cut(table, "```")
	require.True(t, found)
	return table
}

var refusals = map[string]error{
	"running": ErrRunning, "terminal": ErrTerminal, "parked": ErrParked,
	"exhausted": ErrExhausted, "deps": ErrDependencies, "fenced": ErrFenced, "taken": ErrTaken, "early": ErrEarly,
}

var verdicts = map[string]verdict{
	"nothing": verdictNone, "lost": verdictLost, "arrived": verdictArrived, "moved": verdictMoved, "abandoned": verdictAbandoned,
}

// world is the pure machine with two workers.
type world struct {
	t        *testing.T
	m        machine
	r        Record
	now      time.Time
	own, old hold
}

func newWorld(t *testing.T) *world {
	p, err := Uploads().withDefaults()
	require.NoError(t, err)
	w := &world{t: t, m: machine{pipeline: p, review: 24 * time.Hour}, now: epoch}
	w.r = w.m.createRecord(Record{Scope: sessionOf(t, userOf(t, "acme", "u1"), 1), Filename: "cover.jpg", digest: []byte{1}}, time.Time{}, w.now)
	w.own.spec, w.old.spec = w.spec(), w.spec()
	return w
}

func (w *world) spec() StageSpec {
	s, err := w.m.pipeline.findSpec(Enrichment)
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

func (w *world) take(key, owner string) {
	w.t.Helper()
	w.must(w.m.claimStage(w.r, w.claim(key, owner), w.now))
	w.old, w.own = w.own, hold{spec: w.spec(), fence: w.r.Stage(Enrichment).Fence, owner: owner, lease: w.spec().Lease}
}

var (
	boom  = Error{Code: "throttled", Message: "429", Retryable: true}
	fatal = Error{Code: "no_image", Message: "This is no image."}
	dest  = Location{Bucket: "raw", Key: "k"}
)

func (w *world) start()   { w.take("run", "w-"+w.now.String()) }
func (w *world) resume()  { w.take("run", "w-"+w.now.String()) }
func (w *world) arrive()  { w.must(w.m.observeStage(w.r, UserUpload, dest, w.now)) }
func (w *world) park()    { w.must(w.m.parkStage(w.r, w.own, time.Hour, w.now)) }
func (w *world) release() { w.must(w.m.releaseStage(w.r, w.own, w.now)) }
func (w *world) later()   { w.now = w.now.Add(time.Minute) }
func (w *world) fail(f Error) {
	w.must(w.m.failStage(w.r, w.own, f, w.now))
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
	case "no-upload":
		return
	case "cancelled-early":
		w.must(w.m.cancelRecord(w.r, w.now))
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
	case "waiting":
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
		w.must(w.m.completeStage(w.r, w.own, dest, w.now))
	case "cancelled":
		w.start()
		w.must(w.m.cancelRecord(w.r, w.now))
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
	case "claim":
		return w.m.claimStage(w.r, take("new", false), w.now)
	case "auto":
		c := take("new", false)
		c.keepsBackoff, c.skipsReview = true, true
		return w.m.claimStage(w.r, c, w.now)
	case "track":
		c := take("new", false)
		c.skipsReview = true
		return w.m.claimStage(w.r, c, w.now)
	case "mine":
		return w.m.claimStage(w.r, take("run", true), w.now)
	case "other":
		return w.m.claimStage(w.r, take("new", true), w.now)
	case "observe":
		return w.m.observeStage(w.r, UserUpload, dest, w.now)
	case "cancel":
		return w.m.cancelRecord(w.r, w.now)
	case "own.beat":
		return w.m.renewLease(w.r, w.own, w.now)
	case "own.done":
		return w.m.completeStage(w.r, w.own, dest, w.now)
	case "own.done2":
		return w.m.completeStage(w.r, w.own, Location{Bucket: "raw", Key: "other"}, w.now)
	case "own.fail":
		return w.m.failStage(w.r, w.own, boom, w.now)
	case "own.park":
		return w.m.parkStage(w.r, w.own, time.Hour, w.now)
	case "own.free":
		return w.m.releaseStage(w.r, w.own, w.now)
	case "old.beat":
		return w.m.renewLease(w.r, w.old, w.now)
	case "old.done":
		return w.m.completeStage(w.r, w.old, dest, w.now)
	}
	w.t.Fatalf("no operation %q", op)
	return Record{}, false, nil
}

// sweep does one of the table's sweeps.
func (w *world) sweep(op string) (Record, verdict) {
	switch op {
	case "sweep":
		return w.m.sweepRecord(w.r, finding{}, w.now)
	case "orphans":
		return w.m.sweepRecord(w.r, finding{orphans: true}, w.now)
	}
	week := w.now.Add(7 * 24 * time.Hour)
	f := finding{}
	awaited := w.m.stagesToLookFor(w.r, f, week)
	if len(awaited) > 0 {
		_, v := w.m.sweepRecord(w.r, f, week)
		require.Equal(w.t, verdictNone, v, "what has not been looked for is not missing")
	}
	if op == "none" {
		f.absent = awaited
	} else {
		f.there = map[Stage]Location{UserUpload: dest}
	}
	return w.m.sweepRecord(w.r, f, week)
}

func TestTransitionTable(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(readTransitions(t)), "\n")
	ops := strings.Fields(lines[0])[1:]
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		require.Len(t, cells, len(ops)+1, line)
		for i, op := range ops {
			state, want := cells[0], cells[i+1]
			t.Run(state+"/"+op, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.bring(state)
				before := w.r.encode()
				if v, ok := verdicts[want]; ok {
					next, got := w.sweep(op)
					require.Equal(t, v, got)
					require.Equal(t, before, w.r.encode(), "the record that was given has changed")
					if got == verdictNone {
						require.Equal(t, w.r, next)
					} else {
						invariants(t, w.m, w.r, next)
					}
					return
				}
				next, write, err := w.operate(op)
				require.Equal(t, before, w.r.encode(), "the record that was given has changed")
				switch want {
				case "ok", "start", "resume":
					require.NoError(t, err)
					require.True(t, write)
					invariants(t, w.m, w.r, next)
					attempts := w.r.Stage(Enrichment).Attempt
					if want == "start" {
						attempts++
					}
					require.Equal(t, attempts, next.Stage(Enrichment).Attempt)
				case "same":
					require.NoError(t, err)
					require.False(t, write)
					require.Equal(t, w.r, next)
				default:
					require.False(t, write)
					require.Equal(t, w.r, next)
					s := stateOf(t, err, refusals[want])
					require.Equal(t, w.r, s.Record)
					require.NotEmpty(t, s.op)
				}
			})
		}
	}
}
