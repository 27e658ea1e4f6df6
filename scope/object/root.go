package object

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/carrel-go/carrel/scope"
)

// Root is the part of a [Bucket] that lies in one scope. It is safe for
// concurrent use.
//
// Its scope may be any: a user's Root reaches the objects of that user's
// sessions as well. A tenant has no objects of its own, so [Root.Ref] fails
// there, but its Root lists, opens and deletes what lies below.
//
// Errors say the operation and the name, and satisfy errors.Is with this
// package's sentinels; what they wrap may tell hosts and request ids, so it is
// for logs and not for a browser.
type Root struct {
	bucket *Bucket
	scope  scope.Scope
}

// Scope returns the root's scope.
func (r *Root) Scope() scope.Scope { return r.scope }

// Bucket returns the bucket that the root is a part of.
func (r *Root) Bucket() *Bucket { return r.bucket }

// Ref names a file of the root's own scope, whether or not there is one. The
// rules for names are those of [scope.Scope.Key], and so is the error.
func (r *Root) Ref(name string) (Ref, error) {
	key, err := r.scope.Key(name)
	if err != nil {
		err = fmt.Errorf("object: ref: %w", err)
		r.refused(context.Background(), "ref", err)
		return Ref{}, err
	}
	owner := r.scope
	if r.scope.RequireWrite() != nil { // a Ref says whose the object is, not who may do what
		if owner, _, err = scope.ParseKey(key); err != nil {
			return Ref{}, fmt.Errorf("object: ref: %w", err)
		}
	}
	return Ref{bucket: r.bucket.name, owner: owner, name: name, key: key}, nil
}

// addr returns where f lies, for the driver: with the rights of the root.
func (r *Root) addr(f Ref) Addr {
	a := f.addr()
	a.owner = r.narrow(a.owner)
	return a
}

// narrow returns s, read-only if the root is.
func (r *Root) narrow(s scope.Scope) scope.Scope {
	if r.scope.RequireWrite() != nil {
		return s.ReadOnly()
	}
	return s
}

// Open returns the object's bytes and its Info; rg nil means all of them. The
// reader streams and must be closed; cancelling ctx ends it with an error.
//
// ErrNotFound, ErrRange; ErrChanged where f is pinned and something else lies
// there now.
func (r *Root) Open(ctx context.Context, f Ref, rg *Range) (io.ReadCloser, Info, error) {
	if !r.holds(f) {
		return nil, Info{}, r.outside(ctx, "open", f)
	}
	var part Range
	if rg != nil {
		part = *rg
	}
	if part.Off < 0 || part.Len < 0 {
		return nil, Info{}, failed("open", f, ErrRange)
	}
	body, info, err := r.bucket.driver.Open(ctx, r.addr(f), part)
	if err != nil {
		return nil, Info{}, failed("open", f, err)
	}
	return &reader{ctx, body}, info, nil
}

// reader ends with the context's error at the first Read after the
// cancellation. A client of a store notices a little later, and what its
// buffers hold by then could be the whole object.
type reader struct {
	ctx context.Context
	io.ReadCloser
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.ReadCloser.Read(p)
}

// Put stores body and returns f pinned to it. A nil o writes once.
//
// ErrExists (write once), ErrChanged (IfMatch; ErrNotFound where nothing was
// there), ErrConflict, ErrSize, ErrTooLarge, ErrInvalid. After any other error
// it is not known whether the object was stored: Stat tells. A driver may try
// again when an answer was lost, so that ErrExists and ErrChanged can be the
// echo of one's own write; compare the bytes where that matters.
//
// f must not be pinned: see [Ref.Unpinned]. A Root of a read-only scope returns
// [scope.ErrReadOnly].
func (r *Root) Put(ctx context.Context, f Ref, body io.Reader, o *PutOptions) (Ref, Info, error) {
	if err := r.scope.RequireWrite(); err != nil {
		return Ref{}, Info{}, failed("put", f, err)
	}
	if !r.holds(f) {
		return Ref{}, Info{}, r.outside(ctx, "put", f)
	}
	var opt PutOptions
	if o != nil {
		opt = *o
	}
	if err := opt.check(); err != nil {
		return Ref{}, Info{}, failed("put", f, err)
	}
	if f != f.Unpinned() {
		return Ref{}, Info{}, failed("put", f, invalid("a pinned Ref names bytes that are there already"))
	}
	if opt.Type == "" {
		opt.Type = "application/octet-stream"
	}
	info, err := r.bucket.driver.Put(ctx, r.addr(f), body, opt)
	if err != nil {
		return Ref{}, Info{}, failed("put", f, err)
	}
	return f.pinned(info), info, nil
}

// Stat describes the object and returns f pinned to what was seen.
// ErrNotFound; ErrChanged where f is pinned and something else lies there now.
func (r *Root) Stat(ctx context.Context, f Ref) (Ref, Info, error) {
	if !r.holds(f) {
		return Ref{}, Info{}, r.outside(ctx, "stat", f)
	}
	info, err := r.bucket.driver.Stat(ctx, r.addr(f))
	if err != nil {
		return Ref{}, Info{}, failed("stat", f, err)
	}
	return f.pinned(info), info, nil
}

// Delete removes the object. To delete what is not there is no error. A pinned
// f deletes what it is pinned to and nothing else: ErrChanged. ErrNotFound
// where f lies outside the root, [scope.ErrReadOnly] if the root's scope is.
func (r *Root) Delete(ctx context.Context, f Ref) error {
	if err := r.scope.RequireWrite(); err != nil {
		return failed("delete", f, err)
	}
	if !r.holds(f) {
		return r.outside(ctx, "delete", f)
	}
	if err := r.bucket.driver.Delete(ctx, r.addr(f)); err != nil {
		return failed("delete", f, err)
	}
	return nil
}

// List yields everything below the root's prefix, in the order of the keys'
// bytes, each as a Ref of the scope that its key says, pinned to what was
// seen. A tenant's root lists all its users, sessions and shared files. It
// asks for a page at a time and holds no more than one; leaving the loop stops
// it.
//
// A key that is in no scope's layout yields the zero Ref and a *[KeyError],
// and the list goes on behind it; any other error is the last thing that is
// yielded.
func (r *Root) List(ctx context.Context) iter.Seq2[Ref, error] {
	return func(yield func(Ref, error) bool) {
		for e, err := range r.ListAfter(ctx, Ref{}) {
			if !yield(e.Ref, err) {
				return
			}
		}
	}
}

// entry makes a Ref of what a driver listed. The scope is checked again: what
// a store says is data.
func (r *Root) entry(e Entry) (Ref, error) {
	owner, name, err := scope.ParseKey(e.Key)
	if err != nil {
		return Ref{}, &KeyError{Key: e.Key, Err: err}
	}
	f := Ref{bucket: r.bucket.name, owner: owner, name: name, key: e.Key}
	if !r.holds(f) {
		return Ref{}, &KeyError{Key: e.Key, Err: ErrOutside}
	}
	return f.pinned(e.Info), nil
}

// holds reports whether f names something inside the root. The zero Ref, whose
// scope is the zero Scope, lies in none.
func (r *Root) holds(f Ref) bool {
	return f.bucket == r.bucket.name && r.scope.Contains(f.owner)
}

func (o PutOptions) check() error {
	switch {
	case o.IfMatch != "" && o.Overwrite:
		return invalid("IfMatch and Overwrite exclude each other")
	case !validPin(o.IfMatch):
		return invalid("IfMatch is no ETag")
	case o.Size < 0:
		return invalid("a negative Size")
	}
	for i := range len(o.Type) {
		if o.Type[i] < ' ' || o.Type[i] >= 0x7f {
			return invalid("a media type with control or non-ASCII characters")
		}
	}
	return nil
}

// outside refuses a Ref of another bucket or scope. The caller hears what it
// would of one that does not exist, and the auditor what it was.
func (r *Root) outside(ctx context.Context, op string, f Ref) error {
	r.refused(ctx, op, fmt.Errorf("object: %s: %q in bucket %q: %w", op, f.key, f.bucket, ErrOutside))
	return failed(op, f, ErrOutside)
}

func (r *Root) refused(ctx context.Context, op string, err error) {
	if a := r.bucket.audit; a != nil {
		a.Refused(ctx, scope.Refusal{Scope: r.scope, Op: "object." + op, Err: err})
	}
}

func failed(op string, f Ref, err error) error {
	return fmt.Errorf("object: %s %q: %w", op, f.name, err)
}
