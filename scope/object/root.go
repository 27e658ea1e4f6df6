package object

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/carrel-go/carrel/scope"
)

// Root is the part of a [Bucket] in one scope. It is safe for concurrent use. The
// zero Root denies every operation.
//
// The Root of a user also reaches the objects of that user's sessions. A tenant
// does not own objects, so its Root can't make Refs, but it lists, opens and
// deletes the objects of its users and the shared ones.
//
// Errors name the operation and the file, and wrap the sentinels of this package.
// They can contain hosts and request ids, so log them and do not send them to a
// browser.
type Root struct {
	bucket *Bucket
	scope  scope.Scope
}

// Scope returns the root's scope.
func (r *Root) Scope() scope.Scope { return r.scope }

// Bucket returns the root's bucket.
func (r *Root) Bucket() *Bucket { return r.bucket }

// Ref returns the Ref of a file of the root's scope, which need not exist. It
// returns the errors of [scope.Scope.Key].
func (r *Root) Ref(name string) (Ref, error) {
	key, err := r.scope.Key(name)
	if err != nil {
		err = fmt.Errorf("object: ref: %w", err)
		r.reportRefusal(context.Background(), "ref", err)
		return Ref{}, err
	}
	owner := r.scope
	if r.scope.RequireWrite() != nil { // a Ref does not carry rights
		if owner, _, err = scope.ParseKey(key); err != nil {
			return Ref{}, fmt.Errorf("object: ref: %w", err)
		}
	}
	return Ref{bucket: r.bucket.name, owner: owner, name: name, key: key}, nil
}

// addrOf returns the address of f for the driver, with the rights of the root.
func (r *Root) addrOf(f Ref) Addr {
	return Addr{bucket: f.bucket, owner: r.narrowScope(f.owner), key: f.key, version: f.version, etag: f.etag}
}

// narrowScope returns s, read-only if the root is.
func (r *Root) narrowScope(s scope.Scope) scope.Scope {
	if r.scope.RequireWrite() != nil {
		return s.ReadOnly()
	}
	return s
}

// Open returns the object's bytes in rg, or all of them if rg is nil, and its Info.
// The reader streams and must be closed. It returns an error once ctx is canceled.
//
// It returns ErrNotFound, ErrRange, and ErrChanged if f is pinned and the object
// has changed.
func (r *Root) Open(ctx context.Context, f Ref, rg *Range) (io.ReadCloser, Info, error) {
	if !r.containsRef(f) {
		return nil, Info{}, r.rejectOutside(ctx, "open", f)
	}
	part := valueOf(rg)
	if part.Off < 0 || part.Len < 0 {
		return nil, Info{}, wrapError("open", f, ErrRange)
	}
	body, info, err := r.bucket.driver.Open(ctx, r.addrOf(f), part)
	if err != nil {
		return nil, Info{}, wrapError("open", f, err)
	}
	return &reader{ctx, body}, info, nil
}

// reader returns the context's error at the first Read after its cancellation. A
// client of a store notices later, and can have buffered the whole object.
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

// Put stores body and returns f pinned to it. A nil o writes once. f must not be
// pinned: see [Ref.Unpinned].
//
// It returns ErrExists if it writes once, ErrChanged (or ErrNotFound) with
// IfMatch, ErrConflict, ErrSize, ErrTooLarge, ErrInvalid, and
// [scope.ErrReadOnly]. After any other error the object may have been stored;
// call Stat. A driver may retry if an answer was lost, so ErrExists and ErrChanged
// can be caused by the same Put; compare the bytes if that matters.
func (r *Root) Put(ctx context.Context, f Ref, body io.Reader, o *PutOptions) (Ref, Info, error) {
	opt := valueOf(o)
	if err := r.checkWrite(ctx, "put", f, opt); err != nil {
		return Ref{}, Info{}, err
	}
	opt.Type = cmp.Or(opt.Type, defaultType)
	info, err := r.bucket.driver.Put(ctx, r.addrOf(f), body, opt)
	if err != nil {
		return Ref{}, Info{}, wrapError("put", f, err)
	}
	return f.pinTo(info), info, nil
}

// checkWrite checks that f may be written to with the options o.
func (r *Root) checkWrite(ctx context.Context, op string, f Ref, o PutOptions) error {
	if err := r.scope.RequireWrite(); err != nil {
		return wrapError(op, f, err)
	}
	if !r.containsRef(f) {
		return r.rejectOutside(ctx, op, f)
	}
	if err := o.checkOptions(); err != nil {
		return wrapError(op, f, err)
	}
	if f != f.Unpinned() {
		return wrapError(op, f, invalidf("pinned Ref: must be unpinned to be written"))
	}
	return nil
}

// Stat returns the object's Info, and f pinned to it. It returns ErrNotFound, and
// ErrChanged if f is pinned and the object has changed.
func (r *Root) Stat(ctx context.Context, f Ref) (Ref, Info, error) {
	if !r.containsRef(f) {
		return Ref{}, Info{}, r.rejectOutside(ctx, "stat", f)
	}
	info, err := r.bucket.driver.Stat(ctx, r.addrOf(f))
	if err != nil {
		return Ref{}, Info{}, wrapError("stat", f, err)
	}
	return f.pinTo(info), info, nil
}

// Delete removes the object. It succeeds if the object does not exist. If f is
// pinned, it deletes exactly the pinned object, and returns ErrChanged if the
// object has changed. It returns ErrNotFound if f is outside the root, and
// [scope.ErrReadOnly].
func (r *Root) Delete(ctx context.Context, f Ref) error {
	if err := r.scope.RequireWrite(); err != nil {
		return wrapError("delete", f, err)
	}
	if !r.containsRef(f) {
		return r.rejectOutside(ctx, "delete", f)
	}
	if err := r.bucket.driver.Delete(ctx, r.addrOf(f)); err != nil {
		return wrapError("delete", f, err)
	}
	return nil
}

// List yields all objects of the root in the byte order of their keys, each as a
// pinned Ref of the scope that owns it. The root of a tenant lists all its users,
// sessions and shared files. List holds one page in memory at a time, and stops
// when the caller leaves the loop.
//
// For a key outside the layout of a scope it yields the zero Ref and a
// *[KeyError], and continues. Any other error ends the list.
func (r *Root) List(ctx context.Context) iter.Seq2[Ref, error] {
	return func(yield func(Ref, error) bool) {
		for e, err := range r.ListAfter(ctx, Ref{}) {
			if !yield(e.Ref, err) {
				return
			}
		}
	}
}

// parseEntry returns the Ref of a listed object. It checks the scope again, since
// the list of a store is untrusted data.
func (r *Root) parseEntry(e Entry) (Ref, error) {
	owner, name, err := scope.ParseKey(e.Key)
	if err != nil {
		return Ref{}, &KeyError{Key: e.Key, Err: err}
	}
	f := Ref{bucket: r.bucket.name, owner: owner, name: name, key: e.Key}
	if !r.containsRef(f) {
		return Ref{}, &KeyError{Key: e.Key, Err: ErrOutside}
	}
	return f.pinTo(e.Info), nil
}

// containsRef reports whether f is inside the root. The zero Ref never is, nor is any Ref
// inside the zero Root.
func (r *Root) containsRef(f Ref) bool {
	return r.bucket != nil && f.bucket == r.bucket.name && r.scope.Contains(f.owner)
}

func (o PutOptions) checkOptions() error {
	switch {
	case o.IfMatch != "" && o.Overwrite:
		return invalidf("options: must not set both IfMatch and Overwrite")
	case !isValidPin(o.IfMatch):
		return invalidf("IfMatch %.80q: must be an ETag", o.IfMatch)
	case o.Size < 0:
		return invalidf("Size %d: must be at least 0", o.Size)
	case strings.ContainsFunc(o.Type, func(c rune) bool { return c < ' ' || c >= 0x7f }):
		return invalidf("Type %.80q: must be printable ASCII", o.Type)
	}
	return nil
}

// rejectOutside reports a Ref of another bucket or scope to the auditor and returns
// an error with the text of ErrNotFound.
func (r *Root) rejectOutside(ctx context.Context, op string, f Ref) error {
	r.reportRefusal(ctx, op, fmt.Errorf("object: %s: %q in bucket %q: %w", op, f.key, f.bucket, ErrOutside))
	return wrapError(op, f, ErrOutside)
}

func (r *Root) reportRefusal(ctx context.Context, op string, err error) {
	if r.bucket != nil && r.bucket.audit != nil {
		r.bucket.audit.Refused(ctx, scope.Refusal{Scope: r.scope, Op: "object." + op, Err: err})
	}
}

func wrapError(op string, f Ref, err error) error {
	return fmt.Errorf("object: %s %q: %w", op, f.name, err)
}
