package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/sleep"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools"
)

// Get returns a run, or the newest run of a session if id is empty. The scope is the run's session or its user. It
// returns [ErrNotFound] if the scope does not have the run. Once a client has received the last event of the run, its
// status is that of the event.
func (r *Runner) Get(ctx context.Context, sc scope.Scope, id string) (*Run, error) {
	session, h, err := r.readNewest(ctx, sc, id)
	if err != nil {
		return nil, err
	}
	if !h.status.HasEnded() && r.mayEnd(session, h.n) { // HEAD is written after the last event
		status, err := r.readEnd(ctx, session, h.n)
		if err != nil && !errors.Is(err, sse.ErrNotFound) {
			return nil, fmt.Errorf("runner: get: %w", err)
		}
		h.status = cmp.Or(status, h.status)
	}
	return r.describeHead(ctx, session, &h)
}

// mayEnd reports whether the log of a live run may have its last event. That of a run in this process does not before
// it is written.
func (r *Runner) mayEnd(session scope.Scope, n int) bool {
	a := r.findActive(session, n)
	return a == nil || a.isEnding.Load()
}

// readNewest returns the head of a run, or of the newest run of a session if id is empty.
func (r *Runner) readNewest(ctx context.Context, sc scope.Scope, id string) (session scope.Scope, h head, _ error) {
	if id != "" {
		return r.readRun(ctx, sc, id)
	}
	if err := sc.Require(scope.SessionLevel); err != nil {
		return sc, h, fmt.Errorf("runner: get: %w", err)
	}
	view, err := r.table.In(sc)
	if err != nil {
		return sc, h, fmt.Errorf("runner: get: %w", err)
	}
	if h, err = readNewestHead(ctx, view); err != nil && !errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("runner: get: %w", err)
	}
	return sc, h, err
}

func (r *Runner) readRun(ctx context.Context, sc scope.Scope, id string) (scope.Scope, head, error) {
	session, n, err := parseRun(sc, id)
	if err != nil {
		return session, head{}, err
	}
	view, err := r.table.In(session)
	if err != nil {
		return session, head{}, err
	}
	h, err := readHead(ctx, view, n)
	if err != nil && !errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("runner: read: %w", err)
	}
	return session, h, err
}

// Events yields the events of a run, from the first one after the event with the id after, as [replay.Store.Events]
// does. The scope is the run's session or its user. The error is [ErrNotFound] if the scope does not have the run.
func (r *Runner) Events(ctx context.Context, sc scope.Scope, id, after string) iter.Seq2[replay.Event, error] {
	return followLog(ctx, r, sc, id, func(f *logFinder) iter.Seq2[replay.Event, error] {
		return r.logs.Events(ctx, f.session, logName(f.head.n), after)
	})
}

// Follow yields the events of a run as frames of a dialect, as [replay.Store.Follow] does. Otherwise it is
// like Events.
func (r *Runner) Follow(
	ctx context.Context, sc scope.Scope, id, after string, d replay.Dialect,
) iter.Seq2[[]sse.Event, error] {
	return followLog(ctx, r, sc, id, func(f *logFinder) iter.Seq2[[]sse.Event, error] {
		return r.logs.Follow(ctx, f.session, logName(f.head.n), after, d)
	})
}

// Source returns Follow as the source of [sse.Serve]:
//
//	sse.Serve(w, r, runs.Source(user, r.PathValue("run"), replay.Plain()), nil)
func (r *Runner) Source(sc scope.Scope, id string, d replay.Dialect) sse.Source {
	return func(ctx context.Context, after string) iter.Seq2[[]sse.Event, error] {
		return r.Follow(ctx, sc, id, after, d)
	}
}

// followLog reads the log of a run, which may begin to exist a little later than the run.
func followLog[T any](
	ctx context.Context, r *Runner, sc scope.Scope, id string, open func(*logFinder) iter.Seq2[T, error],
) iter.Seq2[T, error] {
	f := logFinder{runner: r, scope: sc, id: id}
	return func(yield func(T, error) bool) {
		f := f.clone()
		err := f.findLog(ctx)
		for err == nil {
			if isMissing := yieldLog(open(f), yield); !isMissing {
				return
			}
			err = f.awaitBeginning(ctx)
		}
		var zero T
		yield(zero, err)
	}
}

// logFinder finds the log of a run. It keeps the frame of followLog small, since a process has many readers.
type logFinder struct {
	runner  *Runner
	scope   scope.Scope
	id      string
	session scope.Scope
	head    head
}

//go:noinline // the copy stays out of the caller's frame
func (f *logFinder) clone() *logFinder {
	c := *f
	return &c
}

// findLog reads the run and waits until a run of this process has opened its log.
func (f *logFinder) findLog(ctx context.Context) (err error) {
	if f.session, f.head, err = f.runner.readRun(ctx, f.scope, f.id); err != nil {
		return err
	}
	if err := f.runner.awaitLog(ctx, f.session, f.head.n); err != nil {
		return err
	}
	return f.runner.checkLog(ctx, f.session, &f.head)
}

// yieldLog passes on a log, and reports whether it does not exist.
func yieldLog[T any](log iter.Seq2[T, error], yield func(T, error) bool) (isMissing bool) {
	for v, err := range log {
		if errors.Is(err, sse.ErrNotFound) {
			return true
		}
		if !yield(v, err) {
			break
		}
	}
	return false
}

// awaitBeginning waits a moment for the log of the run, and finds it again. If the run had ended before, its log has
// expired.
func (f *logFinder) awaitBeginning(ctx context.Context) error {
	if f.head.status.HasEnded() {
		return fmt.Errorf("runner: the log of the run: %w", sse.ErrExpired)
	}
	if err := sleep.For(ctx, time.Second/4); err != nil {
		return err
	}
	return f.findLog(ctx)
}

// awaitLog waits until a run of this process has opened its log.
func (r *Runner) awaitLog(ctx context.Context, session scope.Scope, n int) error {
	a := r.findActive(session, n)
	if a == nil {
		return nil
	}
	return awaitClosed(ctx, a.opened)
}

// awaitClosed waits until c is closed. It returns the cause if ctx ends first.
func awaitClosed(ctx context.Context, c <-chan struct{}) error {
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Wait waits until the run has left this process: it has ended, or was handed over. It returns at once if this process
// does not have it. See [Runner.WaitAll].
func (r *Runner) Wait(ctx context.Context, sc scope.Scope, id string) error {
	session, n, err := parseRun(sc, id)
	if err != nil {
		return err
	}
	a := r.findActive(session, n)
	if a == nil {
		return nil
	}
	return awaitClosed(ctx, a.done)
}

// Stop asks a run to stop. Its process notices that within a heartbeat, and the run ends with the outcome stopped. A
// run that has ended stays as it is. Stop returns [ErrNotFound] if the scope does not have the run.
func (r *Runner) Stop(ctx context.Context, sc scope.Scope, id string) error {
	session, h, err := r.readRun(ctx, sc, id)
	if err != nil {
		return err
	}
	if err := r.requestStop(ctx, session, h); err != nil {
		return fmt.Errorf("runner: stop: %w", err)
	}
	if a := r.findActive(session, h.n); a != nil {
		a.stopRun()
	}
	return nil
}

// ToolResult returns the whole result of a call of a run, which the log has without its output if that is large. It is
// stored when all calls of the same answer have ended or wait for an approval. Objects in it are unresolved. It returns
// [ErrNotFound] if the scope does not have the run, if the run does not have the result, or if the result is older than
// the newest 2,000 turns of the session.
func (r *Runner) ToolResult(ctx context.Context, sc scope.Scope, id, call string) (tools.Result, error) {
	session, h, err := r.readRun(ctx, sc, id)
	if err != nil {
		return tools.Result{}, err
	}
	if !h.status.HasEnded() || h.status == StatusPending {
		if res, ok, err := r.findInCheckpoint(ctx, session, h.n, call); err != nil || ok {
			return res, err
		}
	}
	return r.findInHistory(ctx, session, call)
}

// findInCheckpoint returns the result of a call in the checkpoint of a run, whose turn may not be in the history yet.
func (r *Runner) findInCheckpoint(
	ctx context.Context, session scope.Scope, n int, call string,
) (res tools.Result, ok bool, _ error) {
	view, err := r.table.In(session)
	if err != nil {
		return res, false, fmt.Errorf("runner: result: %w", err)
	}
	s, err := r.loadCheckpoint(ctx, session, view, nil, n)
	if err != nil {
		return res, false, fmt.Errorf("runner: result: %w", err)
	}
	if s == nil {
		return res, false, nil
	}
	for _, t := range s.Ended {
		if res, ok := findResult(t, call); ok {
			return res, true, nil
		}
	}
	if s.Checkpoint != nil {
		res, ok = s.Checkpoint.Result(call)
	}
	return res, ok, nil
}

// findInHistory returns the result of a call in the newest turns of the session.
func (r *Runner) findInHistory(ctx context.Context, session scope.Scope, call string) (tools.Result, error) {
	for cursor, pages := "", 0; pages < maxPages; pages++ {
		page, err := r.turns.Page(ctx, session, cursor, 50)
		if err != nil {
			return tools.Result{}, fmt.Errorf("runner: result: %w", err)
		}
		for _, t := range page.Turns {
			if res, ok := findResult(t.Turn, call); ok {
				return res, nil
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	return tools.Result{}, ErrNotFound
}

// maxPages bounds the turns in which a result is looked for.
const maxPages = 40

func findResult(t agent.Turn, call string) (tools.Result, bool) {
	for _, m := range t.Messages {
		for _, p := range m.Parts {
			if p.Result != nil && p.Result.ID == call {
				return p.Result.Result, true
			}
		}
	}
	return tools.Result{}, false
}
