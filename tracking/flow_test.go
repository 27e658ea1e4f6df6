package tracking

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

func throttledError() error {
	return &Error{Code: "throttled", Message: "The model is busy.", Retryable: true, Err: errors.New("429 arn:aws:x")}
}

// An upload is throttled at first, retried, reviewed, throttled in a refinement, and
// still accepted.
func TestThrottledUploadIsRetriedAndAccepted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		b := newBundle(t, nil)
		landing := refIn(t, "landing", b.session, "cover.jpg")
		_, err := b.Create(ctx, b.session, &CreateOptions{Filename: "cover.jpg"})
		require.NoError(t, err)

		_, err = b.Claim(ctx, b.session, Enrichment, &ClaimOptions{Key: "r1"})
		stateOf(t, err, ErrDependencies)
		arrived := &Observation{Stage: UserUpload, Dest: landing}
		a, err := b.Claim(ctx, b.session, Enrichment, &ClaimOptions{Key: "r1", Source: landing, Observed: arrived})
		require.NoError(t, err)
		require.NoError(t, a.Fail(ctx, throttledError()))
		r := b.getRecord(t)
		require.Equal(t, StatusFailed, r.Status)
		require.False(t, r.Terminal)
		require.Equal(t, "throttled", r.Reason)
		require.Equal(t, "The model is busy.", r.Stage(Enrichment).Error.Message)
		require.Equal(t, Location{Bucket: "landing", Key: landing.Key()}, r.Stage(Enrichment).Source)

		require.False(t, r.Stage(Enrichment).Parked, "nothing to accept yet")

		a, err = b.Claim(ctx, b.session, Enrichment, &ClaimOptions{Key: "r2", Source: landing, Observed: arrived})
		require.NoError(t, err)
		_, err = b.Claim(ctx, b.session, Enrichment, &ClaimOptions{Key: "accept"})
		require.Equal(t, "r2", stateOf(t, err, ErrRunning).Record.Stage(Enrichment).Key, "a live run can be told from another accept")
		require.NoError(t, a.Park(ctx, 0))
		require.Equal(t, ClassWaiting, b.getRecord(t).Class())

		a = b.claimStage(t, "r3")
		require.NoError(t, a.Fail(ctx, throttledError()))
		require.Equal(t, ClassFailed, b.getRecord(t).Class())
		require.True(t, b.getRecord(t).Stage(Enrichment).isResumable())

		time.Sleep(90 * time.Second)
		a = b.claimStage(t, "accept")
		require.NoError(t, a.Complete(ctx, refIn(t, "raw", b.session, "metadata.json")))
		r = b.getRecord(t)
		require.Equal(t, StatusSuccess, r.Status)
		require.True(t, r.Terminal)
		p := r.Stage(Enrichment)
		require.Equal(t, "accept", p.Key, "so that a repeated accept is recognised")
		require.Equal(t, 2, p.Attempt)
		require.Equal(t, 90*time.Second, p.Duration())
		require.Equal(t, landing.Key(), p.Source.Key)

		_, err = b.Claim(ctx, b.session, Enrichment, &ClaimOptions{Key: "accept"})
		require.Equal(t, "accept", stateOf(t, err, ErrTerminal).Record.Stage(Enrichment).Key)
		_, err = b.Observe(ctx, b.session, *arrived)
		require.NoError(t, err, "a report that comes twice, and late")
	})
}

func TestOneOfManyWorkersGetsTheStage(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]table.Driver{"memory": table.NewMemory(nil), "bolt": openBolt(t)} {
		t.Run(name, func(t *testing.T) {
			b := newBundle(t, d)
			b.createArrived(t)
			b.driver.takeCalls()
			var won, busy atomic.Int32
			var wg sync.WaitGroup
			for range 64 {
				wg.Go(func() {
					a, err := b.Claim(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "run"})
					switch {
					case err == nil:
						won.Add(1)
						_ = a.Heartbeat(t.Context())
					case errors.Is(err, ErrRunning):
						busy.Add(1)
					}
				})
			}
			wg.Wait()
			require.EqualValues(t, 1, won.Load())
			require.EqualValues(t, 63, busy.Load())
			p := b.getRecord(t).Stage(Enrichment)
			require.Equal(t, 1, p.Attempt)
			require.EqualValues(t, 1, p.Fence)
		})
	}
}

// A worker that slept past its lease and lost the stage cannot change anything.
func TestReplacedWorkerChangesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		b := newBundle(t, nil)
		b.createArrived(t)
		zombie := b.claimStage(t, "r1")
		time.Sleep(31 * time.Second)
		a := b.claimStage(t, "r2")
		require.Greater(t, a.Fence(), zombie.Fence())
		before := b.getRecord(t)

		stateOf(t, zombie.Heartbeat(ctx), ErrFenced)
		stateOf(t, zombie.Complete(ctx, refIn(t, "raw", b.session, "x.json")), ErrFenced)
		stateOf(t, zombie.Fail(ctx, errors.New("x")), ErrFenced)
		stateOf(t, zombie.Park(ctx, 0), ErrFenced)
		require.Equal(t, "r2", stateOf(t, zombie.Release(ctx), ErrFenced).Record.Stage(Enrichment).Key)
		require.Equal(t, before, b.getRecord(t))

		require.NoError(t, a.Park(ctx, 0))
		stateOf(t, a.Complete(ctx, refIn(t, "raw", b.session, "x.json")), ErrFenced) // it has let go
		require.Equal(t, StateWaiting, b.getRecord(t).Stage(Enrichment).State)
	})
}

// A worker past its lease continues if it was not replaced.
func TestLateWorkerContinuesIfNotReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		b.createArrived(t)
		a := b.claimStage(t, "r1")
		time.Sleep(time.Hour)
		require.NoError(t, a.Heartbeat(t.Context()))
		_, err := b.Claim(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "r2"})
		stateOf(t, err, ErrRunning)
		require.NoError(t, a.Complete(t.Context(), refIn(t, "raw", b.session, "x.json")))
	})
}

func TestTakeOverNeedsTheSameKey(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	b.createArrived(t)
	a := b.claimStage(t, "r1")
	_, err := b.Claim(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "r2", TakeOver: true})
	stateOf(t, err, ErrTaken)
	a2, err := b.Claim(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "r1", TakeOver: true})
	require.NoError(t, err)
	stateOf(t, a.Heartbeat(t.Context()), ErrFenced)
	require.NoError(t, a2.Release(t.Context()))
	require.Equal(t, 1, b.getRecord(t).Stage(Enrichment).Attempt)
}

func TestCancelEndsTheRecord(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	b.createArrived(t)
	a := b.claimStage(t, "r1")
	r, err := b.Cancel(t.Context(), b.session)
	require.NoError(t, err)
	require.Equal(t, "cancelled", r.Reason)
	s := stateOf(t, a.Complete(t.Context(), refIn(t, "raw", b.session, "x.json")), ErrFenced)
	require.True(t, s.Record.Terminal)
	_, err = b.Cancel(t.Context(), b.session)
	require.NoError(t, err)
}

func TestCreateIsIdempotent(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	ctx := t.Context()
	due := epoch.Add(time.Hour)
	r, err := b.Create(ctx, b.session, &CreateOptions{Filename: "cover.jpg", Due: due})
	require.NoError(t, err)
	require.Equal(t, StatusInProgress, r.Status)
	require.Equal(t, due, r.Due)
	require.Equal(t, StateRunning, r.Stage(UserUpload).State)
	require.Equal(t, epoch.Add(time.Second), r.Created())

	_, err = b.Observe(ctx, b.session, Observation{Stage: UserUpload})
	require.NoError(t, err)
	again, err := b.Create(ctx, b.session, &CreateOptions{Filename: "cover.jpg"})
	require.NoError(t, err, "the same request")
	require.Equal(t, StateSuccess, again.Stage(UserUpload).State, "as it stands by now")
	other, err := b.Create(ctx, b.session, &CreateOptions{Filename: "back.jpg"})
	require.ErrorIs(t, err, ErrExists)
	require.Equal(t, "cover.jpg", other.Filename)
	_, err = b.Create(ctx, sessionOf(t, b.user, 2), &CreateOptions{Filename: "../x"})
	require.Error(t, err)
	_, err = b.Get(ctx, sessionOf(t, b.user, 2))
	require.ErrorIs(t, err, ErrNotFound)
}

func TestInvalidArgumentsAreRejected(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	b.createArrived(t)
	ctx := t.Context()
	foreign := refIn(t, "raw", sessionOf(t, userOf(t, "acme", "u2"), 1), "x")
	start := func(st Stage, o *ClaimOptions) error {
		_, err := b.Claim(ctx, b.session, st, o)
		return err
	}
	long := make([]byte, 2049)
	require.ErrorIs(t, start(Enrichment, nil), ErrInvalid)
	require.ErrorIs(t, start(Enrichment, &ClaimOptions{}), ErrInvalid)
	require.ErrorIs(t, start(Enrichment, &ClaimOptions{Key: string(long)}), ErrInvalid)
	require.ErrorIs(t, start(Enrichment, &ClaimOptions{Key: "\xff"}), ErrInvalid)
	require.ErrorIs(t, start(Enrichment, &ClaimOptions{Key: "k", Lease: -1}), ErrInvalid)
	require.ErrorIs(t, start(Enrichment, &ClaimOptions{Key: "k", Source: foreign}), ErrInvalid)
	require.ErrorIs(t, start(Enrichment, &ClaimOptions{Key: "k", Observed: &Observation{Stage: Routing}}), ErrStage)
	require.ErrorIs(t, start(UserUpload, &ClaimOptions{Key: "k"}), ErrStage)
	require.ErrorIs(t, start("nonsense", &ClaimOptions{Key: "k"}), ErrStage)
	_, err := b.Observe(ctx, b.session, Observation{Stage: Enrichment})
	require.ErrorIs(t, err, ErrStage)
	_, err = b.Get(ctx, b.user)
	require.ErrorIs(t, err, scope.ErrDenied)
	require.Equal(t, StateQueued, b.getRecord(t).Stage(Enrichment).State)

	a := b.claimStage(t, "k")
	require.ErrorIs(t, a.Complete(ctx, foreign), ErrInvalid)
	require.ErrorIs(t, a.Fail(ctx, nil), ErrInvalid)
	require.ErrorIs(t, a.Park(ctx, -time.Second), ErrInvalid)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, a.Heartbeat(cancelled), context.Canceled)
	require.NoError(t, a.Complete(ctx, refIn(t, "raw", b.user, "shelf.json")), "a scope around the session is its own")
}
