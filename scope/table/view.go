package table

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// View is the items under one Scope. It is immutable and safe for concurrent
// use; [Table.In] makes it.
//
// Every method makes one call of the driver, and blocks as long as that does.
// What is not named in its comment is the driver's error, wrapped.
type View struct {
	t         *Table
	s         scope.Scope
	partition string
	system    bool // of a [System]: partition is a shard, and belongs to no scope
}

// Scope returns whose items these are.
func (v *View) Scope() scope.Scope { return v.s }

func (v *View) key(sort string) (Key, error) {
	if v == nil || v.t == nil {
		return Key{}, fmt.Errorf("%w: a View is made by Table.In", ErrScope)
	}
	if err := checkSort(sort, ErrSort); err != nil {
		return Key{}, err
	}
	return Key{owner: v.s, partition: v.partition, sort: sort}, nil
}

// writeKey is key for a write, which a read-only Scope does not allow.
func (v *View) writeKey(sort string) (Key, error) {
	if v != nil && v.t != nil {
		if err := v.s.RequireWrite(); err != nil {
			return Key{}, fmt.Errorf("table: write: %w", err)
		}
	}
	return v.key(sort)
}

// Get returns an item as the last write left it. [ErrNotFound] where there is
// none or it has expired, [ErrSort] for what is no sort key.
func (v *View) Get(ctx context.Context, sort string) (Item, error) {
	k, err := v.key(sort)
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
		return Item{}, fmt.Errorf("table: get %q: the driver returned another row", sort)
	case r.Expired(time.Now()):
		return Item{}, ErrNotFound
	}
	return itemOf(v.s, r), nil
}

// Put stores it where c holds, and returns the item as stored: its version
// raised by one, its expiry in whole seconds. It replaces all attributes and
// index entries. So that none is lost, the item must be the one that the
// condition is about: with [Version] of n its own Version is n, as it was
// read, and with [Absent] it is 0; otherwise [ErrCond].
//
// Where the condition does not hold, the error is a *[ConflictError] with the
// current item. Where the outcome is unknown (a context that ended, a
// connection that broke), a second Put of the same item does no harm: at most
// one of the two is stored, and the conflict shows which.
//
// A bad item is [ErrSort], [ErrAttr], [ErrEntry], [ErrExpires] or
// [ErrTooLarge]. Under a read-only Scope the error is [scope.ErrReadOnly].
func (v *View) Put(ctx context.Context, it Item, c Cond) (Item, error) {
	k, err := v.writeKey(it.Sort)
	if err != nil {
		return Item{}, err
	}
	if !c.valid() {
		return Item{}, fmt.Errorf("%w: put with %s", ErrCond, c)
	}
	if it.Version != c.version {
		return Item{}, fmt.Errorf("%w: put of an item of version %d with %s", ErrCond, it.Version, c)
	}
	r, err := rowOf(v.s, it, c.version+1)
	if err != nil {
		return Item{}, err
	}
	if err := v.t.d.Put(ctx, k, r, c); err != nil {
		return Item{}, v.writeError("put", k, err)
	}
	return itemOf(v.s, r), nil
}

// Delete removes an item where c, a [Version], holds; otherwise the error is
// a *[ConflictError] with the current item. [Absent] is [ErrCond]: there is
// nothing to remove. Under a read-only Scope the error is [scope.ErrReadOnly].
func (v *View) Delete(ctx context.Context, sort string, c Cond) error {
	k, err := v.writeKey(sort)
	if err != nil {
		return err
	}
	if !c.valid() || c.absent {
		return fmt.Errorf("%w: delete with %s", ErrCond, c)
	}
	if err := v.t.d.Delete(ctx, k, c); err != nil {
		return v.writeError("delete", k, err)
	}
	return nil
}

func (v *View) writeError(op string, k Key, err error) error {
	conflict, ok := errors.AsType[*RowConflictError](err)
	if !ok {
		return fmt.Errorf("table: %s %q: %w", op, k.sort, err)
	}
	r := conflict.Current
	if r == nil || r.Expired(time.Now()) {
		return &ConflictError{}
	}
	if r.Partition != k.partition || r.Sort != k.sort {
		return fmt.Errorf("table: %s %q: the driver returned another row", op, k.sort)
	}
	it := itemOf(v.s, *r)
	return &ConflictError{Current: &it}
}
