package object

import (
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

// Copier is what a [Driver] may implement besides, to copy without the bytes
// passing through the process. Its contract is that of [Driver].
type Copier interface {
	// Copy stores the bytes of from under to, as o says, with the promises of
	// Driver.Put; o.Type is set and o.Size is that of from. from is pinned:
	// ErrChanged where the pin no longer holds, and nothing has been written
	// then. Both lie in s, by whose right the copy is made.
	//
	// Where it can't keep all of that, it writes nothing and returns an
	// errors.ErrUnsupported; the copy then goes by Open and Put.
	Copy(ctx context.Context, s scope.Scope, from, to Addr, o PutOptions) (Info, error)
}

// Copy stores the bytes of from under to, both inside the root, and returns to
// pinned to them. A nil o writes once. The Type is that of from unless o says
// another; where o has a Size, from must be of it (ErrSize). A pinned from
// copies what it is pinned to, and an unpinned one what lies there when Copy
// begins: never a mixture.
//
// A driver that is a [Copier] does it inside the store. With another one the
// bytes stream through the process by ranges: memory stays bounded.
//
// ErrNotFound where there is no from, or from or to lies outside the root;
// ErrChanged for the pin of from too; ErrInvalid where both are one object;
// otherwise as [Root.Put].
func (r *Root) Copy(ctx context.Context, from, to Ref, o *PutOptions) (Ref, Info, error) {
	if err := r.scope.RequireWrite(); err != nil {
		return Ref{}, Info{}, failed("copy", from, err)
	}
	if !r.holds(from) {
		return Ref{}, Info{}, r.outside(ctx, "copy", from)
	}
	if !r.holds(to) {
		return Ref{}, Info{}, r.outside(ctx, "copy to", to)
	}
	var opt PutOptions
	if o != nil {
		opt = *o
	}
	if err := opt.check(); err != nil {
		return Ref{}, Info{}, failed("copy to", to, err)
	}
	if to != to.Unpinned() {
		return Ref{}, Info{}, failed("copy to", to, invalid("a pinned Ref names bytes that are there already"))
	}
	if from.key == to.key {
		return Ref{}, Info{}, failed("copy", from, invalid("onto itself"))
	}
	from, info, err := r.Stat(ctx, from)
	if err != nil {
		return Ref{}, Info{}, fmt.Errorf("object: copy: %w", err)
	}
	if opt.Size > 0 && opt.Size != info.Size {
		return Ref{}, Info{}, failed("copy", from, ErrSize)
	}
	opt.Size = info.Size
	if opt.Type == "" {
		opt.Type = info.Type
	}
	stored, err := r.copy(ctx, from, to, opt)
	if err != nil {
		return Ref{}, Info{}, failed("copy to", to, err)
	}
	return to.pinned(stored), stored, nil
}

func (r *Root) copy(ctx context.Context, from, to Ref, o PutOptions) (Info, error) {
	if c, ok := r.bucket.driver.(Copier); ok {
		by := r.scope
		if from.owner == to.owner {
			by = to.owner
		}
		info, err := c.Copy(ctx, by, r.addr(from), r.addr(to), o)
		if !errors.Is(err, errors.ErrUnsupported) {
			return info, err
		}
	}
	body := &content{ctx: ctx, root: r, ref: from, size: o.Size}
	info, err := r.bucket.driver.Put(ctx, r.addr(to), body, o)
	return info, errors.Join(err, body.Close())
}
