package object

import (
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

// DefaultPageSize is how many keys one request of a list asks for.
const DefaultPageSize = 1000

// Options configure a [Bucket]. Nil is valid.
type Options struct {
	// PageSize is how many keys a list asks the driver for at a time, 1 to
	// 1,000. Default: DefaultPageSize, which other values mean as well.
	PageSize int

	// Audit is told of each name that is no name and each Ref that lies
	// outside the Root it is given to. Default: nobody is told.
	Audit scope.Auditor
}

// Bucket is a place for objects of every scope. By itself it opens nothing:
// [Bucket.In] narrows it first. It is safe for concurrent use.
type Bucket struct {
	driver Driver
	name   string
	page   int
	audit  scope.Auditor // may be nil
}

// New returns the bucket that d stores. The name is what Refs and their JSON
// carry; for S3 it is the bucket's own, the one that the driver was made with.
func New(d Driver, name string, o *Options) *Bucket {
	b := &Bucket{driver: d, name: name, page: DefaultPageSize}
	if o != nil && o.PageSize >= 1 && o.PageSize <= DefaultPageSize {
		b.page = o.PageSize
	}
	if o != nil {
		b.audit = o.Audit
	}
	return b
}

// Name returns the bucket's name.
func (b *Bucket) Name() string { return b.name }

// In narrows the bucket to what lies in s. The zero Scope is refused with
// [scope.ErrDenied].
func (b *Bucket) In(s scope.Scope) (*Root, error) {
	if err := s.Require(); err != nil {
		return nil, fmt.Errorf("object: in: %w", err)
	}
	return &Root{bucket: b, scope: s}, nil
}
