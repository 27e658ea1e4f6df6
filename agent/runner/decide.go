package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/sleep"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools/approval"
)

// Decide records a decision on a call for which a run waits, and starts the run that continues it: a new run of the
// session, whose Continues is set. It makes the call if it was approved, and its events are the result and the rest of
// the answer.
// If the run has not ended yet, because other calls of the same answer are in flight, Decide waits for its end until
// ctx ends, for up to 30 seconds. Then it returns a *[RunningError]: the decision is recorded, and Decide must be
// repeated to continue the run.
//
// Decide may be repeated: the run is continued once, and Decide returns the run that continues it. The scope is the
// run's session or its user. Decide returns [ErrNotFound] for an unknown run, [ErrNotPending] if a new message has
// overtaken the call or the call belongs to another run, and otherwise the errors of [approval.Approvals.Decide].
func (r *Runner) Decide(ctx context.Context, sc scope.Scope, id, approvalID string, d approval.Decision) (*Run, error) {
	return r.DecideAll(ctx, sc, id, d.By, agent.Decision{Approval: approvalID, Approved: d.Approve, Reason: d.Reason})
}

// DecideAll is Decide for several calls that wait, so that one run makes them all. by names the person, see
// [approval.Decision]. If one of the requests for an approval does not exist or has the opposite decision, none is
// decided.
func (r *Runner) DecideAll(ctx context.Context, sc scope.Scope, id, by string, ds ...agent.Decision) (*Run, error) {
	if len(ds) == 0 {
		return nil, fmt.Errorf("runner: decide: %w: there must be a decision", ErrInvalid)
	}
	session, h, err := r.readRun(ctx, sc, id)
	if err != nil {
		return nil, err
	}
	view, err := r.table.In(session)
	if err != nil {
		return nil, err
	}
	calls, err := r.readRequested(ctx, session, ds)
	if err == nil {
		err = r.checkRequested(ctx, session, view, h.n, calls)
	}
	if err == nil {
		err = r.recordDecisions(ctx, session, by, ds)
	}
	if errors.Is(err, ErrNotPending) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("runner: decide: %w", err)
	}
	decisions := make([]decision, 0, len(ds))
	for _, d := range ds {
		decisions = append(decisions, decision(d))
	}
	for {
		newest, err := r.awaitNewest(ctx, session, view, h.n, decisions)
		if err != nil {
			return nil, err
		}
		waits, err := r.isPending(ctx, session, view, newest, calls)
		switch {
		case err != nil:
			return nil, fmt.Errorf("runner: decide: %w", err)
		case !waits && newest.n == h.n:
			return nil, ErrNotPending
		case !waits:
			return r.describeHead(ctx, session, newest)
		}
		run, err := r.resumeRun(ctx, session, newest, decisions)
		if _, overtaken := errors.AsType[*RunningError](err); !overtaken {
			return run, err
		}
	}
}

// readRequested returns the ids of the calls for which the approvals were requested. Of several decisions, none may be
// the opposite of one that was made before.
func (r *Runner) readRequested(
	ctx context.Context, session scope.Scope, ds []agent.Decision,
) (calls []string, _ error) {
	for _, d := range ds {
		request, err := r.o.Approvals.Get(ctx, session, d.Approval)
		if err != nil {
			return nil, err
		}
		hasDecision := request.Status != approval.StatusPending
		if len(ds) > 1 && hasDecision && d.Approved != (request.Status == approval.StatusApproved) {
			return nil, approval.ErrDecided
		}
		calls = append(calls, request.Call)
	}
	return calls, nil
}

// checkRequested returns [ErrNotPending] unless the n-th run, or one that continues it, waits or has waited for an
// approval of each of the calls. Without this check the decision on a call that was overtaken before the n-th run began
// would be recorded, and would look as if the run that continues the n-th one made that call.
func (r *Runner) checkRequested(
	ctx context.Context, session scope.Scope, view *table.View, n int, calls []string,
) error {
	heads, err := listHeads(ctx, view, lookback)
	if err != nil {
		return err
	}
	if !continuesRun(heads, n) {
		return ErrNotPending
	}
	missing := slices.Clone(calls)
	for _, h := range heads {
		uses, hasCheckpoint, err := r.openCalls(ctx, session, view, &h)
		if err != nil {
			return err
		}
		missing = slices.DeleteFunc(missing, func(call string) bool { return hasCall(uses, call) })
		switch {
		case len(missing) == 0:
			return nil
		case h.continues == 0, h.n <= n && hasCheckpoint: // a run without one still has the calls of the run before
			return ErrNotPending
		}
	}
	return ErrNotPending
}

func hasCall(uses []agent.ToolUse, call string) bool {
	return slices.ContainsFunc(uses, func(use agent.ToolUse) bool { return use.ID == call })
}

func (r *Runner) recordDecisions(ctx context.Context, session scope.Scope, by string, ds []agent.Decision) error {
	for _, d := range ds {
		decision := approval.Decision{Approve: d.Approved, By: by, Reason: d.Reason}
		if _, err := r.o.Approvals.Decide(ctx, session, d.Approval, decision); err != nil {
			return err
		}
	}
	return nil
}

// maxDecideWait is how long DecideAll waits for the end of a run.
const maxDecideWait = 30 * time.Second

// awaitNewest returns the newest run of the session when it has ended, or at once if it was started for the same
// decisions. It returns [ErrNotPending] unless it is the n-th run or continues it, and a *[RunningError] if it has not
// ended after maxDecideWait.
func (r *Runner) awaitNewest(
	ctx context.Context, session scope.Scope, view *table.View, n int, ds []decision,
) (*head, error) {
	deadline := time.Now().Add(maxDecideWait)
	for try, pause := 0, 50*time.Millisecond; ; try, pause = try+1, min(2*pause, 2*time.Second) {
		heads, err := listHeads(ctx, view, lookback)
		if err != nil {
			return nil, fmt.Errorf("runner: decide: %w", err)
		}
		switch {
		case !continuesRun(heads, n):
			return nil, ErrNotPending
		case heads[0].status.HasEnded():
			return &heads[0], nil
		}
		newest := heads[0]
		if newest.n != n {
			in, err := r.decodeInput(ctx, session, &newest)
			if err != nil {
				return nil, fmt.Errorf("runner: decide: %w", err)
			}
			if slices.Equal(in.Decisions, ds) {
				return &newest, nil
			}
		}
		if time.Now().After(deadline) {
			return nil, &RunningError{runID(session, newest.n)}
		}
		wait, cancel := context.WithDeadline(ctx, deadline)
		_ = r.Wait(wait, session, runID(session, newest.n)) // HEAD is read again whatever ended the wait
		cancel()
		if try%2 == 1 { // the process that has written the last event may have died before it wrote HEAD
			_, err = r.takeOverEnded(ctx, session, view, newest)
		}
		if err == nil {
			err = sleep.For(ctx, pause)
		}
		if err != nil {
			return nil, fmt.Errorf("runner: decide: %w", err)
		}
	}
}

// continuesRun reports whether the first of the heads is the n-th run, or continues it directly or through others.
func continuesRun(heads []head, n int) bool {
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

// isPending reports whether the run has ended and waits for an approval of one of the calls.
func (r *Runner) isPending(
	ctx context.Context, session scope.Scope, view *table.View, h *head, calls []string,
) (bool, error) {
	pending, err := r.pendingCalls(ctx, session, view, h)
	return slices.ContainsFunc(calls, func(call string) bool { return hasCall(pending, call) }), err
}

// pendingCalls returns the calls that wait if the run has ended with them.
func (r *Runner) pendingCalls(
	ctx context.Context, session scope.Scope, view *table.View, h *head,
) ([]agent.ToolUse, error) {
	if h.status != StatusPending {
		return nil, nil
	}
	uses, _, err := r.openCalls(ctx, session, view, h)
	return uses, err
}

// openCalls returns the calls of the run's newest checkpoint that have not been made, unless the run has ended without
// them, and whether there is a checkpoint.
func (r *Runner) openCalls(
	ctx context.Context, session scope.Scope, view *table.View, h *head,
) (_ []agent.ToolUse, hasCheckpoint bool, _ error) {
	if h.status.HasEnded() && h.status != StatusPending {
		return nil, true, nil
	}
	s, err := r.loadCheckpoint(ctx, session, view, nil, h.n)
	if err != nil || s == nil || s.Checkpoint == nil {
		return nil, false, err
	}
	return s.Checkpoint.Pending(), true, nil
}

// resumeRun starts the run that continues a pending one.
func (r *Runner) resumeRun(ctx context.Context, session scope.Scope, h *head, ds []decision) (*Run, error) {
	before, err := r.decodeInput(ctx, session, h)
	if err != nil {
		return nil, fmt.Errorf("runner: decide: %w", err)
	}
	raw, err := json.Marshal(input{Agent: before.Agent, Media: before.Media, Shared: before.Shared, Decisions: ds})
	if err != nil {
		return nil, err
	}
	return r.startRun(ctx, session, newRun{input: raw, body: digestText(raw), continues: h.n})
}
