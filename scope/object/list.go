package object

import (
	"context"
	"fmt"
	"iter"
)

// Listed is what a list says of one object.
type Listed struct {
	Ref  Ref
	Info Info // Size, ETag and Modified
}

// ListAfter is [Root.List] with what the store says of each object, and from
// behind after on, whether or not that is still there; the zero Ref means from
// the start. An after outside the root is ErrNotFound.
func (r *Root) ListAfter(ctx context.Context, after Ref) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		if !after.IsZero() && !r.holds(after) {
			yield(Listed{}, r.outside(ctx, "list", after))
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
				yield(Listed{}, fmt.Errorf("object: list: the driver returned an empty page and says that more follow"))
				return
			}
			for _, e := range page {
				if e.Key <= last {
					yield(Listed{}, fmt.Errorf("object: list: the driver returned %q after %q", e.Key, last))
					return
				}
				last = e.Key
				ref, err := r.entry(e)
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
