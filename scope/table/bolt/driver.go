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

// Driver is a [table.Driver] on a file. It is safe for concurrent use. Reads
// run in parallel and see committed data only. Writes that are waiting at the
// same time share a transaction and its syncs of the disk.
type Driver struct {
	db     *bbolt.DB
	writes *committer
}

var (
	_ table.Driver = (*Driver)(nil)
	_ table.Purger = (*Driver)(nil)
)

// Open opens the file [FileName] in dir and creates both if they are missing
// (mode 0600 in 0700). It waits about a second for a lock that another process
// holds, then returns [ErrLocked]. It returns [ErrFormat] if the file was
// written by something else. The caller must close the driver.
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
	return &Driver{db: db, writes: &committer{update: db.Update}}, nil
}

// prepare creates the buckets of a new file and checks the format of an existing one.
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

// upgrade adds the ttl bucket to a file of the older format.
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

// Close commits the writes that are waiting, waits for the reads in flight and
// closes the file. Later calls return [ErrClosed]; a second Close does nothing.
func (d *Driver) Close() error {
	d.writes.close()
	return d.db.Close()
}

// Get returns the row.
func (d *Driver) Get(ctx context.Context, k table.Key) (table.Row, error) {
	var row table.Row
	err := d.view(ctx, k, func(tx *bbolt.Tx) error {
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

// Put stores the row and moves its index entries, in one transaction. It
// returns when the transaction is synced. If ctx ends first, Put returns its
// error: the row has not been stored if the transaction had not begun, and may
// have been stored otherwise.
func (d *Driver) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	if err := checkCall(ctx, k); err != nil {
		return err
	}
	r.Partition, r.Sort = k.Partition(), k.Sort()
	e, err := encodeEntry(r)
	if err != nil {
		return err
	}
	return d.writes.do(ctx, len(e.value), func(tx *bbolt.Tx) (bool, error) {
		stored, err := getHeld(tx, k, c)
		if err != nil {
			return false, err
		}
		if stored != nil {
			if err := remove(tx, *stored); err != nil {
				return true, err
			}
		}
		return true, e.put(tx)
	})
}

// Delete removes the row and its index entries, in one transaction. It returns
// as Put does.
func (d *Driver) Delete(ctx context.Context, k table.Key, c table.Cond) error {
	if err := checkCall(ctx, k); err != nil {
		return err
	}
	return d.writes.do(ctx, 0, func(tx *bbolt.Tx) (bool, error) {
		stored, err := getHeld(tx, k, c)
		if err != nil || stored == nil {
			return false, err
		}
		return true, remove(tx, *stored)
	})
}

// getHeld returns the stored row, or nil, if the condition holds.
func getHeld(tx *bbolt.Tx, k table.Key, c table.Cond) (*table.Row, error) {
	stored, err := get(tx, k)
	if err != nil {
		return nil, err
	}
	if !c.Holds(stored, time.Now()) {
		return nil, &table.RowConflictError{Current: stored}
	}
	return stored, nil
}

// checkCall returns an error if a call must not begin.
func checkCall(ctx context.Context, k table.Key) error {
	if k.Partition() == "" {
		return fmt.Errorf("%w: the zero Key", table.ErrScope)
	}
	return ctx.Err()
}

// view runs f in a read-only transaction.
func (d *Driver) view(ctx context.Context, k table.Key, f func(*bbolt.Tx) error) error {
	if err := checkCall(ctx, k); err != nil {
		return err
	}
	err := d.db.View(f)
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}
