// Package faultytable breaks one promise of a [table.Driver], so that tests can
// check whether a conformance suite notices.
package faultytable

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/carrel-go/carrel/scope/table"
)

// Driver replaces the calls for which it has a function. A function receives the
// driver that keeps its promises.
type Driver struct {
	table.Driver
	OnGet    func(context.Context, table.Driver, table.Key) (table.Row, error)
	OnPut    func(context.Context, table.Driver, table.Key, table.Row, table.Cond) error
	OnDelete func(context.Context, table.Driver, table.Key, table.Cond) error
	OnQuery  func(context.Context, table.Driver, table.DriverQuery) (table.DriverPage, error)
}

// Get implements [table.Driver].
func (d *Driver) Get(ctx context.Context, k table.Key) (table.Row, error) {
	if d.OnGet != nil {
		return d.OnGet(ctx, d.Driver, k)
	}
	return d.Driver.Get(ctx, k)
}

// Put implements [table.Driver].
func (d *Driver) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	if d.OnPut != nil {
		return d.OnPut(ctx, d.Driver, k, r, c)
	}
	return d.Driver.Put(ctx, k, r, c)
}

// Delete implements [table.Driver].
func (d *Driver) Delete(ctx context.Context, k table.Key, c table.Cond) error {
	if d.OnDelete != nil {
		return d.OnDelete(ctx, d.Driver, k, c)
	}
	return d.Driver.Delete(ctx, k, c)
}

// Query implements [table.Driver].
func (d *Driver) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	if d.OnQuery != nil {
		return d.OnQuery(ctx, d.Driver, q)
	}
	return d.Driver.Query(ctx, q)
}

// ChangeQuery returns a driver that changes queries.
func ChangeQuery(change func(*table.DriverQuery)) Driver {
	return Driver{OnQuery: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
		change(&q)
		return d.Query(ctx, q)
	}}
}

// ChangePage returns a driver that changes the pages of queries.
func ChangePage(change func(table.DriverQuery, *table.DriverPage)) Driver {
	return Driver{OnQuery: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
		p, err := d.Query(ctx, q)
		change(q, &p)
		return p, err
	}}
}

// ChangeRow returns a driver that changes rows before it stores them.
func ChangeRow(change func(*table.Row)) Driver {
	return Driver{OnPut: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
		r = r.Clone()
		change(&r)
		return d.Put(ctx, k, r, c)
	}}
}

// PutUnconditionally stores a row without its condition.
func PutUnconditionally(ctx context.Context, d table.Driver, k table.Key, r table.Row, _ table.Cond) error {
	for {
		old, err := d.Get(ctx, k)
		c := table.Version(old.Version)
		switch {
		case errors.Is(err, table.ErrNotFound), err == nil && old.Expired(time.Now()):
			c = table.Absent()
		case err != nil:
			return err
		}
		err = d.Put(ctx, k, r, c)
		if _, conflict := errors.AsType[*table.RowConflictError](err); !conflict {
			return err
		}
	}
}

// CheckThenPut evaluates the condition of a put in a separate step.
func CheckThenPut(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
	old, err := d.Get(ctx, k)
	stored := &old
	if errors.Is(err, table.ErrNotFound) {
		stored = nil
	} else if err != nil {
		return err
	}
	if !c.Holds(stored, time.Now()) {
		return &table.RowConflictError{Current: stored}
	}
	<-time.After(time.Millisecond) // all others evaluate their conditions now
	return PutUnconditionally(ctx, d, k, r, c)
}

// MergePut keeps the attributes of the stored row that the new one lacks.
func MergePut(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
	if old, err := d.Get(ctx, k); err == nil {
		merged := maps.Clone(old.Attr)
		maps.Copy(merged, r.Attr)
		r = r.Clone()
		r.Attr = merged
	}
	return d.Put(ctx, k, r, c)
}

// CountRows counts the rows of a query instead of asking the driver to count, after drop has removed some of them.
func CountRows(drop func(table.Row) bool) Driver {
	return Driver{OnQuery: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
		if !q.CountOnly {
			return d.Query(ctx, q)
		}
		q.CountOnly = false
		p, err := d.Query(ctx, q)
		n := 0
		for _, r := range p.Rows {
			if !drop(r) {
				n++
			}
		}
		return table.DriverPage{Count: n}, err
	}}
}

// DropCurrent removes the current row from a conflict.
func DropCurrent(err error) error {
	if _, ok := errors.AsType[*table.RowConflictError](err); ok {
		return &table.RowConflictError{}
	}
	return err
}
