package objecttools

import (
	"context"
	"fmt"
	"iter"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// roots returns what the call may read: its scope, and the data that its tenant shares if the host has given that to
// the run and the scope does not contain it anyway.
func (d *desk) roots(c *tools.Call) ([]*object.Root, error) {
	own, err := d.bucket.In(c.Scope())
	if err != nil {
		return nil, fmt.Errorf("objecttools: %w", err)
	}
	if c.Shared().Require() != nil || c.Scope().Contains(c.Shared()) {
		return []*object.Root{own}, nil
	}
	shared, err := d.bucket.In(c.Shared())
	if err != nil {
		return nil, fmt.Errorf("objecttools: %w", err)
	}
	return []*object.Root{own, shared}, nil
}

// listAfter lists the roots one after the other, from behind after on; from the start if it is zero.
func listAfter(ctx context.Context, roots []*object.Root, after object.Ref) iter.Seq2[object.Listed, error] {
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
