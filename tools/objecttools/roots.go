package objecttools

import (
	"context"
	"fmt"
	"iter"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// openRoots returns the roots that the call may read: the root of its scope and, if the host passed shared data that
// the scope does not already contain, the root of the shared data.
func (ts *toolset) openRoots(c *tools.Call) ([]*object.Root, error) {
	own, err := ts.bucket.In(c.Scope())
	if err != nil {
		return nil, fmt.Errorf("objecttools: %w", err)
	}
	if c.Shared().Require() != nil || c.Scope().Contains(c.Shared()) {
		return []*object.Root{own}, nil
	}
	shared, err := ts.bucket.In(c.Shared())
	if err != nil {
		return nil, fmt.Errorf("objecttools: %w", err)
	}
	return []*object.Root{own, shared}, nil
}

// listRoots lists the objects of the roots in order. It starts after the object after, unless that is zero.
func listRoots(ctx context.Context, roots []*object.Root, after object.Ref) iter.Seq2[object.Listed, error] {
	return func(yield func(object.Listed, error) bool) {
		for i, root := range roots {
			if !after.IsZero() && !root.Scope().Contains(after.Scope()) && i < len(roots)-1 {
				continue
			}
			for l, err := range root.ListAfter(ctx, after) {
				if !yield(l, err) {
					return
				}
			}
			after = object.Ref{}
		}
	}
}
