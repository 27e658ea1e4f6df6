package tracking

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// A sweep leaves records beyond its limit to later sweeps, and one that continues another sweeps the shards that are
// left.
func TestSweepsContinue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		for n := range 100 {
			b.withSession(t, sessionOf(t, b.user, n))
		}
		time.Sleep(2 * time.Hour)
		res := b.sweepTable(t, &storage{}, SweepOptions{Limit: 30})
		require.Equal(t, 30, res.Abandoned)
		require.True(t, res.More)
		sum := 30
		for shard := range Shards {
			rest := sweepCursor{To: formatTime(time.Now()), Shards: []int{shard}}
			res := b.sweepTable(t, &storage{}, SweepOptions{Cursor: encodeCursor(rest)})
			require.False(t, res.More)
			require.Less(t, res.Abandoned, 30, "records are spread")
			sum += res.Abandoned
		}
		require.Equal(t, 100, sum)

		// A sweep that is cut off returns an error, and the next one continues.
		for n := 200; n < 220; n++ {
			b.withSession(t, sessionOf(t, b.user, n))
		}
		time.Sleep(2 * time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		asked := 0
		look := func(context.Context, Record, Stage) (object.Ref, bool, error) {
			if asked++; asked == 5 {
				cancel()
			}
			return object.Ref{}, false, nil
		}
		res, err := b.Sweep(ctx, &SweepOptions{System: b.table.System(), Look: look})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 4, res.Abandoned)
		require.Equal(t, 16, b.sweepTable(t, &storage{}, SweepOptions{}).Abandoned)
	})
}

// Concurrent sweepers change each record once.
func TestConcurrentSweepsChangeOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, table.NewMemory(&table.MemoryOptions{IndexDelay: time.Second}))
		for n := range 40 {
			u := b.withSession(t, sessionOf(t, b.user, n))
			if n%2 == 0 {
				_, err := b.Observe(t.Context(), u.session, Observation{Stage: UserUpload})
				require.NoError(t, err)
				u.claimStage(t, "run")
			}
		}
		time.Sleep(2 * time.Hour)
		var mu sync.Mutex
		var sum SweepResult
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				res := b.sweepTable(t, &storage{}, SweepOptions{})
				mu.Lock()
				defer mu.Unlock()
				sum.Lost += res.Lost
				sum.Abandoned += res.Abandoned
				require.Empty(t, res.Errors)
			})
		}
		wg.Wait()
		require.Equal(t, SweepResult{Lost: 20, Abandoned: 20}, sum)
		for n := range 40 {
			r, err := b.Get(t.Context(), sessionOf(t, b.user, n))
			require.NoError(t, err)
			require.LessOrEqual(t, r.Stage(Enrichment).Fence, int64(2))
		}
	})
}
