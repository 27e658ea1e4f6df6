package sweeper_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/sweeper"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// broken is a driver whose listings can fail.
type broken struct {
	table.Driver
	queries atomic.Int64
	fail    atomic.Bool
	hang    atomic.Bool // the next listing hangs
}

func (b *broken) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	b.queries.Add(1)
	if b.hang.CompareAndSwap(true, false) {
		<-ctx.Done()
		return table.DriverPage{}, ctx.Err()
	}
	if b.fail.Load() {
		return table.DriverPage{}, errors.New("throttled")
	}
	return b.Driver.Query(ctx, q)
}

type hall struct {
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

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{t: t, rows: &broken{Driver: table.NewMemory(nil)}, there: map[scope.Scope]error{}, bucket: must.Get(object.New(object.NewMemory(), "b", nil))}
	tb := must.Get(table.New(h.rows, nil))
	var err error
	h.tracker, err = tracking.New(tb, tracking.Uploads(), nil)
	require.NoError(t, err)
	h.system = tb.System()
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	h.user, err = tenant.User("u1")
	require.NoError(t, err)
	return h
}

func (h *hall) look(_ context.Context, r tracking.Record, _ tracking.Stage) (object.Ref, bool, error) {
	h.mu.Lock()
	err, found := h.there[r.Scope]
	h.mu.Unlock()
	if !found || err != nil {
		return object.Ref{}, false, err
	}
	return h.ref(r.Scope), true, nil
}

// answer sets the result of looks at the session's upload.
func (h *hall) answer(s scope.Scope, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.there[s] = err
}

func (h *hall) ref(s scope.Scope) object.Ref {
	h.t.Helper()
	root, err := h.bucket.In(s)
	require.NoError(h.t, err)
	ref, err := root.Ref("cover.png")
	require.NoError(h.t, err)
	return ref
}

func (h *hall) create(due time.Duration) scope.Scope {
	h.t.Helper()
	s, err := h.user.NewSession()
	require.NoError(h.t, err)
	_, err = h.tracker.Create(h.t.Context(), s, &tracking.CreateOptions{Filename: "cover.png", Due: time.Now().Add(due)})
	require.NoError(h.t, err)
	return s
}

func (h *hall) record(s scope.Scope) tracking.Record {
	h.t.Helper()
	r, err := h.tracker.Get(h.t.Context(), s)
	require.NoError(h.t, err)
	return r
}

func (h *hall) sweeper(every time.Duration) *sweeper.Sweeper {
	return sweeper.New(h.tracker, h.system, h.look, &sweeper.Options{Every: every, Log: slog.New(slog.NewTextHandler(&h.log, nil))})
}

// run runs the sweeper until the returned function is called, which waits for it.
func (h *hall) run(s *sweeper.Sweeper) (stop func()) {
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	return func() { cancel(); <-done }
}

func TestWhatTimeBrings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		never, came, stuck, later := h.create(time.Minute), h.create(time.Minute), h.create(time.Minute), h.create(time.Hour)
		h.answer(came, nil)
		h.answer(stuck, errors.New("503 slow down"))
		stop := h.run(h.sweeper(time.Minute))
		pass(30 * time.Second)
		for _, s := range []scope.Scope{never, came, stuck, later} {
			require.Equal(t, tracking.StatusInProgress, h.record(s).Status, "nothing is due")
		}
		pass(2 * time.Minute)
		require.Equal(t, "abandoned", h.record(never).Reason)
		require.Equal(t, tracking.StateSuccess, h.record(came).Stage(tracking.UserUpload).State)
		require.Equal(t, tracking.StatusInProgress, h.record(stuck).Status, "what could not be looked for is nobody's to end")
		require.Equal(t, tracking.StatusInProgress, h.record(later).Status)
		require.Contains(t, h.log.String(), "503 slow down")
		require.Contains(t, h.log.String(), stuck.String())

		h.answer(stuck, nil)
		pass(2 * time.Minute)
		require.Equal(t, tracking.StateSuccess, h.record(stuck).Stage(tracking.UserUpload).State)
		stop()
	})
}

// A look that hangs is canceled and does not delay other records.
func TestALookThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		hung := h.create(time.Minute)
		all := []scope.Scope{}
		for range 20 { // before it and after it
			all = append(all, h.create(time.Minute))
		}
		look := func(ctx context.Context, r tracking.Record, st tracking.Stage) (object.Ref, bool, error) {
			if r.Scope == hung {
				<-ctx.Done()
				return object.Ref{}, false, ctx.Err()
			}
			return h.look(ctx, r, st)
		}
		stop := h.run(sweeper.New(h.tracker, h.system, look, &sweeper.Options{Log: slog.New(slog.NewTextHandler(&h.log, nil))}))
		pass(5 * time.Minute)
		for _, s := range all {
			require.Equal(t, "abandoned", h.record(s).Reason)
		}
		require.Equal(t, tracking.StatusInProgress, h.record(hung).Status)
		require.Contains(t, h.log.String(), hung.String())
		stop()
	})
}

// More than one call of Sweep does is done in one go.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		var all []scope.Scope
		for range 1100 {
			all = append(all, h.create(time.Minute))
		}
		pass(2 * time.Minute)
		stop := h.run(h.sweeper(time.Hour))
		pass(time.Minute)
		for _, s := range all {
			require.Equal(t, "abandoned", h.record(s).Reason)
		}
		stop()
	})
}

// A table that does not answer is swept when it answers again.
func TestATableThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		s := h.create(time.Minute)
		h.rows.fail.Store(true)
		require.Error(t, h.sweeper(0).Recover(t.Context()))
		stop := h.run(h.sweeper(0))
		pass(10 * time.Minute)
		require.Contains(t, h.log.String(), "sweep table")
		require.InDelta(t, 10, strings.Count(h.log.String(), "sweep table"), 2, "a minute is the default")
		h.rows.fail.Store(false)
		pass(2 * time.Minute)
		require.Equal(t, "abandoned", h.record(s).Reason)
		stop()
		n := h.rows.queries.Load()
		pass(time.Hour)
		require.Equal(t, n, h.rows.queries.Load(), "after its end it sweeps no more")
	})
}

// A table that leaves one question unanswered is asked again.
func TestATableThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		s := h.create(time.Minute)
		h.rows.hang.Store(true)
		stop := h.run(h.sweeper(0))
		pass(sweeper.SweepTime + 3*time.Minute)
		require.Equal(t, "abandoned", h.record(s).Reason)
		require.Equal(t, 1, strings.Count(h.log.String(), "sweep table"))
		stop()
	})
}

// A live lease protects a worker from a sweep, and not from the recovery, which knows that it is dead.
func TestRecover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		s, waiting := h.create(time.Minute), h.create(time.Minute)
		_, err := h.tracker.Claim(t.Context(), s, tracking.Enrichment, &tracking.ClaimOptions{
			Key: "run", Observed: &tracking.Observation{Stage: tracking.UserUpload, Dest: h.ref(s)},
		})
		require.NoError(t, err)
		stop := h.run(h.sweeper(time.Second))
		pass(5 * time.Second)
		stop()
		require.Equal(t, tracking.StateRunning, h.record(s).Stage(tracking.Enrichment).State)
		require.NoError(t, h.sweeper(0).Recover(t.Context()))
		r := h.record(s)
		require.Equal(t, "lost", r.Reason)
		require.False(t, r.Terminal)
		require.Equal(t, tracking.StatusInProgress, h.record(waiting).Status)
	})
}

// pass advances the time and waits until all work has settled.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// Clean is called after each sweep, also where one fails, and an error of it ends nothing.
func TestClean(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		calls := 0
		clean := func(context.Context) error {
			calls++
			return errors.New("the store is away")
		}
		s := sweeper.New(h.tracker, h.system, h.look, &sweeper.Options{Every: time.Minute, Clean: clean, Log: slog.New(slog.NewTextHandler(&h.log, nil))})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		h.rows.fail.Store(true)
		s.Run(ctx)
		require.GreaterOrEqual(t, calls, 8)
		require.LessOrEqual(t, calls, 12)
		require.Contains(t, h.log.String(), "the store is away")
	})
}
