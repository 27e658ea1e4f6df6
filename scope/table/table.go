package table

import (
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

// Options configures a [Table]. There is nothing to configure yet; nil is valid.
type Options struct{}

// Table is a [Driver] with the rules that hold for every store. It is
// immutable and safe for concurrent use, and does not own the driver: who
// opened that closes it.
type Table struct{ d Driver }

// New returns a table on d, which must not be nil.
func New(d Driver, _ *Options) *Table {
	if d == nil {
		panic("table: New: the driver is nil")
	}
	return &Table{d: d}
}

// In returns the view of the items under s. The zero Scope is refused with
// [ErrScope].
func (t *Table) In(s scope.Scope) (*View, error) {
	if s.Level() == scope.None {
		return nil, fmt.Errorf("%w: the zero Scope denies everything", ErrScope)
	}
	return &View{t: t, s: s, partition: s.Partition()}, nil
}
