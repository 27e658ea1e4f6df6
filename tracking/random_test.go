package tracking

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// randomMachine performs random operations of workers on one record. Its clocks
// are skewed, and its workers also use holds that they have lost.
type randomMachine struct {
	t         *testing.T
	m         machine
	rnd       *rand.Rand
	r         Record
	externals []Stage
	holds     []hold
	completed map[Stage]int64
}

// perform performs one operation. held is the hold that it used, if any.
func (w *randomMachine) perform(c claim, now time.Time) (next Record, write bool, held hold, err error) {
	m, r, rnd := w.m, w.r, w.rnd
	var h hold
	if len(w.holds) > 0 {
		h = w.holds[max(0, len(w.holds)-1-rnd.IntN(4))]
	}
	switch op := rnd.IntN(40); {
	case op < 10:
		c.takeOver, c.keepsBackoff, c.skipsReview = false, rnd.IntN(4) == 0, true
		next, write, err = m.claimStage(r, c, now)
	case op < 20:
		next, write, err = m.claimStage(r, c, now)
	case op < 21:
		next, write, err = m.observeStage(r, w.anyExternal(), dest, now)
	case op == 21:
		next, write = w.sweepOnce(now)
	case op == 39 && rnd.IntN(8) == 0:
		next, write, err = m.cancelRecord(r, now)
	case h.fence == 0:
		next = r
	default:
		next, write, err = w.useHold(op, h, now)
		held = h
	}
	return next, write, held, err
}

func (w *randomMachine) anyExternal() Stage { return w.externals[w.rnd.IntN(len(w.externals))] }

func (w *randomMachine) sweepOnce(now time.Time) (Record, bool) {
	f := finding{orphans: w.rnd.IntN(4) == 0}
	if w.rnd.IntN(2) == 0 {
		now = w.r.Due
	}
	if w.rnd.IntN(2) == 0 {
		f.arrived = map[Stage]Location{w.anyExternal(): dest}
	}
	next, v := w.m.sweepRecord(w.r, f, now)
	return next, v != verdictNone
}

func (w *randomMachine) useHold(op int, h hold, now time.Time) (next Record, write bool, err error) {
	switch {
	case op < 25:
		return w.m.renewLease(w.r, h, now)
	case op < 28:
		next, write, err = w.m.completeStage(w.r, h, dest, now)
		if err == nil && write {
			require.Zero(w.t, w.completed[h.spec.Stage], "a stage is completed once")
			w.completed[h.spec.Stage] = h.fence
		}
		return next, write, err
	case op < 31:
		return w.m.failStage(w.r, h, []Error{boom, fatal}[w.rnd.IntN(6)/5], now)
	case op < 35:
		return w.m.parkStage(w.r, h, time.Hour, now)
	}
	return w.m.releaseStage(w.r, h, now)
}

// step performs an operation and checks its effect.
func (w *randomMachine) step(c claim, now time.Time) {
	next, write, held, err := w.perform(c, now)
	if err != nil {
		var refused *StateError
		require.ErrorAs(w.t, err, &refused)
		return
	}
	if !write {
		require.Equal(w.t, w.r, next)
		return
	}
	checkInvariants(w.t, w.m, w.r, next)
	if held.fence != 0 {
		require.Equal(w.t, w.r.Stage(held.spec.Stage).Fence, held.fence, "a zombie wrote")
	}
	w.r = next
	if got := next.Stage(c.spec.Stage); got.State == StateRunning && got.owner == c.owner {
		w.holds = append(w.holds, hold{spec: c.spec, fence: got.Fence, owner: c.owner, lease: c.lease})
	}
}

// Every write keeps the invariants, and only the holder of the newest fence writes
// as a holder.
func TestRandomMachineKeepsInvariants(t *testing.T) {
	t.Parallel()
	p, err := Pipeline{Name: "docs", Stages: []StageSpec{
		{Stage: "user_upload", External: true},
		{Stage: "analysed", After: []Stage{"user_upload"}, MaxAttempts: 3},
		{Stage: "processed", Optional: true, MaxAttempts: 2},
		{Stage: "embedding", After: []Stage{"analysed"}, MaxAttempts: 2},
		{Stage: "signed", External: true, After: []Stage{"analysed"}},
		{Stage: "stamped", External: true, After: []Stage{"signed"}, Optional: true},
	}}.withDefaults()
	require.NoError(t, err)
	m := machine{pipeline: p, review: time.Hour}
	session := sessionOf(t, userOf(t, "acme", "u1"), 1)
	ends := map[string]int{}
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		clock := epoch
		w := &randomMachine{
			t: t, m: m, rnd: rnd, externals: []Stage{"user_upload", "user_upload", "signed", "stamped"}, completed: map[Stage]int64{},
			r: m.createRecord(Record{Scope: session, Filename: "a.pdf"}, time.Time{}, clock),
		}
		for step := 0; step < 60 && !w.r.Terminal; step++ {
			clock = clock.Add(time.Duration(rnd.IntN(20_000)) * time.Millisecond)
			now := clock.Add(time.Duration(rnd.IntN(120_000)-60_000) * time.Millisecond) // skew
			spec := p.Stages[1+rnd.IntN(3)]
			c := claim{spec: spec, key: fmt.Sprint("key", rnd.IntN(2)), owner: fmt.Sprint("w", step), lease: spec.Lease, takeOver: rnd.IntN(4) == 0}
			if rnd.IntN(3) == 0 {
				c.observed = w.anyExternal()
			}
			w.step(c, now)
		}
		ends[w.r.Reason+"/"+string(w.r.Status)]++
		sweepToEnd(t, m, w.r)
	}
	// The walk must reach every kind of end.
	for _, end := range []string{"/SUCCESS", "no_image/FAILED", "max_attempts/FAILED", "cancelled/FAILED", "abandoned/FAILED"} {
		require.NotZero(t, ends[end], "%s never came about: %v", end, ends)
	}
}

// sweepToEnd checks that sweeps end a record that is abandoned, and that a worker could
// continue it before.
func sweepToEnd(t *testing.T, m machine, r Record) {
	for sweeps := 0; !r.Terminal; sweeps++ {
		require.Less(t, sweeps, 10, "it does not come to an end")
		now := r.Due.Add(time.Minute) // every lease has expired
		f := finding{}
		f.absent = m.stagesToLookFor(r, f, now)
		next, v := m.sweepRecord(r, f, now)
		require.NotEqual(t, verdictNone, v, "overdue, and nothing is done")
		checkInvariants(t, m, r, next)
		r = next
		for _, s := range m.pipeline.Stages {
			p := r.Stage(s.Stage)
			if r.Terminal || s.External || p.Error.Code != codeLost || s.isFinal(p) {
				continue
			}
			_, write, err := m.claimStage(r, claim{spec: s, key: "k", owner: "o", lease: s.Lease, keepsBackoff: true}, now)
			require.NoError(t, err)
			require.True(t, write)
		}
	}
}

// The same holds through a table that loses writes and answers: the stored rows keep
// the invariants in their order, the answers to workers are true, and the record ends.
func TestRandomWorkersKeepInvariants(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("many rounds of workers")
	}
	for name, open := range map[string]func(testing.TB) table.Driver{
		"memory": func(testing.TB) table.Driver { return table.NewMemory(nil) },
		"bolt":   openBolt,
	} {
		t.Run(name, func(t *testing.T) {
			rounds := 30
			if name == "bolt" {
				rounds = 4 // each write is a sync of the disk
			}
			d := open(t)
			completions := 0
			for round := range rounds {
				completions += runRandomWorkers(t, d, round)
			}
			require.NotZero(t, completions, "no worker ever completed: nothing was tested")
		})
	}
}

// runRandomWorkers returns how many workers completed a stage.
func runRandomWorkers(t *testing.T, under table.Driver, round int) int {
	b := newBundle(t, under)
	b.session = sessionOf(t, b.user, round)
	created, err := b.Create(t.Context(), b.session, nil)
	require.NoError(t, err)

	rnd := rand.New(rand.NewPCG(uint64(round), 7)) // used under the driver's lock
	b.driver.fault = func() (bool, bool) {
		n := rnd.IntN(10)
		return n == 0, n == 1
	}
	var mu sync.Mutex
	var completed []int64 // fences whose Complete was confirmed
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(round), uint64(100+w)))
			for range 25 {
				if fence := workOnce(t.Context(), b, rnd, fmt.Sprint("worker", w)); fence != 0 {
					mu.Lock()
					completed = append(completed, fence)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	b.driver.fault = nil

	before := created
	for _, row := range b.driver.written[1:] { // the first is Create's
		after, err := b.machine.decodeItem(b.session, table.Item{Sort: row.Sort, Version: row.Version, Index: before.indexEntries(), Attr: row.Attr})
		require.NoError(t, err)
		require.Equal(t, before.Version+1, after.Version, "no write is lost")
		checkInvariants(t, b.machine, before, after)
		before = after
	}
	end := b.getRecord(t)
	require.Equal(t, before.Version, end.Version)
	for _, fence := range completed {
		require.Equal(t, StateSuccess, end.Stage(Enrichment).State)
		require.Equal(t, end.Stage(Enrichment).Fence, fence, "only the last holder completes")
	}

	// A worker can end the record from every state.
	if !end.Terminal {
		_, err := b.Observe(t.Context(), b.session, Observation{Stage: UserUpload})
		require.NoError(t, err)
		var a *Attempt
		require.Eventually(t, func() bool { // the last lease may have a millisecond to go
			a, err = b.Claim(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "end"})
			return !errors.Is(err, ErrRunning)
		}, time.Minute, time.Millisecond)
		if errors.Is(err, ErrExhausted) {
			return len(completed) // to be swept
		}
		require.NoError(t, err)
		require.NoError(t, a.Complete(t.Context(), refIn(t, "raw", b.session, "metadata.json")))
		require.Equal(t, StatusSuccess, b.getRecord(t).Status)
	}
	return len(completed)
}

// workOnce performs one operation of a worker, and returns the fence of a stage that it
// completed.
func workOnce(ctx context.Context, b *bundle, rnd *rand.Rand, key string) int64 {
	o := &ClaimOptions{Key: key, Lease: time.Duration(1+rnd.IntN(3)) * time.Millisecond, TakeOver: false}
	if rnd.IntN(2) == 0 {
		o.Observed = &Observation{Stage: UserUpload}
	}
	var a *Attempt
	var err error
	switch rnd.IntN(5) {
	case 0:
		_, _ = b.Observe(ctx, b.session, Observation{Stage: UserUpload})
		return 0
	case 1:
		o.TakeOver = true
	case 2, 3:
		o.Automatic = true
	}
	a, err = b.Claim(ctx, b.session, Enrichment, o)
	if err != nil {
		return 0
	}
	for range rnd.IntN(3) {
		_ = a.Heartbeat(ctx)
	}
	switch rnd.IntN(8) {
	case 0:
		if a.Complete(ctx, object.Ref{}) == nil {
			return a.Fence()
		}
	case 1:
		_ = a.Fail(ctx, errors.New("boom"))
	case 2, 3:
		_ = a.Release(ctx)
	case 4: // the worker dies
	default:
		_ = a.Park(ctx, 0)
	}
	return 0
}
