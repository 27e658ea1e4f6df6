package bolt

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// disk is a driver whose commits a test can count, block and break.
type disk struct {
	*Driver
	*table.View
	commits atomic.Int32
	hold    chan struct{} // if not nil, each commit receives from it first
	broken  error         // if not nil, commits fail with it
}

func openDisk(t *testing.T) *disk {
	t.Helper()
	driver, err := Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, driver.Close()) })
	s, err := scope.Tenant("acme")
	require.NoError(t, err)
	v, err := must.Get(table.New(driver, nil)).In(s)
	require.NoError(t, err)
	d := &disk{Driver: driver, View: v}
	driver.writes.update = func(f func(*bbolt.Tx) error) error {
		return driver.db.Update(func(tx *bbolt.Tx) error {
			if err := f(tx); err != nil {
				return err
			}
			d.commits.Add(1)
			if d.hold != nil {
				<-d.hold
			}
			return d.broken
		})
	}
	return d
}

func (d *disk) putItem(ctx context.Context, sort string) error {
	_, err := d.View.Put(ctx, table.Item{Sort: sort, Attr: map[string]table.Value{"a": "x"}}, table.Absent())
	return err
}

// startPuts puts items concurrently and returns the channel of the results.
func (d *disk) startPuts(ctx context.Context, sorts ...string) chan error {
	results := make(chan error, len(sorts))
	for _, sort := range sorts {
		go func() { results <- d.putItem(ctx, sort) }()
	}
	return results
}

func (d *disk) hasItem(t *testing.T, sort string) bool {
	t.Helper()
	_, err := d.View.Get(context.WithoutCancel(t.Context()), sort)
	if !errors.Is(err, table.ErrNotFound) {
		require.NoError(t, err)
	}
	return err == nil
}

func numberedSorts(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%04d", i)
	}
	return out
}

// raiseVersion puts the next version of an item. If the write is acknowledged, it checks
// that the version is stored.
func (d *disk) raiseVersion(ctx context.Context, t *testing.T, sort string) {
	it, err := d.View.Get(t.Context(), sort)
	cond := table.Version(it.Version)
	if errors.Is(err, table.ErrNotFound) {
		it, cond = table.Item{Sort: sort}, table.Absent()
	}
	next, err := d.View.Put(ctx, it, cond)
	if _, conflict := errors.AsType[*table.ConflictError](err); conflict || errors.Is(err, context.Canceled) {
		return
	}
	if err != nil {
		t.Error(err)
		return
	}
	now, err := d.View.Get(t.Context(), sort)
	if err != nil {
		t.Error(err)
		return
	}
	assert.GreaterOrEqual(t, now.Version, next.Version, "item %s", sort)
}
