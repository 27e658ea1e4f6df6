package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools/approval"
)

// Decide records a decision on a call for which a run waits, and starts the run that continues it: a new run of the
// session, whose Continues is set. It makes the call if it was approved, and its events are the result and the rest of the answer.
// If the run has not ended yet, Decide waits for its end, because other calls of the same answer may be in flight.
//
// Decide may be repeated: the run is continued once, and Decide returns the run that continues it. The scope is the
// run's session or its user. Decide returns [ErrNotFound] for an unknown run, [ErrNotPending] if a new message has
// overtaken the call, and otherwise the errors of [approval.Approvals.Decide].
func (r *Runner) Decide(ctx context.Context, sc scope.Scope, id, approvalID string, d approval.Decision) (*Run, error) {
	if r.o.Approvals == nil {
		return nil, fmt.Errorf("%w: Options.Approvals must not be nil", ErrInvalid)
	}
	session, h, err := r.read(ctx, sc, id)
	if err != nil {
		return nil, err
	}
	request, err := r.o.Approvals.Decide(ctx, session, approvalID, d)
	if err != nil {
		return nil, fmt.Errorf("runner: decide: %w", err)
	}
	view, err := r.table.In(session)
	if err != nil {
		return nil, err
	}
	for {
		newest, err := r.awaitNewest(ctx, session, view, h.n)
		if err != nil {
			return nil, err
		}
		waits, err := r.isPending(ctx, session, view, newest, request.Call)
		switch {
		case err != nil:
			return nil, fmt.Errorf("runner: decide: %w", err)
		case !waits && newest.n == h.n:
			return nil, ErrNotPending
		case !waits:
			return r.describe(ctx, session, newest)
		}
		run, err := r.resume(ctx, session, newest, decided{request.ID, d.Approve, d.Reason})
		if _, overtaken := errors.AsType[*RunningError](err); !overtaken {
			return run, err
		}
	}
}

// awaitNewest returns the newest run of the session when it has ended. It returns [ErrNotPending] unless that is the n-th
// run or continues it.
func (r *Runner) awaitNewest(ctx context.Context, session scope.Scope, view *table.View, n int) (*head, error) {
	for {
		heads, err := listHeads(ctx, view, lookback)
		if err != nil {
			return nil, fmt.Errorf("runner: decide: %w", err)
		}
		switch {
		case !continues(heads, n):
			return nil, ErrNotPending
		case heads[0].status.HasEnded():
			return &heads[0], nil
		}
		if err := r.Wait(ctx, session, runID(session, heads[0].n)); err != nil {
			return nil, err
		}
		if err := sleep(ctx, time.Second/10); err != nil {
			return nil, err
		}
	}
}

// continues reports whether the first of the heads is the n-th run, or continues it directly or through others.
func continues(heads []head, n int) bool {
	if len(heads) == 0 {
		return false
	}
	next := heads[0].n
	for _, h := range heads {
		switch {
		case h.n == n:
			return true
		case h.n != next || h.continues == 0:
			return false
		}
		next = h.continues
	}
	return false
}

// isPending reports whether the run has ended and waits for an approval of the call.
func (r *Runner) isPending(ctx context.Context, session scope.Scope, view *table.View, h *head, call string) (bool, error) {
	if h.status != StatusPending {
		return false, nil
	}
	it, err := view.Get(ctx, checkpointName(h.n))
	if err != nil {
		return false, err
	}
	s, err := r.readSaved(ctx, session, nil, it)
	if err != nil || s == nil || s.Checkpoint == nil {
		return false, err
	}
	return slices.ContainsFunc(s.Checkpoint.Pending(), func(use agent.ToolUse) bool { return use.ID == call }), nil
}

// resume starts the run that continues a pending one.
func (r *Runner) resume(ctx context.Context, session scope.Scope, h *head, d decided) (*Run, error) {
	before, err := r.decodeInput(ctx, session, h)
	if err != nil {
		return nil, fmt.Errorf("runner: decide: %w", err)
	}
	raw, err := json.Marshal(input{Agent: before.Agent, Shared: before.Shared, Decision: &d})
	if err != nil {
		return nil, err
	}
	return r.start(ctx, session, newRun{input: raw, body: digest(raw), continues: h.n})
}
