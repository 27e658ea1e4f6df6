package table

import (
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

// Options configures a [Table]. Nil is valid.
type Options struct {
	// Audit, if non-nil, receives a report for each cursor that does not
	// belong to its query, and one for each page of an index with rows that
	// lie outside the scope: somebody has forged their place. That report
	// says how many there are.
	Audit scope.Auditor
}

// Table is a [Driver] with the rules that hold for every store. It is
// immutable and safe for concurrent use, and does not own the driver: who
// opened that closes it.
type Table struct {
	d     Driver
	audit scope.Auditor // may be nil
}

// New returns a table on d, which must not be nil.
func New(d Driver, o *Options) *Table {
	if d == nil {
		panic("table: New: the driver is nil")
	}
	t := &Table{d: d}
	if o != nil {
		t.audit = o.Audit
	}
	return t
}

// In returns the view of the items under s. It returns [scope.ErrDenied] for the
// zero Scope.
func (t *Table) In(s scope.Scope) (*View, error) {
	if s.Level() == scope.None {
		return nil, fmt.Errorf("%w: the zero Scope denies everything", ErrScope)
	}
	return &View{t: t, s: s, partition: s.Partition()}, nil
}
