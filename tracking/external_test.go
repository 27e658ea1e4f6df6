package tracking

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object"
)

// receiptPipeline has a pipeline with an External stage in its middle.
func receiptPipeline() Pipeline {
	return Pipeline{Name: "uploads", Stages: []StageSpec{
		{Stage: UserUpload, External: true},
		{Stage: Enrichment, After: []Stage{UserUpload}},
		{Stage: "receipt", External: true, After: []Stage{Enrichment}, Due: time.Hour},
		{Stage: Routing, After: []Stage{"receipt"}},
	}}
}

// externalTransitions is the table of an External stage that comes after
// another, with the words of the table in docs/tracking.md. proof: by a claim of the stage that
// comes after it. there, none: swept a week later, when the object is in the
// storage or is not.
const externalTransitions = `
from       observe   proof     cancel   there     none
waiting    deps      deps      ok       abandoned abandoned
uploaded   deps      deps      ok       abandoned abandoned
working    deps      deps      ok       lost      lost
parked     deps      deps      ok       abandoned abandoned
failed     deps      deps      ok       abandoned abandoned
awaited    ok        ok        ok       arrived   abandoned
done       same      ok        ok       abandoned abandoned
cancelled  terminal  terminal  same     nothing   nothing
`

// bringReceipt brings the stage "receipt" into a state of the table.
func (w *world) bringReceipt(state string) {
	if state == "waiting" {
		return
	}
	w.observeUpload()
	if state == "uploaded" {
		return
	}
	w.startStage()
	switch state {
	case "parked":
		w.parkStage()
	case "failed":
		w.failStage(boom)
	case "cancelled":
		w.mustApply(w.m.cancelRecord(w.r, w.now))
	case "awaited", "done":
		require.Equal(w.t, StateQueued, w.r.Stage("receipt").State)
		w.passMinute()
		w.mustApply(w.m.completeStage(w.r, w.own, dest, w.now))
	}
	if state == "done" {
		w.mustApply(w.m.observeStage(w.r, "receipt", dest, w.now))
	}
}

func (w *world) operateReceipt(op string) (Record, bool, error) {
	switch op {
	case "observe":
		return w.m.observeStage(w.r, "receipt", dest, w.now)
	case "cancel":
		return w.m.cancelRecord(w.r, w.now)
	}
	spec, err := w.m.pipeline.findSpec(Routing)
	require.NoError(w.t, err)
	spec.Due = time.Hour
	return w.m.claimStage(w.r, claim{spec: spec, key: "k", owner: "o", lease: time.Minute, observed: "receipt"}, w.now)
}

func TestExternalTransitionTable(t *testing.T) {
	t.Parallel()
	p, err := receiptPipeline().withDefaults()
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(externalTransitions), "\n")
	ops := strings.Fields(lines[0])[1:]
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		for i, op := range ops {
			state, want := cells[0], cells[i+1]
			t.Run(state+"/"+op, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.m.pipeline = p
				w.r = w.m.createRecord(Record{Scope: w.r.Scope, Filename: "a.pdf"}, time.Time{}, w.now)
				w.bringReceipt(state)
				before := w.r.encodeItem()
				if v, ok := verdicts[want]; ok {
					f := finding{absent: []Stage{UserUpload}, arrived: map[Stage]Location{"receipt": dest}}
					if op == "none" {
						f = finding{absent: []Stage{UserUpload, "receipt"}}
					}
					next, got := w.m.sweepRecord(w.r, f, w.now.Add(7*24*time.Hour))
					require.Equal(t, v, got)
					if got != verdictNone {
						checkInvariants(t, w.m, w.r, next)
					}
					return
				}
				next, write, err := w.operateReceipt(op)
				require.Equal(t, before, w.r.encodeItem(), "the record that was given has changed")
				require.Equal(t, want == "ok", write)
				switch want {
				case "ok":
					require.NoError(t, err)
					checkInvariants(t, w.m, w.r, next)
				case "same":
					require.NoError(t, err)
				default:
					stateOf(t, err, refusals[want])
					require.Equal(t, w.r, next)
				}
			})
		}
	}
}

// An External stage is awaited for its Due, from the time at which it may be
// observed.
func TestExternalStageIsAwaitedInTime(t *testing.T) {
	t.Parallel()
	p, err := receiptPipeline().withDefaults()
	require.NoError(t, err)
	w := newWorld(t)
	w.m.pipeline = p
	w.r = w.m.createRecord(Record{Scope: w.r.Scope, Filename: "a.pdf"}, time.Time{}, w.now)
	w.bringReceipt("awaited")
	require.Equal(t, w.now.Add(time.Hour), w.r.Due)
	require.Empty(t, w.m.stagesToLookFor(w.r, finding{}, w.now))
	require.Equal(t, []Stage{"receipt"}, w.m.stagesToLookFor(w.r, finding{}, w.r.Due))

	first, err := Pipeline{Name: "docs", Stages: []StageSpec{
		{Stage: "drafted"},
		{Stage: "signed", External: true, After: []Stage{"drafted"}},
		{Stage: "scanned", External: true, Due: time.Hour},
		{Stage: "posted", External: true, Due: 2 * time.Hour, Optional: true},
	}}.withDefaults()
	require.NoError(t, err)
	w.m.pipeline = first
	r := w.m.createRecord(Record{Scope: w.r.Scope, Filename: "a.pdf"}, w.now.Add(time.Minute), w.now)
	require.Equal(t, StateQueued, r.Stage("signed").State, "nothing is awaited before it may arrive")
	require.Equal(t, w.now.Add(time.Minute), r.Stage("scanned").Due, "as Create was told")
	require.Equal(t, w.now.Add(2*time.Hour), r.Stage("posted").Due)
	checkInvariants(t, w.m, Record{}, r)

	w.m.pipeline.Stages = first.Stages[:2]
	r = w.m.createRecord(Record{Scope: w.r.Scope, Filename: "a.pdf"}, w.now.Add(time.Minute), w.now)
	require.Equal(t, w.now.Add(time.Minute), r.Due)
	require.Equal(t, StatusQueued, r.Status)
}

// Reports in any order converge if those that are rejected are repeated, and a
// rejected one writes nothing.
func TestArrivalsInAnyOrder(t *testing.T) {
	t.Parallel()
	pipeline := Pipeline{Name: "uploads", Stages: []StageSpec{
		{Stage: "a", External: true},
		{Stage: "b", External: true, After: []Stage{"a"}},
		{Stage: "c", External: true, After: []Stage{"a", "b"}},
	}}
	for _, order := range [][]Stage{
		{"a", "b", "c"}, {"a", "c", "b"}, {"b", "a", "c"}, {"b", "c", "a"}, {"c", "a", "b"}, {"c", "b", "a"},
	} {
		b := newBundle(t, nil)
		var err error
		b.Tracker, err = New(b.table, pipeline, nil)
		require.NoError(t, err)
		_, err = b.Create(t.Context(), b.session, nil)
		require.NoError(t, err)
		b.driver.takeCalls()
		queue, refused := order, 0
		for len(queue) > 0 {
			st := queue[0]
			queue = queue[1:]
			_, err := b.Observe(t.Context(), b.session, Observation{Stage: st})
			if err != nil {
				require.Equal(t, st, stateOf(t, err, ErrDependencies).Stage)
				refused++
				queue = append(queue, st)
			}
		}
		require.Equal(t, slices.IsSorted(order), refused == 0)
		require.Equal(t, [3]int{3 + refused, 3, 0}, b.driver.takeCalls())
		require.Equal(t, StatusSuccess, b.getRecord(t).Status)
	}
}

// A sweep finds an object whose report was rejected and never repeated.
func TestSweepFindsRefusedArrivals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		var err error
		b.Tracker, err = New(b.table, receiptPipeline(), nil)
		require.NoError(t, err)
		u := b.withSession(t, b.session)
		_, err = u.Observe(t.Context(), u.session, Observation{Stage: "receipt"})
		stateOf(t, err, ErrDependencies)
		_, err = u.Observe(t.Context(), u.session, Observation{Stage: UserUpload})
		require.NoError(t, err)
		_, err = u.Claim(t.Context(), u.session, Routing, &ClaimOptions{Key: "r", Observed: &Observation{Stage: "receipt"}})
		stateOf(t, err, ErrDependencies)
		require.NoError(t, u.claimStage(t, "run").Complete(t.Context(), object.Ref{}))

		there := refIn(t, "landing", u.session, "receipt.pdf")
		var asked []Stage
		look := func(_ context.Context, _ Record, st Stage) (object.Ref, bool, error) {
			asked = append(asked, st)
			return there, true, nil
		}
		time.Sleep(time.Hour)
		res, err := u.Sweep(t.Context(), &SweepOptions{System: b.table.System(), Look: look})
		require.NoError(t, err)
		require.Equal(t, SweepResult{Observed: 1}, res)
		require.Equal(t, []Stage{"receipt"}, asked)
		require.Equal(t, there.Key(), u.getRecord(t).Stage("receipt").Destination.Key)
		a, err := u.Claim(t.Context(), u.session, Routing, &ClaimOptions{Key: "r"})
		require.NoError(t, err)
		require.NoError(t, a.Complete(t.Context(), object.Ref{}))
		require.Equal(t, StatusSuccess, u.getRecord(t).Status)
	})
}
