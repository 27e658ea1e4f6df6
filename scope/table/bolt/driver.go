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

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	fileName    = "carrel.db"
	lockTimeout = time.Second
	format      = "2"
	olderFormat = "1" // without the ttl bucket
)

// Driver is a [table.Driver] on a file. It is safe for concurrent use. Reads run in
// parallel and see committed data only. Writes that wait at the same time share a
// transaction and its disk syncs.
type Driver struct {
	db         *bbolt.DB
	writes     *committer
	released   time.Time // last release of pages, by the goroutine of writes
	unreleased int       // writes since then
}

var (
	_ table.Driver = (*Driver)(nil)
	_ table.Purger = (*Driver)(nil)
)

// Open opens the file carrel.db in dir. It creates the directory with mode 0700 and the
// file with mode 0600 if they are missing. It returns [ErrLocked] if the file is still
// open elsewhere after a second, and [ErrFormat] if the file was not written by this
// package. The caller must close the driver.
func Open(dir string) (*Driver, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("bolt: open: %w", err)
	}
	db, err := bbolt.Open(filepath.Join(dir, fileName), 0o600, &bbolt.Options{Timeout: lockTimeout})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s", ErrLocked, dir)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch),
		errors.Is(err, berrors.ErrChecksum):
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	case err != nil:
		return nil, fmt.Errorf("bolt: open: %w", err)
	}
	if err := db.Update(prepareFile); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	d := &Driver{db: db}
	d.writes = &committer{update: db.Update, after: d.releasePages}
	return d, nil
}

// prepareFile creates the buckets of a new file and checks the format of an existing one.
func prepareFile(tx *bbolt.Tx) error {
	if meta := tx.Bucket([]byte(metaBucket)); meta != nil {
		switch got := string(meta.Get([]byte(formatKey))); got {
		case format:
			return nil
		case olderFormat:
			return upgradeFile(tx)
		default:
			return fmt.Errorf("%w: format %q, want %q", ErrFormat, got, format)
		}
	}
	if name, _ := tx.Cursor().First(); name != nil {
		return fmt.Errorf("%w: unknown bucket %q", ErrFormat, name)
	}
	names := [][]byte{[]byte(rowBucket), indexBucket(table.I1), indexBucket(table.I2), indexBucket(table.I3),
		[]byte(ttlBucket), []byte(metaBucket)}
	for _, name := range names {
		if _, err := tx.CreateBucket(name); err != nil {
			return fmt.Errorf("bolt: open: %w", err)
		}
	}
	return tx.Bucket([]byte(metaBucket)).Put([]byte(formatKey), []byte(format))
}

// upgradeFile adds the ttl bucket to a file of the older format.
func upgradeFile(tx *bbolt.Tx) error {
	ttl, err := tx.CreateBucket([]byte(ttlBucket))
	if err != nil {
		return fmt.Errorf("bolt: upgrade: %w", err)
	}
	err = tx.Bucket([]byte(rowBucket)).ForEach(func(key, b []byte) error {
		expires, err := decodeExpiry(b)
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

// Get implements [table.Driver].
func (d *Driver) Get(ctx context.Context, k table.Key) (table.Row, error) {
	var row table.Row
	err := d.viewFile(ctx, k, func(tx *bbolt.Tx) error {
		stored, err := getRow(tx, k)
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

// Put implements [table.Driver] in one transaction and returns after its sync. If ctx
// ends first, Put returns its error: the row is not stored if the transaction had not
// begun, and may be stored otherwise.
func (d *Driver) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	if err := checkCall(ctx, k); err != nil {
		return err
	}
	r.Partition, r.Sort = k.Partition(), k.Sort()
	e, err := encodeEntry(r)
	if err != nil {
		return err
	}
	return d.writes.commitWrite(ctx, len(e.value), func(tx *bbolt.Tx) (bool, error) {
		stored, err := getIfHolds(tx, k, c)
		if err != nil {
			return false, err
		}
		return true, e.put(tx, stored)
	})
}

// Delete implements [table.Driver] in one transaction. If ctx ends first, the rules of
// Put apply.
func (d *Driver) Delete(ctx context.Context, k table.Key, c table.Cond) error {
	if err := checkCall(ctx, k); err != nil {
		return err
	}
	return d.writes.commitWrite(ctx, 0, func(tx *bbolt.Tx) (bool, error) {
		stored, err := getIfHolds(tx, k, c)
		if err != nil || stored == nil {
			return false, err
		}
		return true, removeRow(tx, *stored)
	})
}

// getIfHolds returns the stored row without its attributes, or nil if it is absent, if
// the condition holds. Otherwise it returns a conflict.
func getIfHolds(tx *bbolt.Tx, k table.Key, c table.Cond) (*table.Row, error) {
	stored, attr, err := getBareRow(tx, k)
	if err != nil || c.Holds(stored, time.Now()) {
		return stored, err
	}
	if stored != nil {
		if stored.Attr, err = decodeAttr(stored.Sort, attr); err != nil {
			return nil, err
		}
	}
	return nil, &table.RowConflictError{Current: stored}
}

// checkCall returns an error if a call must not begin.
func checkCall(ctx context.Context, k table.Key) error {
	if k.Partition() == "" {
		return fmt.Errorf("bolt: %w: the zero Key", scope.ErrDenied)
	}
	return ctx.Err()
}

// viewFile runs f in a read-only transaction.
func (d *Driver) viewFile(ctx context.Context, k table.Key, f func(*bbolt.Tx) error) error {
	if err := checkCall(ctx, k); err != nil {
		return err
	}
	err := d.db.View(f)
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}
