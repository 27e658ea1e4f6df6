package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Purge implements [table.Purger] in one transaction: the rows that expired
// first go first. It reads no other rows.
func (d *Driver) Purge(ctx context.Context, now time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	var gone [][]byte
	err := d.db.View(func(tx *bbolt.Tx) error {
		gone = due(tx, now, limit)
		return nil
	})
	switch {
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		return 0, ErrClosed
	case err != nil:
		return 0, err
	case len(gone) == 0: // so that nothing waits for the disk
		return 0, nil
	}
	removed := 0
	err = d.writes.do(ctx, 0, func(tx *bbolt.Tx) (bool, error) {
		gone := due(tx, now, limit)
		for _, key := range gone {
			if err := removeKey(tx, key); err != nil {
				return true, err
			}
		}
		removed = len(gone)
		return len(gone) > 0, nil
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

// due returns the keys of the rows that have expired at now.
func due(tx *bbolt.Tx, now time.Time, limit int) [][]byte {
	var keys [][]byte
	after := encodeExpiry(now.Add(time.Second).Truncate(time.Second)) // an expiry is a whole second
	c := tx.Bucket([]byte(ttlBucket)).Cursor()
	for k, _ := c.First(); k != nil && len(keys) < limit && bytes.Compare(k[:expirySize], after) < 0; k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k[expirySize:]))
	}
	return keys
}

// removeKey removes the row with that key in the bucket of rows.
func removeKey(tx *bbolt.Tx, key []byte) error {
	partition, sort, ok := bytes.Cut(key, []byte{0})
	b := tx.Bucket([]byte(rowBucket)).Get(key)
	if !ok || b == nil {
		return fmt.Errorf("bolt: damaged expiry: row %q does not exist", key)
	}
	r, err := decodeRow(string(partition), string(sort), b)
	if err != nil {
		return err
	}
	return remove(tx, r)
}
