package table

import (
	"errors"

	"github.com/carrel-go/carrel/scope"
)

// Options configures a [Table]. Nil is valid.
type Options struct {
	// Audit, if non-nil, receives each cursor that does not belong to its query, and a
	// report for each page of an index with forged rows, which lie outside the scope.
	// The report contains their number.
	Audit scope.Auditor
}

// Table is a [Driver] with the rules that hold for every store. It is immutable and
// safe for concurrent use. The caller must close the driver.
type Table struct {
	d     Driver
	audit scope.Auditor // may be nil
}

// New returns a table on d. It returns an error if d is nil.
func New(d Driver, o *Options) (*Table, error) {
	if d == nil {
		return nil, errors.New("table: the driver must not be nil")
	}
	t := &Table{d: d}
	if o != nil {
		t.audit = o.Audit
	}
	return t, nil
}

// In returns the view of the items under s, or [scope.ErrDenied] for the zero Scope.
func (t *Table) In(s scope.Scope) (*View, error) {
	if s.Level() == scope.None {
		return nil, newDeniedError("the zero Scope")
	}
	return &View{t: t, s: s, partition: s.Partition()}, nil
}
