package bolt_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
)

// Open adds the list of expiries to a file of the older format.
func TestOlderFileIsUpgraded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, v := open(t, dir)
	for sort, expires := range map[string]time.Time{"past": time.Now().Add(-time.Hour), "later": time.Now().Add(time.Hour), "never": {}} {
		_, err := v.Put(t.Context(), table.Item{Sort: sort, Expires: expires}, table.Absent())
		require.NoError(t, err)
	}
	require.NoError(t, d.Close())
	db, err := bbolt.Open(filepath.Join(dir, "carrel.db"), 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		if err := tx.DeleteBucket([]byte("ttl")); err != nil {
			return err
		}
		return tx.Bucket([]byte("meta")).Put([]byte("format"), []byte("1"))
	}))
	require.NoError(t, db.Close())

	d, v = open(t, dir)
	n, err := d.Purge(t.Context(), time.Now(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	n, err = d.Purge(t.Context(), time.Now().Add(2*time.Hour), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	page, err := v.Query(t.Context(), table.Query{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Equal(t, "never", page.Items[0].Item.Sort)

	require.NoError(t, d.Close())
	_, err = d.Purge(t.Context(), time.Now(), 1)
	require.ErrorIs(t, err, bolt.ErrClosed)
}
