package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools/approval"
)

// Waiting reports whether the newest run of the conversation waits, and returns the ids of the approvals for which it
// waits. They are fewer than its calls if requests have expired or were decided. A new message overtakes the calls.
func (c *Chat) Waiting(ctx context.Context) (approvals []string, isWaiting bool, err error) {
	view, h, err := c.readNewest(ctx)
	if errors.Is(err, ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	session := view.Scope()
	if !h.status.HasEnded() { // but its last event may have been read
		hasEnded, err := c.runner.awaitEnding(ctx, session, view, h.n)
		if err != nil || !hasEnded {
			return nil, false, err
		}
	}
	if approvals, isWaiting, err = c.runner.waitingApprovals(ctx, session, view, h.n); err != nil {
		err = fmt.Errorf("runner: chat: %w", err)
	}
	return approvals, isWaiting, err
}

// waitingApprovals reports whether the n-th run has ended with calls that wait, and returns the approvals for them that
// can be decided.
func (r *Runner) waitingApprovals(
	ctx context.Context, session scope.Scope, view *table.View, n int,
) ([]string, bool, error) {
	h, err := readHead(ctx, view, n)
	if err != nil || h.status != StatusPending {
		return nil, false, err
	}
	calls, err := r.pendingCalls(ctx, session, view, &h)
	if err != nil || r.o.Approvals == nil {
		return nil, true, err
	}
	var ids []string
	o := &approval.ListOptions{Limit: 100}
	for {
		page, err := r.o.Approvals.List(ctx, session, o)
		if err != nil {
			return nil, true, err
		}
		for _, q := range page.Requests {
			if slices.ContainsFunc(calls, func(use agent.ToolUse) bool { return use.ID == q.Call }) {
				ids = append(ids, q.ID)
			}
		}
		if o.Cursor = page.Next; o.Cursor == "" {
			return ids, true, nil
		}
	}
}
