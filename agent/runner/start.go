package runner

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/sleep"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// Start begins a run and returns. The run continues when ctx ends. Of concurrent calls for a session one begins a run,
// and the others return a *[RunningError].
//
// If one of the last 20 runs of the session has the same key, Start returns it for the same request, whether it has
// ended or not, and [ErrKeyReused] for another one. Start returns a *[admission.FullError] if the run must not be
// started now.
//
// [admission.FullError]: https://pkg.go.dev/github.com/carrel-go/carrel/admission#FullError
func (r *Runner) Start(ctx context.Context, q Request) (*Run, error) {
	return r.startRequest(ctx, q, false)
}

func (r *Runner) startRequest(ctx context.Context, q Request, isStrict bool) (*Run, error) {
	raw, err := q.encodeRequest()
	if err != nil {
		return nil, fmt.Errorf("runner: start: %w", err)
	}
	if q.Prompt == "" && len(q.Media) == 0 && r.host.Prompt == nil {
		return nil, fmt.Errorf("runner: start: %w: Prompt and Media must not both be empty", ErrInvalid)
	}
	return r.startRun(ctx, q.Scope, newRun{
		input: raw, key: digestText([]byte(q.Key)), body: digestText(raw), isStrict: isStrict,
	})
}

// newRun is a run that may be started.
type newRun struct {
	input     []byte
	key, body string // digests
	continues int
	overtakes bool
	isStrict  bool // it does not overtake calls that wait, see [Conversation].Strict
}

func (r *Runner) startRun(ctx context.Context, session scope.Scope, s newRun) (*Run, error) {
	view, err := r.table.In(session)
	if err != nil {
		return nil, fmt.Errorf("runner: start: %w", err)
	}
	limit := 1
	if s.key != "" {
		limit = lookback
	}
	heads, err := listHeads(ctx, view, limit)
	if err != nil {
		return nil, fmt.Errorf("runner: start: %w", err)
	}
	n := 1
	if len(heads) > 0 {
		n = heads[0].n + 1
	}
	if s.continues > 0 && s.continues != n-1 {
		return nil, &RunningError{runID(session, n-1)}
	}
	for _, h := range heads {
		if run, err := r.matchKey(ctx, session, &h, s); run != nil || err != nil {
			return run, err
		}
	}
	if len(heads) > 0 {
		isPending, err := r.checkBefore(ctx, session, view, &heads[0], s.isStrict)
		if err != nil {
			return nil, err
		}
		s.overtakes = isPending && s.continues == 0
	}
	return r.beginRun(ctx, session, view, n, s)
}

// checkBefore returns an error unless the newest run of the session allows another one. It reports whether that run
// waits for approvals.
func (r *Runner) checkBefore(
	ctx context.Context, session scope.Scope, view *table.View, h *head, isStrict bool,
) (isPending bool, _ error) {
	status := h.status
	if !status.HasEnded() {
		hasEnded, err := r.awaitEnding(ctx, session, view, h.n)
		if err != nil {
			return false, fmt.Errorf("runner: start: %w", err)
		}
		if !hasEnded {
			return false, &RunningError{runID(session, h.n)}
		}
		ended, err := readHead(ctx, view, h.n)
		if err != nil {
			return false, fmt.Errorf("runner: start: %w", err)
		}
		status = ended.status
	}
	if isStrict {
		if waiting, _, err := r.waitingApprovals(ctx, session, view, h.n); err != nil || len(waiting) > 0 {
			return false, fmt.Errorf("runner: start: %w", cmp.Or(err, agent.ErrWaiting))
		}
	}
	return status == StatusPending, nil
}

// matchKey returns the run if it was started with the same idempotency key.
func (r *Runner) matchKey(ctx context.Context, session scope.Scope, h *head, s newRun) (*Run, error) {
	switch {
	case s.key == "" || h.key != s.key:
		return nil, nil
	case h.body != s.body:
		return nil, ErrKeyReused
	}
	return r.describeHead(ctx, session, h)
}

// endingPoll is the time after which HEAD of a run that may be about to end is read again. endingPolls is how often if
// its log has not ended, and longEndingPolls if it has.
const (
	endingPolls     = 4
	longEndingPolls = 40
	endingPoll      = 75 * time.Millisecond
)

// awaitEnding reports whether a run has ended. A client may have seen the last event of a run whose HEAD says that it
// has not, so awaitEnding waits for a run of this process whose log has ended, and otherwise reads HEAD a few times. If
// the log has ended and HEAD still has not, awaitEnding takes the run over without waiting for its lease.
func (r *Runner) awaitEnding(ctx context.Context, session scope.Scope, view *table.View, n int) (bool, error) {
	for i := range longEndingPolls {
		if mayEnd, err := r.awaitActive(ctx, session, n); err != nil || !mayEnd {
			return false, err
		}
		h, err := readHead(ctx, view, n) // another process may have it, or it has just left this one
		if err != nil || h.status.HasEnded() {
			return err == nil, err
		}
		if i == endingPolls {
			if hasEnded, err := r.takeOverEnded(ctx, session, view, h); err != nil || !hasEnded {
				return false, err
			}
		}
		if err := sleep.For(ctx, endingPoll); err != nil {
			return false, err
		}
	}
	return false, nil
}

// takeOverEnded reports whether the log of a run has its last event although HEAD does not say so, and takes such a run
// over without waiting for its lease. This process may have just done that.
func (r *Runner) takeOverEnded(
	ctx context.Context, session scope.Scope, view *table.View, h head,
) (hasEnded bool, _ error) {
	if !r.hasLogEnded(ctx, session, h.n) {
		return false, nil
	}
	if h.owner == r.id {
		return true, nil
	}
	return true, r.takeOverRun(ctx, session, view, h)
}

// awaitActive waits until a run has left this process. It returns false at once if the run is here and has not written
// its last event.
func (r *Runner) awaitActive(ctx context.Context, session scope.Scope, n int) (bool, error) {
	a := r.findActive(session, n)
	if a == nil {
		return true, nil
	}
	if !a.isEnding.Load() && !r.hasLogEnded(ctx, session, n) {
		return false, nil
	}
	err := awaitClosed(ctx, a.done)
	return err == nil, err
}

// hasLogEnded reports whether the log of a run has its last event, as far as it can be read.
func (r *Runner) hasLogEnded(ctx context.Context, session scope.Scope, n int) bool {
	status, err := r.readEnd(ctx, session, n)
	return err == nil && status != ""
}

// beginRun puts HEAD with Absent, which decides between concurrent starts, and launches the run.
func (r *Runner) beginRun(ctx context.Context, session scope.Scope, view *table.View, n int, s newRun) (*Run, error) {
	if n > maxRun {
		return nil, fmt.Errorf("%w: the session has %d runs", ErrInvalid, maxRun)
	}
	if err := r.reserveRun(); err != nil {
		return nil, err
	}
	h := head{
		n: n, status: StatusRunning, key: s.key, body: s.body, nonce: rand.Text(), claim: rand.Text(), epoch: 1, owner: r.id,
		lease: time.Now().Add(r.o.Lease), continues: s.continues, overtakes: s.overtakes,
	}
	a := newActive(context.WithoutCancel(ctx), r, session, view, h)
	current, err := a.createHead(ctx, s.input)
	if err == nil && current == nil {
		run := *a.run // before the goroutine changes it
		if r.launchRun(a) {
			return &run, nil
		}
	}
	a.cancelRun(errLost)
	r.unreserveRun()
	if err == nil && (current == nil || current.nonce == h.nonce) { // it was taken over before the table answered
		return a.run, nil
	}
	a.leavePlace(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	if run, err := r.matchKey(ctx, session, current, s); run != nil || err != nil {
		return run, err
	}
	return nil, &RunningError{runID(session, n)}
}

// createHead enters the run and puts its HEAD. If another run has the number, or another process has taken this one
// over, createHead returns that HEAD.
func (a *active) createHead(ctx context.Context, raw []byte) (*head, error) {
	var err error
	if a.input, err = a.runner.parseInput(a.session, raw); err != nil {
		return nil, wrapStart(err)
	}
	a.run = a.head.describeRun(a.session, a.input)
	if err := a.takePlace(ctx); err != nil {
		return nil, err
	}
	if a.countTry(); a.isQueued() {
		a.head.status, a.run.Status = StatusQueued, StatusQueued
	}
	var current *head
	err = a.runner.retryOperation(ctx, func(ctx context.Context) error {
		var err error
		if a.head.input, err = a.runner.storeJSON(ctx, a.session, raw, maxInput); err != nil {
			return err
		}
		it, err := a.view.Put(ctx, a.head.encodeItem(a.session, a.runner.o.Retention), table.Absent())
		conflict, taken := errors.AsType[*table.ConflictError](err)
		if !taken || conflict.Current == nil {
			a.head.version = it.Version
			return err
		}
		h, err := parseHead(*conflict.Current)
		if err != nil {
			return err
		}
		if h.claim == a.head.claim { // an earlier try, whose answer was lost
			a.head = h
			return nil
		}
		current = &h
		return nil
	})
	return current, wrapStart(err)
}

func wrapStart(err error) error {
	if err != nil {
		return fmt.Errorf("runner: start: %w", err)
	}
	return nil
}

// describeHead returns the description of a stored run.
func (r *Runner) describeHead(ctx context.Context, session scope.Scope, h *head) (*Run, error) {
	in, err := r.decodeInput(ctx, session, h)
	if err != nil {
		return nil, fmt.Errorf("runner: read: %w", err)
	}
	return h.describeRun(session, in), nil
}
