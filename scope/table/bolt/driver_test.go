package bolt_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
	"github.com/carrel-go/carrel/scope/table/tabletest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	tabletest.Test(t, func(t *testing.T) table.Driver {
		d, err := bolt.Open(t.TempDir())
		require.NoError(t, err)
		return d
	}, &tabletest.Options{Run: synctest.Test}) // waiting is instant
}

func open(t *testing.T, dir string) (*bolt.Driver, *table.View) {
	t.Helper()
	d, err := bolt.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	s, err := scope.Tenant("acme")
	require.NoError(t, err)
	v, err := must.Get(table.New(d, nil)).In(s)
	require.NoError(t, err)
	return d, v
}

func TestReopenKeepsAll(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "for it")
	d, v := open(t, dir)
	it, err := v.Put(t.Context(), table.Item{
		Sort:  "meta",
		Index: []table.Entry{{Slot: table.I3, Level: scope.TenantLevel, Class: "c", Sort: "s"}},
		Attr:  map[string]table.Value{"f": 5.0, "n": int64(5), "b": []byte{0}},
	}, table.Absent())
	require.NoError(t, err)
	page, err := v.Query(t.Context(), table.Query{Limit: 1})
	require.NoError(t, err)
	require.NoError(t, d.Close())

	info, err := os.Stat(filepath.Join(dir, "carrel.db"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	_, v = open(t, dir)
	got, err := v.Get(t.Context(), "meta")
	require.NoError(t, err)
	require.Equal(t, it, got)
	again, err := v.Query(t.Context(), table.Query{Slot: table.I3, Class: "c"})
	require.NoError(t, err)
	require.Equal(t, page.Items, again.Items)
	_, err = v.Put(t.Context(), got, table.Version(got.Version))
	require.NoError(t, err)
}

func TestSecondOpenIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, v := open(t, dir)
	synctest.Test(t, func(t *testing.T) { // the wait for the lock is instant
		_, err := bolt.Open(dir)
		require.ErrorIs(t, err, bolt.ErrLocked)
		require.ErrorContains(t, err, "the file is open already")
	})
	_, err := v.Put(t.Context(), table.Item{Sort: "x"}, table.Absent())
	require.NoError(t, err, "the first driver still works")
	require.NoError(t, d.Close())
	open(t, dir)
}

func TestClosedDriverReturnsErrClosed(t *testing.T) {
	t.Parallel()
	d, v := open(t, t.TempDir())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				if _, err := v.Get(t.Context(), "x"); !errors.Is(err, table.ErrNotFound) {
					return
				}
			}
		})
	}
	require.NoError(t, d.Close())
	wg.Wait()
	require.NoError(t, d.Close())
	_, err := v.Get(t.Context(), "x")
	require.ErrorIs(t, err, bolt.ErrClosed)
	_, err = v.Put(t.Context(), table.Item{Sort: "x"}, table.Absent())
	require.ErrorIs(t, err, bolt.ErrClosed)
	_, err = v.Query(t.Context(), table.Query{})
	require.ErrorIs(t, err, bolt.ErrClosed)
	require.ErrorIs(t, v.Delete(t.Context(), "x", table.Version(1)), bolt.ErrClosed)
}

func TestForeignFilesAreNotChanged(t *testing.T) {
	t.Parallel()
	write := func(f func(tx *bbolt.Tx) error) string {
		dir := t.TempDir()
		db, err := bbolt.Open(filepath.Join(dir, "carrel.db"), 0o600, nil)
		require.NoError(t, err)
		require.NoError(t, db.Update(f))
		require.NoError(t, db.Close())
		return dir
	}
	garbage := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(garbage, "carrel.db"), make([]byte, 1<<16), 0o600))
	for name, dir := range map[string]string{
		"garbage": garbage,
		"another program's": write(func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket([]byte("settings"))
			return err
		}),
		"a later version's": write(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucket([]byte("meta"))
			if err != nil {
				return err
			}
			return b.Put([]byte("format"), []byte("3"))
		}),
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, "carrel.db")
			before, err := os.ReadFile(file)
			require.NoError(t, err)
			for range 2 { // Open releases the lock
				_, err = bolt.Open(dir)
				require.ErrorIs(t, err, bolt.ErrFormat)
			}
			after, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, before, after)
		})
	}
}

func TestOpenFailsIfTheDirectoryIsAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := bolt.Open(file)
	require.Error(t, err)
	require.NotErrorIs(t, err, bolt.ErrLocked)
}
