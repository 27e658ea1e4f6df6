package tracking

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// A damaged row is reported and does not stop the sweep of others.
func TestSweepReportsDamagedRows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		damage := func(n int, change func(map[string]table.Value)) {
			u := b.withSession(t, sessionOf(t, b.user, n))
			view, err := b.table.In(u.session)
			require.NoError(t, err)
			it, err := view.Get(t.Context(), "meta")
			require.NoError(t, err)
			change(it.Attr)
			_, err = view.Put(t.Context(), it, table.Version(it.Version))
			require.NoError(t, err)
		}
		damage(1, func(a map[string]table.Value) { a["stages"] = "none" })
		damage(2, func(a map[string]table.Value) { a["schema"] = int64(99) })
		forger, err := b.table.In(userOf(t, "globex", "u9"))
		require.NoError(t, err)
		for shard := range Shards { // forged rows in the due index
			_, err = forger.Put(t.Context(), table.Item{Sort: "x" + strings.Repeat("y", shard), Index: []table.Entry{
				{Slot: table.I3, Level: scope.None, Class: dueClass("uploads"), Shard: shard, Sort: "0"},
			}}, table.Absent())
			require.NoError(t, err)
		}
		for n := 3; n < 40; n++ {
			b.withSession(t, sessionOf(t, b.user, n))
		}
		time.Sleep(2 * time.Hour)
		res := b.sweepTable(t, &storage{}, SweepOptions{})
		require.Equal(t, 37, res.Abandoned)
		require.Len(t, res.Errors, 2)
		for _, e := range res.Errors {
			require.Equal(t, b.user.UserID(), e.Scope.UserID())
			require.True(t, errors.Is(e, errForeign) || errors.Is(e, ErrSchema), e)
		}

		away := errors.New("the storage is away")
		b.withSession(t, sessionOf(t, b.user, 50))
		time.Sleep(2 * time.Hour)
		res = b.sweepTable(t, &storage{err: away}, SweepOptions{})
		require.Len(t, res.Errors, 3)
		require.Zero(t, res.Abandoned, "what cannot be looked for is not taken for missing")
	})
}

// deaf is a driver that fails for one shard.
type deaf struct {
	table.Driver
	shard string
}

var errDeaf = errors.New("no answer")

func (d *deaf) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	if q.Key.Partition() == d.shard {
		return table.DriverPage{}, errDeaf
	}
	return d.Driver.Query(ctx, q)
}

func (d *deaf) Purge(ctx context.Context, now time.Time, limit int) (int, error) {
	return d.Driver.(table.Purger).Purge(ctx, now, limit)
}

// A shard that cannot be listed does not stop the sweep of others, or the purge.
func TestSweepContinuesPastAFailedShard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		d := &deaf{Driver: b.driver.Driver, shard: scope.Shard(dueClass("uploads"), 7)}
		b.table = must.Get(table.New(d, nil))
		var err error
		b.Tracker, err = New(b.table, Uploads(), &Options{Retention: time.Hour})
		require.NoError(t, err)
		for n := range 60 {
			b.withSession(t, sessionOf(t, b.user, n))
		}
		_, err = b.Cancel(t.Context(), sessionOf(t, b.user, 0))
		require.NoError(t, err)
		time.Sleep(2 * time.Hour)
		o := &SweepOptions{System: b.table.System(), Look: (&storage{}).lookFor}
		res, err := b.Sweep(t.Context(), o)
		require.ErrorIs(t, err, errDeaf)
		require.ErrorContains(t, err, "shard 7")
		require.Equal(t, 1, res.Purged)
		done := res.Abandoned
		require.Greater(t, done, 40)
		d.shard = ""
		res, err = b.Sweep(t.Context(), o)
		require.NoError(t, err)
		require.Positive(t, res.Abandoned)
		require.Equal(t, 59, done+res.Abandoned)
	})
}
