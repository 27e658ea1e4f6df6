package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/carrel-go/carrel/scope/table"
)

// FileName is the name of the file in the directory.
const FileName = "carrel.db"

const (
	lockTimeout = time.Second
	format      = "2"
	olderFormat = "1" // without the ttl bucket
)

// Driver is a [table.Driver] on a file. It is safe for concurrent use: reads
// run side by side, writes one after the other, each with a sync of the disk.
type Driver struct{ db *bbolt.DB }

var (
	_ table.Driver = (*Driver)(nil)
	_ table.Purger = (*Driver)(nil)
)

// Open opens the file [FileName] in dir and creates both where they are
// missing (mode 0600 in 0700). It waits about a second for a lock that
// another process holds, then returns [ErrLocked]. A file that is none of
// this package's is [ErrFormat]. Whoever opens the driver closes it.
func Open(dir string) (*Driver, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("bolt: open: %w", err)
	}
	db, err := bbolt.Open(filepath.Join(dir, FileName), 0o600, &bbolt.Options{Timeout: lockTimeout})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s", ErrLocked, dir)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	case err != nil:
		return nil, fmt.Errorf("bolt: open: %w", err)
	}
	if err := db.Update(prepare); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Driver{db: db}, nil
}

// prepare makes the buckets of a new file and checks the format of an old one.
func prepare(tx *bbolt.Tx) error {
	if meta := tx.Bucket([]byte(metaBucket)); meta != nil {
		switch got := string(meta.Get([]byte(formatKey))); got {
		case format:
			return nil
		case olderFormat:
			return upgrade(tx)
		default:
			return fmt.Errorf("%w: format %q, want %q", ErrFormat, got, format)
		}
	}
	if name, _ := tx.Cursor().First(); name != nil {
		return fmt.Errorf("%w: another program's bucket %q", ErrFormat, name)
	}
	names := [][]byte{[]byte(rowBucket), indexBucket(table.I1), indexBucket(table.I2), indexBucket(table.I3), []byte(ttlBucket), []byte(metaBucket)}
	for _, name := range names {
		if _, err := tx.CreateBucket(name); err != nil {
			return fmt.Errorf("bolt: open: %w", err)
		}
	}
	return tx.Bucket([]byte(metaBucket)).Put([]byte(formatKey), []byte(format))
}

// upgrade gives a file of the older format what it lacks.
func upgrade(tx *bbolt.Tx) error {
	ttl, err := tx.CreateBucket([]byte(ttlBucket))
	if err != nil {
		return fmt.Errorf("bolt: upgrade: %w", err)
	}
	err = tx.Bucket([]byte(rowBucket)).ForEach(func(key, b []byte) error {
		expires, err := expiry(b)
		if err != nil || expires.IsZero() {
			return err
		}
		return ttl.Put(append(encodeExpiry(expires), key...), nil)
	})
	if err != nil {
		return fmt.Errorf("bolt: upgrade: %w", err)
	}
	return tx.Bucket([]byte(metaBucket)).Put([]byte(formatKey), []byte(format))
}

// Close waits for the calls under way and closes the file. Later calls are
// [ErrClosed]; a second Close does nothing.
func (d *Driver) Close() error { return d.db.Close() }

// Get returns the row.
func (d *Driver) Get(ctx context.Context, k table.Key) (table.Row, error) {
	var row table.Row
	err := d.do(ctx, k, d.db.View, func(tx *bbolt.Tx) error {
		stored, err := get(tx, k)
		if err != nil {
			return err
		}
		if stored == nil {
			return table.ErrNotFound
		}
		row = *stored
		return nil
	})
	return row, err
}

// Put stores the row and moves its index entries, in one transaction.
func (d *Driver) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	r.Partition, r.Sort = k.Partition(), k.Sort()
	return d.do(ctx, k, d.db.Update, func(tx *bbolt.Tx) error {
		if err := clearRow(tx, k, c); err != nil {
			return err
		}
		return put(tx, r)
	})
}

// Delete removes the row and its index entries, in one transaction.
func (d *Driver) Delete(ctx context.Context, k table.Key, c table.Cond) error {
	return d.do(ctx, k, d.db.Update, func(tx *bbolt.Tx) error { return clearRow(tx, k, c) })
}

// clearRow checks the condition and removes the row, if there is one.
func clearRow(tx *bbolt.Tx, k table.Key, c table.Cond) error {
	stored, err := get(tx, k)
	if err != nil {
		return err
	}
	if !c.Holds(stored, time.Now()) {
		return &table.RowConflictError{Current: stored}
	}
	if stored == nil {
		return nil
	}
	return remove(tx, *stored)
}

// do runs f in a transaction, unless the context has ended, also while it
// waited for the other writers.
func (d *Driver) do(ctx context.Context, k table.Key, transact func(func(*bbolt.Tx) error) error, f func(*bbolt.Tx) error) error {
	if k.Partition() == "" {
		return fmt.Errorf("%w: the zero Key", table.ErrScope)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := transact(func(tx *bbolt.Tx) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return f(tx)
	})
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}
