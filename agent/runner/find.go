package runner

import (
	"context"
	"fmt"
)

// Find returns the run that [Runner.Start] would return because an earlier request had the same key. It returns
// [ErrNotFound] if no earlier request had the key, and [ErrKeyReused] if that request was another one. It starts
// nothing, so a caller can answer a repeated request before it checks whether a new run may start.
func (r *Runner) Find(ctx context.Context, q Request) (*Run, error) {
	raw, err := q.encodeRequest()
	if err != nil {
		return nil, fmt.Errorf("runner: find: %w", err)
	}
	view, err := r.table.In(q.Scope)
	if err != nil {
		return nil, fmt.Errorf("runner: find: %w", err)
	}
	heads, err := listHeads(ctx, view, lookback)
	if err != nil {
		return nil, fmt.Errorf("runner: find: %w", err)
	}
	s := newRun{key: digestText([]byte(q.Key)), body: digestText(raw)}
	for _, h := range heads {
		if run, err := r.matchKey(ctx, q.Scope, &h, s); run != nil || err != nil {
			return run, err
		}
	}
	return nil, ErrNotFound
}
