package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools/approval"
)

// Waiting reports whether the newest run of the conversation waits, and returns the ids of the approvals for which it
// waits. They are fewer than its calls if requests have expired or were decided. A new message overtakes the calls.
func (c *Chat) Waiting(ctx context.Context) (approvals []string, isWaiting bool, err error) {
	session, err := c.find(ctx)
	if errors.Is(err, ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	view, err := c.runner.table.In(session)
	if err != nil {
		return nil, false, fmt.Errorf("runner: chat: %w", err)
	}
	heads, err := listHeads(ctx, view, 1)
	if err != nil {
		return nil, false, fmt.Errorf("runner: chat: %w", err)
	}
	if len(heads) == 0 || heads[0].status != StatusPending {
		return nil, false, nil
	}
	calls, err := c.runner.pendingCalls(ctx, session, view, &heads[0])
	if err != nil || c.runner.o.Approvals == nil {
		return nil, true, err
	}
	o := &approval.ListOptions{Limit: 100}
	for {
		page, err := c.runner.o.Approvals.List(ctx, session, o)
		if err != nil {
			return nil, true, fmt.Errorf("runner: chat: %w", err)
		}
		for _, r := range page.Requests {
			if slices.ContainsFunc(calls, func(use agent.ToolUse) bool { return use.ID == r.Call }) {
				approvals = append(approvals, r.ID)
			}
		}
		if o.Cursor = page.Next; o.Cursor == "" {
			return approvals, true, nil
		}
	}
}
