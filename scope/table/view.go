package table

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// View reads and writes the items under one Scope. [Table.In] returns it. It is
// immutable and safe for concurrent use.
//
// Each method calls the driver once. It wraps the driver's error, unless its
// documentation names another error.
type View struct {
	t         *Table
	s         scope.Scope
	partition string
	system    bool // of a [System]: partition is a shard, outside all scopes
}

// Scope returns the scope of the items.
func (v *View) Scope() scope.Scope { return v.s }

func (v *View) newKey(sort string) (Key, error) {
	if v == nil || v.t == nil {
		return Key{}, newDeniedError("the View was not made by Table.In")
	}
	if err := checkSort(sort, errSort); err != nil {
		return Key{}, err
	}
	return Key{owner: v.s, partition: v.partition, sort: sort}, nil
}

// newWriteKey is newKey for a write, which a read-only Scope does not allow.
func (v *View) newWriteKey(sort string) (Key, error) {
	if v != nil && v.t != nil {
		if err := v.s.RequireWrite(); err != nil {
			return Key{}, fmt.Errorf("table: write: %w", err)
		}
	}
	return v.newKey(sort)
}

// Get returns an item as of the last write (strongly consistent). It returns
// [ErrNotFound] if the item does not exist or has expired, and [ErrInvalid] for an
// invalid sort key.
func (v *View) Get(ctx context.Context, sort string) (Item, error) {
	k, err := v.newKey(sort)
	if err != nil {
		return Item{}, err
	}
	r, err := v.t.d.Get(ctx, k)
	switch {
	case errors.Is(err, ErrNotFound):
		return Item{}, ErrNotFound
	case err != nil:
		return Item{}, fmt.Errorf("table: get %q: %w", sort, err)
	case r.Partition != k.partition || r.Sort != sort:
		return Item{}, fmt.Errorf("table: get %q: the driver returned a different row", sort)
	case r.Expired(time.Now()):
		return Item{}, ErrNotFound
	}
	return decodeItem(v.s, r), nil
}

// Put stores an item if c holds, and returns it as stored: with its new version and
// with its expiry in whole seconds. It replaces all attributes and index entries. To
// prevent losses, the item must match the condition: with [Version](n) its Version
// must be n, and with [Absent] it must be 0.
//
// If the condition does not hold, the error is a *[ConflictError] with the current
// item. If the outcome is unknown, because the context ended or the connection broke,
// it is safe to put the same item again: at most one of the two writes is stored, and
// the conflict shows which.
//
// Put returns [ErrInvalid] or [ErrTooLarge] for an invalid item or condition, and
// [scope.ErrReadOnly] if the Scope is read-only.
func (v *View) Put(ctx context.Context, it Item, c Cond) (Item, error) {
	k, err := v.newWriteKey(it.Sort)
	if err != nil {
		return Item{}, err
	}
	if !c.isValid() {
		return Item{}, fmt.Errorf("%w: put with %s", errCond, c)
	}
	if it.Version != c.version {
		return Item{}, fmt.Errorf("%w: %s for an item of version %d", errCond, c, it.Version)
	}
	version := c.version + 1
	if c.absent {
		version = newVersion()
	}
	r, err := encodeItem(v.s, it, version)
	if err != nil {
		return Item{}, err
	}
	if err := v.t.d.Put(ctx, k, r, c); err != nil {
		return Item{}, v.mapWriteError("put", k, err)
	}
	return decodeItem(v.s, r), nil
}

// newVersion returns the first version of an item, which differs from all versions that
// an earlier item of the same name had. It leaves room for increments below 2^53, so
// that programs which read JSON numbers as floats keep it.
func newVersion() int64 { return 1 + rand.Int64N(1<<52) } //nolint:gosec // unique; not a secret

// Delete removes an item if c, which must be a [Version], holds. Otherwise the error
// is a *[ConflictError] with the current item. Delete returns [ErrInvalid] for an
// invalid sort key or condition, and [scope.ErrReadOnly] if the Scope is read-only.
func (v *View) Delete(ctx context.Context, sort string, c Cond) error {
	k, err := v.newWriteKey(sort)
	if err != nil {
		return err
	}
	if !c.isValid() || c.absent {
		return fmt.Errorf("%w: delete with %s", errCond, c)
	}
	if err := v.t.d.Delete(ctx, k, c); err != nil {
		return v.mapWriteError("delete", k, err)
	}
	return nil
}

func (v *View) mapWriteError(op string, k Key, err error) error {
	conflict, ok := errors.AsType[*RowConflictError](err)
	if !ok {
		return fmt.Errorf("table: %s %q: %w", op, k.sort, err)
	}
	r := conflict.Current
	if r == nil || r.Expired(time.Now()) {
		return &ConflictError{}
	}
	if r.Partition != k.partition || r.Sort != k.sort {
		return fmt.Errorf("table: %s %q: the driver returned a different row", op, k.sort)
	}
	it := decodeItem(v.s, *r)
	return &ConflictError{Current: &it}
}
