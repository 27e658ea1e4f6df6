package object

import (
	"cmp"
	"context"
	"errors"

	"github.com/carrel-go/carrel/scope"
)

// Copier is implemented by a [Driver] that can copy inside the store. Its contract
// is that of [Driver].
type Copier interface {
	// Copy stores the bytes of from under to, with the options and promises of
	// Driver.Put. o.Type is set and o.Size is the size of from. from is pinned;
	// if the object has changed, Copy returns ErrChanged and writes nothing. Both
	// are in s, whose credentials make the copy.
	//
	// If it can't keep these promises, it writes nothing and returns an
	// errors.ErrUnsupported. Root.Copy then uses Open and Put.
	Copy(ctx context.Context, s scope.Scope, from, to Addr, o PutOptions) (Info, error)
}

// Copy stores the bytes of from under to and returns to pinned to them. A nil o
// writes once. The type is o.Type or else the type of from. If o.Size is set, from
// must have that size (ErrSize). Copy never mixes two contents of from: it copies
// the pinned one, or the one that exists when Copy begins.
//
// If the driver is a [Copier], the copy is made inside the store. Otherwise the
// bytes stream through the process in bounded memory.
//
// It returns ErrNotFound if from does not exist or either Ref is outside the
// root, ErrChanged if from is pinned and has changed, ErrInvalid if both are the
// same object, and the errors of [Root.Put].
func (r *Root) Copy(ctx context.Context, from, to Ref, o *PutOptions) (Ref, Info, error) {
	if err := r.scope.RequireWrite(); err != nil {
		return Ref{}, Info{}, wrapError("copy", from, err)
	}
	if !r.containsRef(from) {
		return Ref{}, Info{}, r.rejectOutside(ctx, "copy", from)
	}
	opt := valueOf(o)
	if err := r.checkWrite(ctx, "copy to", to, opt); err != nil {
		return Ref{}, Info{}, err
	}
	if from.key == to.key {
		return Ref{}, Info{}, wrapError("copy", from, invalidf("copy onto itself"))
	}
	info, err := r.bucket.driver.Stat(ctx, r.addrOf(from))
	if err != nil {
		return Ref{}, Info{}, wrapError("copy", from, err)
	}
	from = from.pinTo(info)
	if opt.Size > 0 && opt.Size != info.Size {
		return Ref{}, Info{}, wrapError("copy", from, ErrSize)
	}
	opt.Size = info.Size
	opt.Type = cmp.Or(opt.Type, info.Type, defaultType)
	stored, err := r.copyObject(ctx, from, to, opt)
	if err != nil {
		return Ref{}, Info{}, wrapError("copy to", to, err)
	}
	return to.pinTo(stored), stored, nil
}

func (r *Root) copyObject(ctx context.Context, from, to Ref, o PutOptions) (Info, error) {
	if c, ok := r.bucket.driver.(Copier); ok {
		by := r.scope
		if from.owner == to.owner {
			by = to.owner
		}
		info, err := c.Copy(ctx, by, r.addrOf(from), r.addrOf(to), o)
		if !errors.Is(err, errors.ErrUnsupported) {
			return info, err
		}
	}
	body := &content{ctx: ctx, root: r, ref: from, size: o.Size}
	info, err := r.bucket.driver.Put(ctx, r.addrOf(to), body, o)
	return info, errors.Join(err, body.Close())
}
