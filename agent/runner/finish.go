package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/jsonobject"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tracking"
)

// finishRun ends the run: it stores the result in a checkpoint, lets the host record it, and writes the last event.
func (a *active) finishRun(res Result, end agent.Done) error {
	if err := a.saveEnd(&res, end); err != nil {
		return err
	}
	if err := a.recordEnd(&res); err != nil {
		return err
	}
	if res.Err != nil {
		a.runner.logFailure(a.runCtx, a.run.ID, res)
	}
	a.runner.logDegraded(a.runCtx, a.run.ID, end)
	a.isEnding.Store(true)
	err := a.finishLog(res)
	if errors.Is(err, replay.ErrTooLarge) || errors.Is(err, replay.ErrInvalid) {
		res.Output = nil // the host has recorded it, and the history has the answer
		err = a.finishLog(res)
	}
	if err == nil {
		a.status = res.Status
	}
	return err
}

// finishLog writes the last event.
func (a *active) finishLog(res Result) error {
	raw, err := encodeEnd(res)
	if err != nil {
		return err
	}
	return a.writeLog(func(ctx context.Context) error { return a.log.Finish(ctx, raw) })
}

// saveEnd stores the result, with turns that only Done has, so that another process ends the run in the same way. A
// complete run needs nothing: its newest checkpoint leads to its end.
func (a *active) saveEnd(res *Result, end agent.Done) error {
	if res.Status == StatusComplete || a.checkpoint.End != nil && a.checkpoint.End.Status == res.Status {
		return nil
	}
	s := checkpointRecord{Checkpoint: a.checkpoint.Checkpoint, End: res}
	if extra := end.History.Turns; len(extra) > a.agentTurns {
		s.Turn, s.Ended, s.State = a.storedTurns+1, extra[a.agentTurns:], findLastState(end)
	}
	err := a.writeCheckpoint(s)
	if err == nil || a.reasonToLeave(err) != nil {
		return err
	}
	*res = newFailure(errors.Join(err, res.Err)) // the turns could not be stored
	return a.writeCheckpoint(checkpointRecord{End: res})
}

// recordTime is how long Host.End is repeated if it fails. A process that loses the table loses the run before.
const recordTime = 30 * time.Second

// recordEnd lets the host record the result. If it cannot, the run fails. If it did not, because another worker has the
// stage, a run that has not failed ends as stopped.
func (a *active) recordEnd(res *Result) error {
	if a.runner.host.End == nil {
		return nil
	}
	var isFenced, isOvertaken bool
	err := a.runner.retryFor(a.runCtx, max(recordTime, a.runner.o.Lease), func(ctx context.Context) error {
		err := callHost(func() error { return a.runner.host.End(ctx, a.run, *res) })
		if errors.Is(err, tracking.ErrFenced) {
			isFenced, isOvertaken = true, a.isOvertaken(err)
			return nil
		}
		return err
	})
	if left := a.reasonToLeave(nil); left != nil {
		return left
	}
	switch {
	case isOvertaken: // the next process records the end
		return errHandover
	case isFenced && (res.Status == StatusComplete || res.Status == StatusPending):
		*res = Result{Status: StatusStopped}
	case err != nil:
		*res = newFailure(fmt.Errorf("runner: record the end: %w", err))
	}
	return nil
}

// endStatus returns the status of the run's last event, which is in the log.
func (a *active) endStatus() (Status, error) {
	if a.status != "" {
		return a.status, nil
	}
	status, err := a.runner.readEnd(a.runCtx, a.session, a.n)
	if errors.Is(err, jsonobject.ErrLost) || errors.Is(err, errForeign) {
		return StatusFailed, nil // the end cannot be read by anybody
	}
	return status, err
}

// readEnd returns the status of the last event of a run, or "" if its log has not ended.
func (r *Runner) readEnd(ctx context.Context, session scope.Scope, n int) (Status, error) {
	last, hasEnded, err := r.logs.End(ctx, session, logName(n))
	if err != nil || !hasEnded {
		return "", err
	}
	return parseStatus(last.Data)
}
