package object

import (
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

const maxPage = 1000 // keys in one request of a list

// Options configures a [Bucket]. Nil is valid.
type Options struct {
	// PageSize is the number of keys that a list requests at a time, 1 to 1,000.
	// Other values mean 1,000.
	PageSize int

	// Audit, if non-nil, receives every invalid file name and every Ref outside
	// the Root.
	Audit scope.Auditor
}

// Bucket stores the objects of every scope. [Bucket.In] narrows it to one. It is
// safe for concurrent use.
type Bucket struct {
	driver Driver
	name   string
	page   int
	audit  scope.Auditor // may be nil
}

// New returns the bucket that d stores. Refs and their JSON carry its name. For
// S3, use s3object.Open. New returns [ErrInvalid] if d is nil.
func New(d Driver, name string, o *Options) (*Bucket, error) {
	if d == nil {
		return nil, fmt.Errorf("object: new: %w", invalidf("driver: must not be nil"))
	}
	opt := valueOf(o)
	if opt.PageSize < 1 || opt.PageSize > maxPage {
		opt.PageSize = maxPage
	}
	return &Bucket{driver: d, name: name, page: opt.PageSize, audit: opt.Audit}, nil
}

// Name returns the bucket's name.
func (b *Bucket) Name() string { return b.name }

// In narrows the bucket to the scope s. It returns [scope.ErrDenied] for the zero
// Scope.
func (b *Bucket) In(s scope.Scope) (*Root, error) {
	if err := s.Require(); err != nil {
		return nil, fmt.Errorf("object: in: %w", err)
	}
	return &Root{bucket: b, scope: s}, nil
}
