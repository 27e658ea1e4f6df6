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

// Purge implements [table.Purger] in one transaction. It removes the oldest rows first
// and does not read rows that have not expired.
func (d *Driver) Purge(ctx context.Context, now time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	var expired [][]byte
	err := d.db.View(func(tx *bbolt.Tx) error {
		expired = listExpired(tx, now, limit)
		return nil
	})
	switch {
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		return 0, ErrClosed
	case err != nil:
		return 0, err
	case len(expired) == 0: // a write would wait for the disk
		return 0, nil
	}
	removed := 0
	err = d.writes.commitWrite(ctx, 0, func(tx *bbolt.Tx) (bool, error) {
		expired := listExpired(tx, now, limit)
		for _, key := range expired {
			if err := removeKey(tx, key); err != nil {
				return true, err
			}
		}
		removed = len(expired)
		return len(expired) > 0, nil
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

// listExpired returns the keys of rows that have expired at now, the oldest first.
func listExpired(tx *bbolt.Tx, now time.Time, limit int) [][]byte {
	var keys [][]byte
	after := encodeExpiry(now.Add(time.Second).Truncate(time.Second)) // an expiry is a whole second
	c := tx.Bucket([]byte(ttlBucket)).Cursor()
	for k, _ := c.First(); k != nil && len(keys) < limit && bytes.Compare(k[:expirySize], after) < 0; k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k[expirySize:]))
	}
	return keys
}

// removeKey removes the row that has that key in the bucket of rows.
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
	return removeRow(tx, r)
}
