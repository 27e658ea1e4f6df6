package tracking

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// storage holds the objects that have arrived.
type storage struct {
	mu    sync.Mutex
	there map[scope.Scope]object.Ref
	err   error
	asked int
}

func (s *storage) lookFor(_ context.Context, r Record, st Stage) (object.Ref, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if st != UserUpload {
		return object.Ref{}, false, errors.New("another stage")
	}
	ref, ok := s.there[r.Scope]
	return ref, ok, s.err
}

func (b *bundle) sweepTable(t testing.TB, s *storage, o SweepOptions) SweepResult {
	t.Helper()
	o.System, o.Look = b.table.System(), s.lookFor
	res, err := b.Sweep(t.Context(), &o)
	require.NoError(t, err)
	return res
}

// withSession returns the same tracker with another session, whose record it creates.
func (b *bundle) withSession(t testing.TB, s scope.Scope) *bundle {
	t.Helper()
	o := *b
	o.session = s
	_, err := b.Create(t.Context(), s, &CreateOptions{Filename: "cover.jpg"})
	require.NoError(t, err)
	return &o
}

// A sweep ends uploads that are not continued, on each driver.
func TestSweepEndsAbandonedUploads(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]func(testing.TB) table.Driver{
		"memory":  func(testing.TB) table.Driver { return table.NewMemory(nil) },
		"delayed": func(testing.TB) table.Driver { return table.NewMemory(&table.MemoryOptions{IndexDelay: time.Minute}) },
		"listing little": func(testing.TB) table.Driver {
			return table.NewMemory(&table.MemoryOptions{Listed: []string{"filename"}})
		},
		"bolt": openBolt,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testSweep(t, newBundle(t, d(t))) })
		})
	}
}

func testSweep(t *testing.T, b *bundle) {
	ctx := t.Context()
	uploading := b.withSession(t, sessionOf(t, userOf(t, "acme", "u1"), 1))
	silent := b.withSession(t, sessionOf(t, userOf(t, "globex", "u2"), 2)) // it arrived, and nobody said so
	unused := b.withSession(t, sessionOf(t, userOf(t, "acme", "u3"), 3))
	killed := b.withSession(t, sessionOf(t, userOf(t, "acme", "u1"), 4))
	parked := b.withSession(t, sessionOf(t, userOf(t, "acme", "u1"), 5))
	busy := b.withSession(t, sessionOf(t, userOf(t, "acme", "u1"), 6))
	done := b.withSession(t, sessionOf(t, userOf(t, "acme", "u1"), 7))
	for _, u := range []*bundle{unused, killed, parked, busy, done} {
		_, err := b.Observe(ctx, u.session, Observation{Stage: UserUpload})
		require.NoError(t, err)
	}
	killed.claimStage(t, "run")
	require.NoError(t, parked.claimStage(t, "run").Park(ctx, 0))
	work := busy.claimStage(t, "run")
	_, stop := work.Keep(ctx)
	defer stop()
	require.NoError(t, done.claimStage(t, "run").Complete(ctx, object.Ref{}))
	there := refIn(t, "landing", silent.session, "cover.jpg")
	s := &storage{there: map[scope.Scope]object.Ref{silent.session: there}}

	time.Sleep(14 * time.Minute)
	b.driver.takeCalls()
	require.Zero(t, b.sweepTable(t, s, SweepOptions{}))
	calls := b.driver.takeCalls()
	require.Equal(t, 0, calls[0], "what is not due costs no read")
	require.Equal(t, Shards, calls[2])

	time.Sleep(2 * time.Minute) // the runs are overdue
	require.Equal(t, SweepResult{Lost: 1, Moved: 1}, b.sweepTable(t, s, SweepOptions{}))
	p := killed.getRecord(t).Stage(Enrichment)
	require.Equal(t, codeLost, p.Error.Code)
	require.Equal(t, StatusFailed, killed.getRecord(t).Status)
	require.Zero(t, s.asked)
	killed.claimStage(t, "again") // and killed again

	time.Sleep(time.Hour) // the grants have expired
	res := b.sweepTable(t, s, SweepOptions{})
	require.Equal(t, SweepResult{Lost: 1, Moved: 1, Observed: 1, Abandoned: 1}, res)
	require.Equal(t, 2, s.asked)
	require.Equal(t, there.Key(), silent.getRecord(t).Stage(UserUpload).Destination.Key)
	require.Equal(t, StatusInProgress, silent.getRecord(t).Status)
	r := uploading.getRecord(t)
	require.True(t, r.Terminal)
	require.Equal(t, codeAbandoned, r.Reason)
	require.Equal(t, codeAbandoned, r.Stage(UserUpload).Error.Code)
	_, err := b.Observe(ctx, uploading.session, Observation{Stage: UserUpload})
	stateOf(t, err, ErrTerminal)

	require.Equal(t, StatusInProgress, busy.getRecord(t).Status)
	stop()
	require.NoError(t, work.Complete(ctx, object.Ref{}))

	time.Sleep(26 * time.Hour) // the review windows have passed
	res = b.sweepTable(t, s, SweepOptions{})
	require.Equal(t, 4, res.Abandoned) // silent, unused, killed, parked
	require.Empty(t, res.Errors)
	for _, u := range []*bundle{silent, unused, killed, parked} {
		require.Equal(t, codeAbandoned, u.getRecord(t).Reason)
	}
	require.Equal(t, 2, s.asked, "what has arrived is not asked for again")
	require.Equal(t, StatusSuccess, busy.getRecord(t).Status)
	require.Equal(t, StatusSuccess, done.getRecord(t).Status)
	time.Sleep(100 * time.Hour)
	require.Zero(t, b.sweepTable(t, s, SweepOptions{}), "it has all ended")
}

// Each record costs one read and at most one write.
func TestSweepReadsAndWritesEachRecordOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		for n := range 3 {
			b.withSession(t, sessionOf(t, b.user, n))
		}
		time.Sleep(2 * time.Hour)
		b.driver.takeCalls()
		require.Equal(t, 3, b.sweepTable(t, &storage{}, SweepOptions{}).Abandoned)
		require.Equal(t, [3]int{3, 3, Shards}, b.driver.takeCalls())
	})
}

// A sweep of orphans ends the stages of a process that is known to be dead.
func TestSweepEndsOrphans(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	waiting := b.withSession(t, sessionOf(t, b.user, 1))
	run := b.withSession(t, sessionOf(t, b.user, 2))
	review := b.withSession(t, sessionOf(t, b.user, 3))
	for _, u := range []*bundle{run, review} {
		_, err := b.Observe(t.Context(), u.session, Observation{Stage: UserUpload})
		require.NoError(t, err)
	}
	dead := run.claimStage(t, "run")
	require.NoError(t, review.claimStage(t, "run").Park(t.Context(), 0))
	s := &storage{}
	require.Equal(t, SweepResult{Lost: 1}, b.sweepTable(t, s, SweepOptions{Orphans: true}))
	require.Zero(t, b.sweepTable(t, s, SweepOptions{Orphans: true}))
	require.Zero(t, s.asked)
	stateOf(t, dead.Heartbeat(t.Context()), ErrFenced)
	require.Equal(t, codeLost, run.getRecord(t).Stage(Enrichment).Error.Code)
	run.claimStage(t, "again")
	require.Equal(t, StateWaiting, review.getRecord(t).Stage(Enrichment).State)
	require.Equal(t, StateRunning, waiting.getRecord(t).Stage(UserUpload).State)
}

// An upload that is observed while a sweep looks for it is not abandoned.
func TestSweepDoesNotAbandonAnArrival(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		b.withSession(t, b.session)
		time.Sleep(2 * time.Hour)
		res, err := b.Sweep(t.Context(), &SweepOptions{System: b.table.System(), Look: func(ctx context.Context, r Record, st Stage) (object.Ref, bool, error) {
			_, err := b.Observe(ctx, r.Scope, Observation{Stage: st})
			return object.Ref{}, false, err
		}})
		require.NoError(t, err)
		require.Zero(t, res)
		require.Equal(t, StateSuccess, b.getRecord(t).Stage(UserUpload).State)
	})
}

func TestSweepRejectsInvalidOptions(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	sys := b.table.System()
	look := (&storage{}).lookFor
	for name, o := range map[string]*SweepOptions{
		"nothing":   nil,
		"no System": {Look: look},
		"no Look":   {System: sys},
		"limit":     {System: sys, Look: look, Limit: -1},
	} {
		_, err := b.Sweep(t.Context(), o)
		require.ErrorIs(t, err, ErrInvalid, name)
	}
}

// Records whose retention has passed are hidden at once, and a sweep removes them if
// the store does not.
func TestExpiredRecordsAreHiddenAndPurged(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB) table.Driver{
		"memory": func(testing.TB) table.Driver { return table.NewMemory(nil) }, "bolt": openBolt,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := open(t)
				b := newBundle(t, d)
				b.table = must.Get(table.New(d, nil)) // the counting driver is no Purger
				var err error
				b.Tracker, err = New(b.table, Uploads(), &Options{Retention: time.Hour})
				require.NoError(t, err)
				done, left := b.withSession(t, b.session), b.withSession(t, sessionOf(t, b.user, 2))
				_, err = b.Observe(t.Context(), done.session, Observation{Stage: UserUpload})
				require.NoError(t, err)
				require.NoError(t, done.claimStage(t, "run").Complete(t.Context(), object.Ref{}))
				require.WithinDuration(t, time.Now().Add(time.Hour), done.getRecord(t).Expires, time.Second)
				require.Zero(t, left.getRecord(t).Expires)
				require.Zero(t, b.sweepTable(t, &storage{}, SweepOptions{}))

				time.Sleep(61 * time.Minute)
				_, err = b.Get(t.Context(), done.session)
				require.ErrorIs(t, err, ErrNotFound)
				n, err := b.Count(t.Context(), b.user)
				require.NoError(t, err)
				require.Equal(t, Counts{All: 1, Active: 1}, n)
				require.Equal(t, SweepResult{Purged: 1}, b.sweepTable(t, &storage{}, SweepOptions{}))
				require.Zero(t, b.sweepTable(t, &storage{}, SweepOptions{}))
				left.getRecord(t)
			})
		})
	}
}
