package sweeper_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
	"github.com/carrel-go/carrel/tracking/sweeper"
)

// broken is a driver whose listings can fail.
type broken struct {
	table.Driver
	queries atomic.Int64
	fail    atomic.Bool
	hang    atomic.Bool // the next listing hangs
}

func (d *broken) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	d.queries.Add(1)
	if d.hang.CompareAndSwap(true, false) {
		<-ctx.Done()
		return table.DriverPage{}, ctx.Err()
	}
	if d.fail.Load() {
		return table.DriverPage{}, errors.New("throttled")
	}
	return d.Driver.Query(ctx, q)
}

type bundle struct {
	t       *testing.T
	rows    *broken
	tracker *tracking.Tracker
	system  *table.System
	user    scope.Scope
	mu      sync.Mutex
	there   map[scope.Scope]error // results of looks; an absent upload has not arrived
	bucket  *object.Bucket
	log     strings.Builder
}

func newBundle(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, rows: &broken{Driver: table.NewMemory(nil)}, there: map[scope.Scope]error{}, bucket: must.Get(object.New(object.NewMemory(), "b", nil))}
	tb := must.Get(table.New(b.rows, nil))
	var err error
	b.tracker, err = tracking.New(tb, tracking.Uploads(), nil)
	require.NoError(t, err)
	b.system = tb.System()
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	b.user, err = tenant.User("u1")
	require.NoError(t, err)
	return b
}

func (b *bundle) look(_ context.Context, r tracking.Record, _ tracking.Stage) (object.Ref, bool, error) {
	b.mu.Lock()
	err, found := b.there[r.Scope]
	b.mu.Unlock()
	if !found || err != nil {
		return object.Ref{}, false, err
	}
	return b.ref(r.Scope), true, nil
}

// answer sets the result of looks at the session's upload.
func (b *bundle) answer(s scope.Scope, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.there[s] = err
}

func (b *bundle) ref(s scope.Scope) object.Ref {
	b.t.Helper()
	root, err := b.bucket.In(s)
	require.NoError(b.t, err)
	ref, err := root.Ref("cover.png")
	require.NoError(b.t, err)
	return ref
}

func (b *bundle) create(due time.Duration) scope.Scope {
	b.t.Helper()
	s, err := b.user.NewSession()
	require.NoError(b.t, err)
	_, err = b.tracker.Create(b.t.Context(), s, &tracking.CreateOptions{Filename: "cover.png", Due: time.Now().Add(due)})
	require.NoError(b.t, err)
	return s
}

func (b *bundle) record(s scope.Scope) tracking.Record {
	b.t.Helper()
	r, err := b.tracker.Get(b.t.Context(), s)
	require.NoError(b.t, err)
	return r
}

// newSweeper sets the options' defaults: the bundle's Look and log.
func (b *bundle) newSweeper(o sweeper.Options) *sweeper.Sweeper {
	b.t.Helper()
	if o.Look == nil {
		o.Look = b.look
	}
	o.Log = slog.New(slog.NewTextHandler(&b.log, nil))
	s, err := sweeper.New(b.tracker, b.system, &o)
	require.NoError(b.t, err)
	return s
}

// run runs the sweeper until the returned function is called, which waits for it.
func (b *bundle) run(s *sweeper.Sweeper) (stop func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	return func() { cancel(); <-done }
}

func TestRunSweepsOverdueRecords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		never, came, stuck, later := b.create(time.Minute), b.create(time.Minute), b.create(time.Minute), b.create(time.Hour)
		b.answer(came, nil)
		b.answer(stuck, errors.New("503 slow down"))
		stop := b.run(b.newSweeper(sweeper.Options{Every: time.Minute}))
		pass(30 * time.Second)
		for _, s := range []scope.Scope{never, came, stuck, later} {
			require.Equal(t, tracking.StatusInProgress, b.record(s).Status, "nothing is due")
		}
		pass(2 * time.Minute)
		require.Equal(t, "abandoned", b.record(never).Reason)
		require.Equal(t, tracking.StateSuccess, b.record(came).Stage(tracking.UserUpload).State)
		require.Equal(t, tracking.StatusInProgress, b.record(stuck).Status, "a failed look ends nothing")
		require.Equal(t, tracking.StatusInProgress, b.record(later).Status)
		require.Contains(t, b.log.String(), "503 slow down")
		require.Contains(t, b.log.String(), stuck.String())

		b.answer(stuck, nil)
		pass(2 * time.Minute)
		require.Equal(t, tracking.StateSuccess, b.record(stuck).Stage(tracking.UserUpload).State)
		stop()
	})
}

// A look that hangs is canceled and does not delay other records.
func TestLookThatHangsIsCanceled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		hung := b.create(time.Minute)
		all := []scope.Scope{}
		for range 20 { // before it and after it
			all = append(all, b.create(time.Minute))
		}
		look := func(ctx context.Context, r tracking.Record, st tracking.Stage) (object.Ref, bool, error) {
			if r.Scope == hung {
				<-ctx.Done()
				return object.Ref{}, false, ctx.Err()
			}
			return b.look(ctx, r, st)
		}
		stop := b.run(b.newSweeper(sweeper.Options{Look: look}))
		pass(5 * time.Minute)
		for _, s := range all {
			require.Equal(t, "abandoned", b.record(s).Reason)
		}
		require.Equal(t, tracking.StatusInProgress, b.record(hung).Status)
		require.Contains(t, b.log.String(), hung.String())
		stop()
	})
}

// More than one call of Sweep does is done in one go.
func TestRunContinuesAtTheLimitOfOneSweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		var all []scope.Scope
		for range 1100 {
			all = append(all, b.create(time.Minute))
		}
		pass(2 * time.Minute)
		stop := b.run(b.newSweeper(sweeper.Options{Every: time.Hour}))
		pass(time.Minute)
		for _, s := range all {
			require.Equal(t, "abandoned", b.record(s).Reason)
		}
		stop()
	})
}

// A table that does not answer is swept when it answers again.
func TestRunSurvivesATableThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		s := b.create(time.Minute)
		b.rows.fail.Store(true)
		require.Error(t, b.newSweeper(sweeper.Options{}).Recover(t.Context()))
		stop := b.run(b.newSweeper(sweeper.Options{}))
		pass(10 * time.Minute)
		require.Contains(t, b.log.String(), "sweep table")
		require.InDelta(t, 10, strings.Count(b.log.String(), "sweep table"), 2, "a minute is the default")
		b.rows.fail.Store(false)
		pass(2 * time.Minute)
		require.Equal(t, "abandoned", b.record(s).Reason)
		stop()
		n := b.rows.queries.Load()
		pass(time.Hour)
		require.Equal(t, n, b.rows.queries.Load(), "after its end it sweeps no more")
	})
}

// A table that leaves one question unanswered is asked again.
func TestSweepThatHangsIsCanceled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		s := b.create(time.Minute)
		b.rows.hang.Store(true)
		stop := b.run(b.newSweeper(sweeper.Options{}))
		pass(8 * time.Minute)
		require.Equal(t, "abandoned", b.record(s).Reason)
		require.Equal(t, 1, strings.Count(b.log.String(), "sweep table"))
		stop()
	})
}

// A live lease protects a worker from a sweep, and not from the recovery, which knows that it is dead.
func TestRecoverFailsHeldStages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		s, waiting := b.create(time.Minute), b.create(time.Minute)
		_, err := b.tracker.Claim(t.Context(), s, tracking.Enrichment, &tracking.ClaimOptions{
			Key: "run", Observed: &tracking.Observation{Stage: tracking.UserUpload, Dest: b.ref(s)},
		})
		require.NoError(t, err)
		stop := b.run(b.newSweeper(sweeper.Options{Every: time.Second}))
		pass(5 * time.Second)
		stop()
		require.Equal(t, tracking.StateRunning, b.record(s).Stage(tracking.Enrichment).State)
		require.NoError(t, b.newSweeper(sweeper.Options{}).Recover(t.Context()))
		r := b.record(s)
		require.Equal(t, "lost", r.Reason)
		require.False(t, r.Terminal)
		require.Equal(t, tracking.StatusInProgress, b.record(waiting).Status)
	})
}

// pass advances the time and waits until all work has settled.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// Clean is called after each sweep, also where one fails, and an error of it ends nothing.
func TestCleanIsCalledAfterEachSweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		calls := 0
		clean := func(context.Context) error {
			calls++
			return errors.New("the store is away")
		}
		s := b.newSweeper(sweeper.Options{Every: time.Minute, Clean: clean})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		b.rows.fail.Store(true)
		s.Run(ctx)
		require.GreaterOrEqual(t, calls, 8)
		require.LessOrEqual(t, calls, 12)
		require.Contains(t, b.log.String(), "the store is away")
	})
}

// Live decides whether a stage with an expired lease is lost, for sweeps and for the recovery. It is canceled if it hangs.
func TestLiveRunsAreLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		s, hung := b.create(time.Minute), b.create(time.Minute)
		for _, session := range []scope.Scope{s, hung} {
			_, err := b.tracker.Claim(t.Context(), session, tracking.Enrichment, &tracking.ClaimOptions{
				Key: "run", Observed: &tracking.Observation{Stage: tracking.UserUpload, Dest: b.ref(session)},
			})
			require.NoError(t, err)
		}
		var ended atomic.Bool
		isLive := func(ctx context.Context, r tracking.Record) (bool, error) {
			if r.Scope == hung {
				<-ctx.Done()
				return false, ctx.Err()
			}
			return !ended.Load(), nil
		}
		sw := b.newSweeper(sweeper.Options{Live: isLive})
		require.NoError(t, sw.Recover(t.Context()))
		stop := b.run(sw)
		pass(time.Hour)
		require.Equal(t, tracking.StateRunning, b.record(s).Stage(tracking.Enrichment).State)
		ended.Store(true)
		pass(2 * time.Minute)
		stop()
		require.Equal(t, "lost", b.record(s).Reason)
		require.Equal(t, tracking.StateRunning, b.record(hung).Stage(tracking.Enrichment).State)
		require.Contains(t, b.log.String(), hung.String())
	})
}

// Rows that others place before the records exceed what one call of Sweep reads, and hide no record.
func TestSweepEndsBehindForgedRows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		s := b.create(time.Minute)
		view := must.Get(must.Get(table.New(b.rows, nil)).In(b.user))
		const pages = 9 // of each shard: more than 128 together
		for i := range pages * 100 * tracking.Shards {
			must.Get(view.Put(t.Context(), table.Item{Sort: fmt.Sprint("x", i), Index: []table.Entry{
				{Slot: table.I3, Level: scope.None, Class: "due-uploads", Shard: i % tracking.Shards, Sort: "2000"},
			}}, table.Absent()))
		}
		pass(time.Hour)
		require.NoError(t, b.newSweeper(sweeper.Options{}).Recover(t.Context()))
		require.Equal(t, "abandoned", b.record(s).Reason)
		require.LessOrEqual(t, b.rows.queries.Load(), int64((pages+2)*tracking.Shards))
	})
}

func TestNewRejectsInvalidArguments(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	o := &sweeper.Options{Look: b.look}
	for name, c := range map[string]struct {
		tracker *tracking.Tracker
		system  *table.System
		o       *sweeper.Options
	}{
		"tracker":  {nil, b.system, o},
		"system":   {b.tracker, nil, o},
		"look":     {b.tracker, b.system, nil},
		"interval": {b.tracker, b.system, &sweeper.Options{Look: b.look, Every: -1}},
	} {
		_, err := sweeper.New(c.tracker, c.system, c.o)
		require.ErrorIs(t, err, tracking.ErrInvalid, name)
	}
}

func TestPipelineWithoutExternalStagesNeedsNoLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		tb := must.Get(table.New(table.NewMemory(nil), nil))
		var err error
		b.tracker, err = tracking.New(tb, tracking.Pipeline{Name: "jobs", Stages: []tracking.StageSpec{{Stage: "work"}}}, nil)
		require.NoError(t, err)
		s := b.create(time.Minute)
		pass(time.Hour)
		sw := must.Get(sweeper.New(b.tracker, tb.System(), nil))
		require.NoError(t, sw.Recover(t.Context()))
		require.Equal(t, "abandoned", b.record(s).Reason)
	})
}
