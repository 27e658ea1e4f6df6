package object

import (
	"context"
	"fmt"
	"iter"

	"github.com/carrel-go/carrel/scope"
)

// Listed is one object in the list of [Root.ListAfter].
type Listed struct {
	Ref  Ref
	Info Info // Size, ETag and Modified
}

// ListAfter is [Root.List] with the Info of each object, starting behind after,
// which need not exist. The zero Ref starts at the beginning. It yields
// ErrNotFound if after is outside the root.
func (r *Root) ListAfter(ctx context.Context, after Ref) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		if !after.IsZero() && !r.holds(after) {
			yield(Listed{}, r.rejectOutside(ctx, "list", after))
			return
		}
		if r.bucket == nil {
			yield(Listed{}, fmt.Errorf("object: list: %w", scope.ErrDenied))
			return
		}
		last, more := after.key, true
		for more {
			var page []Entry
			var err error
			page, more, err = r.bucket.driver.List(ctx, r.scope, last, r.bucket.page)
			if err != nil {
				yield(Listed{}, fmt.Errorf("object: list: %w", err))
				return
			}
			if more && len(page) == 0 {
				yield(Listed{}, fmt.Errorf("object: list: the driver returned an empty page and more to follow"))
				return
			}
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
