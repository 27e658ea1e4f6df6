package tracking

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table"
)

func TestKeepRenewsTheLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		b.createArrived(t)
		a := b.claimStage(t, "r1")
		b.driver.takeCalls()
		work, stop := a.Keep(t.Context())
		time.Sleep(5*time.Minute + time.Second)
		require.NoError(t, work.Err())
		require.True(t, b.getRecord(t).Stage(Enrichment).Live(time.Now()))
		require.Equal(t, [3]int{1, 30, 0}, b.driver.takeCalls(), "a heartbeat every 10 s; the read is ours")
		stop()
		stop()
		require.ErrorIs(t, work.Err(), context.Canceled)
		time.Sleep(time.Minute)
		require.Zero(t, b.driver.takeCalls()[1])
		require.NoError(t, a.Park(t.Context(), 0))
	})
}

// hanging does not answer the next puts until their context ends.
type hanging struct {
	table.Driver
	puts atomic.Int64
}

func (h *hanging) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	if h.puts.Add(-1) >= 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	return h.Driver.Put(ctx, k, r, c)
}

func TestKeepEndsWhenTheStageIsLost(t *testing.T) {
	t.Parallel()
	t.Run("replaced", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBundle(t, nil)
			b.createArrived(t)
			a := b.claimStage(t, "r1")
			work, stop := a.Keep(t.Context())
			defer stop()
			_, err := b.Claim(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "r1", TakeOver: true})
			require.NoError(t, err)
			<-work.Done()
			require.ErrorIs(t, context.Cause(work), ErrFenced)
		})
	})
	t.Run("the table is away for a moment", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBundle(t, nil)
			b.createArrived(t)
			a := b.claimStage(t, "r1")
			away := time.Now().Add(25 * time.Second)
			b.driver.fault = func() (bool, bool) { return time.Now().Before(away), false }
			work, stop := a.Keep(t.Context())
			defer stop()
			time.Sleep(2 * time.Minute)
			require.NoError(t, work.Err())
		})
	})
	t.Run("the table is away for longer than the lease", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBundle(t, nil)
			b.createArrived(t)
			a := b.claimStage(t, "r1")
			began := time.Now()
			b.driver.fault = func() (bool, bool) { return true, false }
			work, stop := a.Keep(t.Context())
			defer stop()
			<-work.Done()
			require.ErrorIs(t, context.Cause(work), ErrLease)
			require.InDelta(t, 30, time.Since(began).Seconds(), 3)
		})
	})
	t.Run("a renewal counts from when it was asked for", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBundle(t, nil)
			b.createArrived(t)
			a := b.claimStage(t, "r1")
			began, renewed := time.Now(), false
			b.driver.fault = func() (bool, bool) { // the first heartbeat takes 5 s, and then the table is away
				before := renewed
				if renewed = true; !before {
					time.Sleep(5 * time.Second)
				}
				return before, false
			}
			work, stop := a.Keep(t.Context())
			defer stop()
			<-work.Done()
			require.ErrorIs(t, context.Cause(work), ErrLease)
			require.InDelta(t, 40, time.Since(began).Seconds(), 2.6)
		})
	})
	t.Run("one answer never comes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := &hanging{Driver: table.NewMemory(nil)}
			b := newBundle(t, d)
			b.createArrived(t)
			a := b.claimStage(t, "r1")
			d.puts.Store(1)
			work, stop := a.Keep(t.Context())
			defer stop()
			time.Sleep(2 * time.Minute)
			require.NoError(t, work.Err(), "the next heartbeat did not wait for it")
		})
	})
	t.Run("no answer ever comes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := &hanging{Driver: table.NewMemory(nil)}
			b := newBundle(t, d)
			b.createArrived(t)
			a := b.claimStage(t, "r1")
			began := time.Now()
			d.puts.Store(1000)
			work, stop := a.Keep(t.Context())
			defer stop()
			<-work.Done()
			require.ErrorIs(t, context.Cause(work), ErrLease)
			require.Equal(t, 30*time.Second, time.Since(began), "not a moment longer than the lease")
		})
	})
	t.Run("the caller ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBundle(t, nil)
			b.createArrived(t)
			a := b.claimStage(t, "r1")
			ctx, cancel := context.WithCancel(t.Context())
			work, stop := a.Keep(ctx)
			cancel()
			<-work.Done()
			stop()
			require.NoError(t, a.Release(t.Context()), "what is to be said at the end can still be said")
		})
	})
}
