package object

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/carrel-go/carrel/scope"
)

// Listed is one object in the list of [Root.ListAfter].
type Listed struct {
	Ref  Ref
	Info Info // Size, ETag and Modified
}

// ListAfter is [Root.List] with the Info of each object. It starts with the first key
// after that of after, which need not exist. The zero Ref starts at the beginning. It yields
// ErrNotFound if after is outside the root.
func (r *Root) ListAfter(ctx context.Context, after Ref) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		if !after.IsZero() && !r.containsRef(after) {
			yield(Listed{}, r.rejectOutside(ctx, "list", after))
			return
		}
		last, more := after.key, true
		for more {
			page, follow, err := r.bucket.fetchPage(ctx, r.scope, last)
			if err != nil {
				yield(Listed{}, fmt.Errorf("object: list: %w", err))
				return
			}
			more = follow
			for _, e := range page {
				if e.Key <= last {
					yield(Listed{}, fmt.Errorf("object: list: the driver returned %q after %q", e.Key, last))
					return
				}
				last = e.Key
				ref, err := r.parseEntry(e)
				l := Listed{Ref: ref, Info: e.Info}
				if err != nil {
					l = Listed{}
				}
				if !yield(l, err) {
					return
				}
			}
		}
	}
}

// fetchPage returns the keys of s that follow after, and whether there are more.
func (b *Bucket) fetchPage(ctx context.Context, s scope.Scope, after string) ([]Entry, bool, error) {
	if b == nil { // of the zero Root
		return nil, false, scope.ErrDenied
	}
	page, more, err := b.driver.List(ctx, s, after, b.page)
	if err == nil && more && len(page) == 0 {
		err = errors.New("the driver returned an empty page and more to follow")
	}
	return page, more, err
}
