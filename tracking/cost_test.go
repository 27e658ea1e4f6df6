package tracking

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object"
)

// Each operation has a fixed number of reads, writes and queries.
func TestOperationsHaveFixedCosts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := newBundle(t, nil)
	cost := func(what string, reads, writes, queries int) {
		t.Helper()
		require.Equal(t, [3]int{reads, writes, queries}, b.driver.takeCalls(), what)
	}
	must := func(_ any, err error) { t.Helper(); require.NoError(t, err) }

	must(b.Create(ctx, b.session, nil))
	cost("create", 0, 1, 0)
	must(b.Create(ctx, b.session, nil))
	cost("create, again", 0, 1, 0)
	must(b.Observe(ctx, b.session, Observation{Stage: UserUpload}))
	cost("observe", 1, 1, 0)
	must(b.Observe(ctx, b.session, Observation{Stage: UserUpload}))
	cost("observe, again", 1, 0, 0)
	a := b.claimStage(t, "r1")
	cost("start", 1, 1, 0)
	must(nil, a.Heartbeat(ctx))
	cost("heartbeat", 0, 1, 0)
	must(nil, a.Park(ctx, 0))
	cost("park", 0, 1, 0)
	must(nil, a.Park(ctx, 0))
	cost("park, again", 0, 0, 0)
	a = b.claimStage(t, "r2")
	cost("resume", 1, 1, 0)
	must(nil, a.Fail(ctx, errors.New("x")))
	cost("fail", 0, 1, 0)
	a = b.claimStage(t, "r3")
	b.driver.takeCalls()
	must(nil, a.Release(ctx))
	cost("release", 0, 1, 0)
	a = b.claimStage(t, "r4")
	b.driver.takeCalls()

	// A conflict costs one more write and no read.
	scan, err := b.Claim(ctx, b.session, AVScan, &ClaimOptions{Key: "scan"})
	require.NoError(t, err)
	b.driver.takeCalls()
	must(nil, a.Heartbeat(ctx))
	cost("heartbeat after another's write", 0, 2, 0)
	must(nil, a.Complete(ctx, object.Ref{}))
	cost("complete", 0, 1, 0)
	require.ErrorIs(t, scan.Heartbeat(ctx), ErrFenced)
	cost("a fenced heartbeat", 0, 1, 0)
	require.ErrorIs(t, scan.Heartbeat(ctx), ErrFenced)
	cost("and another", 0, 0, 0)

	must(b.List(ctx, b.user, Filter{}))
	cost("list", 0, 0, 4)
	must(b.List(ctx, b.user, Filter{Class: ClassActive}))
	cost("list of a class", 0, 0, 1)
	must(b.Count(ctx, b.user))
	cost("count", 0, 0, 4)
}

// The shortest life of an upload: created, arrived and extracted, accepted.
func TestShortestLifeIsFiveWrites(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := newBundle(t, nil)
	_, err := b.Create(ctx, b.session, nil)
	require.NoError(t, err)
	a, err := b.Claim(ctx, b.session, Enrichment, &ClaimOptions{Key: "r1", Observed: &Observation{Stage: UserUpload}})
	require.NoError(t, err)
	require.NoError(t, a.Park(ctx, 0))
	require.NoError(t, b.claimStage(t, "accept").Complete(ctx, object.Ref{}))
	require.Equal(t, StatusSuccess, b.getRecord(t).Status)
	require.Equal(t, 5, b.driver.takeCalls()[1])
}

// Any write and any answer may be lost: a repeated operation is done once, and its
// report is true.
func TestRepeatAfterALostAnswerIsDoneOnce(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{true, false} {
		ctx := t.Context()
		b := newBundle(t, nil)
		// failOnce makes only the next write fail.
		once := func(n int) {
			b.driver.fault = func() (bool, bool) {
				n--
				return n >= 0 && !after, n >= 0 && after
			}
		}
		once(1)
		_, err := b.Create(ctx, b.session, nil)
		require.NoError(t, err)
		once(1)
		_, err = b.Observe(ctx, b.session, Observation{Stage: UserUpload})
		require.NoError(t, err)
		once(1)
		a := b.claimStage(t, "r1")
		require.Equal(t, 1, b.getRecord(t).Stage(Enrichment).Attempt)
		once(1)
		require.NoError(t, a.Heartbeat(ctx))
		once(1)
		require.NoError(t, a.Park(ctx, 0))
		once(1)
		a = b.claimStage(t, "r2")
		require.EqualValues(t, 2, b.getRecord(t).Stage(Enrichment).Fence)
		once(1)
		require.NoError(t, a.Fail(ctx, throttledError()))
		a = b.claimStage(t, "r3")
		once(1)
		require.NoError(t, a.Release(ctx))
		a = b.claimStage(t, "r4")

		// If the answer stays lost, the caller gets an error and may repeat the call.
		once(2)
		require.ErrorIs(t, a.Complete(ctx, object.Ref{}), errCut)
		require.NoError(t, a.Complete(ctx, object.Ref{}))
		end := b.getRecord(t)
		require.Equal(t, StatusSuccess, end.Status)
		require.NoError(t, a.Complete(ctx, object.Ref{}))
		require.Equal(t, end.Version, b.getRecord(t).Version)
	}
}

// An operation on a record that others change at every try returns ErrContended.
func TestConstantConflictsAreContended(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	b.createArrived(t)
	a := b.claimStage(t, "r1")
	scan, err := b.Claim(t.Context(), b.session, AVScan, &ClaimOptions{Key: "s"})
	require.NoError(t, err)
	rude := false
	b.driver.fault = func() (bool, bool) {
		if rude {
			return false, false
		}
		rude = true
		b.driver.mu.Unlock()
		defer b.driver.mu.Lock()
		require.NoError(t, scan.Heartbeat(context.Background()))
		rude = false
		return false, false
	}
	b.driver.takeCalls()
	err = a.Heartbeat(t.Context())
	require.ErrorIs(t, err, ErrContended)
	require.NotErrorIs(t, err, ErrFenced, "the stage is still ours")
	require.Equal(t, 2*maxConflicts, b.driver.takeCalls()[1])
	b.driver.fault = nil
	require.NoError(t, a.Heartbeat(t.Context()))
}
