package tabletest

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/faultytable"
	"github.com/carrel-go/carrel/scope/table"
)

// The driver stores the rows that it receives, and returns them, without copies.
func TestFindsSharing(t *testing.T) {
	t.Parallel()
	failed := failures(t, func() table.Driver {
		last := map[table.Key]table.Row{}
		var mu sync.Mutex
		return &faultytable.Driver{
			Driver: table.NewMemory(nil),
			OnPut: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
				mu.Lock()
				defer mu.Unlock()
				err := d.Put(ctx, k, r, c)
				if err == nil {
					last[k] = r
				}
				return err
			},
			OnGet: func(ctx context.Context, d table.Driver, k table.Key) (table.Row, error) {
				mu.Lock()
				defer mu.Unlock()
				r, err := d.Get(ctx, k)
				if kept, ok := last[k]; ok && err == nil && kept.Version == r.Version {
					return kept, nil
				}
				return r, err
			},
		}
	}, nil)
	require.Contains(t, failed, "nothing is shared")
	require.NotContains(t, failed, "conditions")
}

// purger is a good driver with a broken Purge.
type purger struct {
	table.Driver
	purge func(context.Context, table.Purger, time.Time, int) (int, error)
}

func (p purger) Purge(ctx context.Context, now time.Time, limit int) (int, error) {
	return p.purge(ctx, p.Driver.(table.Purger), now, limit)
}

func TestFindsBadPurges(t *testing.T) {
	t.Parallel()
	for name, purge := range map[string]func(context.Context, table.Purger, time.Time, int) (int, error){
		"too early": func(ctx context.Context, m table.Purger, now time.Time, limit int) (int, error) {
			return m.Purge(ctx, now.Add(2*time.Hour), limit)
		},
		"too late": func(ctx context.Context, m table.Purger, now time.Time, limit int) (int, error) {
			return m.Purge(ctx, now.Add(-2*time.Hour), limit)
		},
		"no limit": func(ctx context.Context, m table.Purger, now time.Time, _ int) (int, error) {
			return m.Purge(ctx, now, 1000)
		},
		"nothing": func(_ context.Context, _ table.Purger, _ time.Time, limit int) (int, error) {
			return limit % 1000, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := func() table.Driver { return purger{table.NewMemory(nil), purge} }
			require.Equal(t, []string{"purge"}, failures(t, open, nil))
		})
	}
}

// The driver answers after Close.
func TestFindsUseAfterClose(t *testing.T) {
	t.Parallel()
	open := func() table.Driver { return closing{table.NewMemory(nil)} }
	require.Equal(t, []string{"after close"}, failures(t, open, nil))
}

type closing struct{ table.Driver }

func (closing) Close() error { return nil }

// The indexes lag more than Options.Lag.
func TestFindsLag(t *testing.T) {
	t.Parallel()
	open := func() table.Driver { return table.NewMemory(&table.MemoryOptions{IndexDelay: 2 * time.Second}) }
	failed := failures(t, open, &Options{Lag: time.Second})
	require.Contains(t, failed, "indexes")
	require.NotContains(t, failed, "ranges and order")
}

// The suite deletes its items, so that it can test a shared table.
func TestCleansUp(t *testing.T) {
	t.Parallel()
	m := &tally{Driver: table.NewMemory(nil), rows: map[table.Key]bool{}}
	require.Empty(t, failures(t, func() table.Driver { return m }, nil))
	require.Empty(t, m.rows)
	require.Greater(t, m.puts, 400)
}

// tally records the rows that exist.
type tally struct {
	table.Driver
	mu   sync.Mutex
	rows map[table.Key]bool
	puts int
}

func (d *tally) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.Driver.Put(ctx, k, r, c)
	if err == nil {
		d.rows[k] = true
		d.puts++
	}
	return err
}

func (d *tally) Delete(ctx context.Context, k table.Key, c table.Cond) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.Driver.Delete(ctx, k, c)
	if err == nil {
		delete(d.rows, k)
	}
	return err
}

// failures runs the suite on a driver in a bubble, where waiting is instant, and
// returns the names of the checks that failed.
func failures(t *testing.T, open func() table.Driver, o *Options) []string {
	t.Helper()
	if o == nil {
		o = &Options{}
	}
	var names []string
	synctest.Test(t, func(t *testing.T) {
		for _, c := range checks() {
			r := record(t.Context(), func(r *recorder) { runCheck(r, open(), *o, c) })
			if r.Failed() {
				require.NotEmpty(t, r.text())
				names = append(names, c.name)
			}
		}
	})
	return names
}

func TestKnownFailuresAreSkipped(t *testing.T) {
	t.Parallel()
	d := faults["a put that merges"].driver
	d.Driver = table.NewMemory(nil)
	skipped := false
	t.Run("check", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		testCheck(t, &d, Options{KnownFailures: map[string]string{"replaces all": "it merges"}}, check{name: "replaces all", run: checkReplacement})
	})
	require.True(t, skipped)
}
