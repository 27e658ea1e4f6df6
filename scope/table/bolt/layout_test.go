package bolt

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/carrel-go/carrel/scope/table"
)

// Random writes leave the index entries and the expiries of the stored rows, and no others.
func TestIndexesAndExpiriesAreThoseOfTheRows(t *testing.T) {
	t.Parallel()
	d, err := Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	random := rand.New(rand.NewPCG(1, 2))
	require.NoError(t, d.db.Update(func(tx *bbolt.Tx) error {
		for range 2000 {
			r := newRandomRow(random)
			e, err := encodeEntry(r)
			require.NoError(t, err)
			stored := findRow(t, tx, e.key, r)
			if stored != nil && random.IntN(4) == 0 {
				require.NoError(t, removeRow(tx, *stored))
			} else {
				require.NoError(t, e.put(tx, stored))
			}
			want, got := readEntries(t, tx)
			require.Equal(t, want, got)
		}
		return nil
	}))
}

// newRandomRow returns one of few rows, with few places and expiries.
func newRandomRow(random *rand.Rand) table.Row {
	r := table.Row{Partition: "p", Sort: fmt.Sprint(random.IntN(3)), Version: random.Int64()}
	if n := random.IntN(3); n > 0 {
		r.Expires = time.Unix(int64(n), 0).UTC()
	}
	for i := range r.Index {
		if n := random.IntN(3); n > 0 {
			r.Index[i] = [2]string{"x", fmt.Sprint(n)}
		}
	}
	return r
}

// findRow returns the stored row with the key of r, or nil.
func findRow(t *testing.T, tx *bbolt.Tx, key []byte, r table.Row) *table.Row {
	t.Helper()
	b := tx.Bucket([]byte(rowBucket)).Get(key)
	if b == nil {
		return nil
	}
	stored, err := decodeRow(r.Partition, r.Sort, b)
	require.NoError(t, err)
	return &stored
}

// readEntries returns the index entries and expiries that the rows should have, and those that are stored.
func readEntries(t *testing.T, tx *bbolt.Tx) (want, got map[string]string) {
	t.Helper()
	want, got = map[string]string{}, map[string]string{}
	add := func(to map[string]string, bucket, key, value []byte) {
		to[fmt.Sprintf("%s %q", bucket, key)] = fmt.Sprintf("%q", value)
	}
	require.NoError(t, tx.Bucket([]byte(rowBucket)).ForEach(func(key, value []byte) error {
		r, err := decodeRow("p", string(key[2:]), value)
		require.NoError(t, err)
		keys, err := joinIndexKeys(r)
		require.NoError(t, err)
		for i, k := range keys {
			if k != nil {
				add(want, indexBucket(table.Slot(i+1)), k, value[:expirySize])
			}
		}
		if !r.Expires.IsZero() {
			add(want, []byte(ttlBucket), append(encodeExpiry(r.Expires), key...), nil)
		}
		return nil
	}))
	for _, bucket := range [][]byte{[]byte(ttlBucket), indexBucket(1), indexBucket(2), indexBucket(3)} {
		require.NoError(t, tx.Bucket(bucket).ForEach(func(key, value []byte) error {
			add(got, bucket, key, value)
			return nil
		}))
	}
	return want, got
}
