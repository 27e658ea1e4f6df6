package tracking

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// readTransitions returns the table of docs/tracking.md, the effect of each operation
// in each state of enrichment. The page explains the words.
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
	w.r = w.m.createRecord(Record{Scope: sessionOf(t, userOf(t, "acme", "u1"), 1), Filename: "cover.jpg"}, time.Time{}, w.now)
	w.own.spec, w.old.spec = w.stageSpec(), w.stageSpec()
	return w
}

func (w *world) stageSpec() StageSpec {
	s, err := w.m.pipeline.findSpec(Enrichment)
	require.NoError(w.t, err)
	return s
}

func (w *world) newClaim(key, owner string) claim {
	s := w.stageSpec()
	return claim{spec: s, key: key, owner: owner, lease: s.Lease}
}

// mustApply applies a transition that must be allowed, and checks it.
func (w *world) mustApply(next Record, write bool, err error) {
	w.t.Helper()
	require.NoError(w.t, err)
	require.True(w.t, write)
	checkInvariants(w.t, w.m, w.r, next)
	w.r = next
}

func (w *world) takeStage(key, owner string) {
	w.t.Helper()
	w.mustApply(w.m.claimStage(w.r, w.newClaim(key, owner), w.now))
	w.old, w.own = w.own, hold{spec: w.stageSpec(), fence: w.r.Stage(Enrichment).Fence, owner: owner, lease: w.stageSpec().Lease}
}

var (
	boom  = Error{Code: "throttled", Message: "429", Retryable: true}
	fatal = Error{Code: "no_image", Message: "This is no image."}
	dest  = Location{Bucket: "raw", Key: "k"}
)

func (w *world) startStage()    { w.takeStage("run", "w-"+w.now.String()) }
func (w *world) observeUpload() { w.mustApply(w.m.observeStage(w.r, UserUpload, dest, w.now)) }
func (w *world) parkStage()     { w.mustApply(w.m.parkStage(w.r, w.own, time.Hour, w.now)) }
func (w *world) releaseStage()  { w.mustApply(w.m.releaseStage(w.r, w.own, w.now)) }
func (w *world) passMinute()    { w.now = w.now.Add(time.Minute) }
func (w *world) failStage(f Error) {
	w.mustApply(w.m.failStage(w.r, w.own, f, w.now))
}

// startAgain starts a second run after a person has reviewed the first.
func (w *world) startAgain() {
	w.startStage()
	w.parkStage()
	w.passMinute()
	w.startStage()
}

func (w *world) useAttempts() {
	for range w.stageSpec().MaxAttempts - 1 {
		w.startStage()
		w.failStage(boom)
		w.passMinute()
	}
	w.startStage()
}

// bringTo brings enrichment into a state of the table.
func (w *world) bringTo(state string) {
	switch state {
	case "no-upload":
		return
	case "cancelled-early":
		w.mustApply(w.m.cancelRecord(w.r, w.now))
		return
	}
	w.observeUpload()
	switch state {
	case "queued":
	case "running":
		w.startStage()
	case "dead":
		w.startStage()
		w.passMinute()
	case "dead-last":
		w.useAttempts()
		w.passMinute()
	case "failed":
		w.startStage()
		w.failStage(boom)
	case "failed-good":
		w.startStage()
		w.failStage(fatal)
	case "failed-last":
		w.useAttempts()
		w.failStage(boom)
	case "waiting":
		w.startStage()
		w.parkStage()
	case "released":
		w.startStage()
		w.releaseStage()
	case "again":
		w.startAgain()
	case "again-dead":
		w.startAgain()
		w.passMinute()
	case "again-failed":
		w.startAgain()
		w.failStage(boom)
	case "again-good":
		w.startAgain()
		w.failStage(fatal)
	case "again-released":
		w.startAgain()
		w.releaseStage()
	case "success":
		w.startAgain()
		w.mustApply(w.m.completeStage(w.r, w.own, dest, w.now))
	case "cancelled":
		w.startStage()
		w.mustApply(w.m.cancelRecord(w.r, w.now))
	default:
		w.t.Fatalf("no state %q", state)
	}
}

// operateOn performs one operation of the table.
func (w *world) operateOn(op string) (Record, bool, error) {
	take := func(key string, over bool) claim {
		c := w.newClaim(key, "somebody")
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

// sweepAt performs one of the table's sweeps.
func (w *world) sweepAt(op string) (Record, verdict) {
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
		f.arrived = map[Stage]Location{UserUpload: dest}
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
				w.bringTo(state)
				before := w.r.encodeItem()
				if v, ok := verdicts[want]; ok {
					next, got := w.sweepAt(op)
					require.Equal(t, v, got)
					require.Equal(t, before, w.r.encodeItem(), "the record that was given has changed")
					if got == verdictNone {
						require.Equal(t, w.r, next)
					} else {
						checkInvariants(t, w.m, w.r, next)
					}
					return
				}
				next, write, err := w.operateOn(op)
				require.Equal(t, before, w.r.encodeItem(), "the record that was given has changed")
				switch want {
				case "ok", "start", "resume":
					require.NoError(t, err)
					require.True(t, write)
					checkInvariants(t, w.m, w.r, next)
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
