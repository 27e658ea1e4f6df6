package runner

import (
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/sse"
)

// isLogLost reports whether no process can open the log, which fails with err: so many have tried it.
func (a *active) isLogLost(err error) bool {
	return a.wasTakenOverTooOften() && a.reasonToLeave(err) == nil && !errors.Is(err, errEnded)
}

// wasTakenOverTooOften reports whether too many processes have lost the run since its newest checkpoint.
func (a *active) wasTakenOverTooOften() bool {
	return a.tries-max(a.checkpoint.Tries, 1) > maxTakeovers
}

// endWithoutLog ends a run whose log cannot be opened, because of cause. It does what finishRun does, but for the last
// event.
func (a *active) endWithoutLog(cause error) error {
	res := newFailure(fmt.Errorf("%w: %w", errUnreadable, cause))
	err := callHost(func() error {
		if err := errors.Join(a.writeHistory(a.checkpoint), a.settleLost()); err != nil {
			return err
		}
		_, stop, err := a.holdStage()
		stop()
		return err
	})
	if left := a.reasonToLeave(err); left != nil {
		return left
	}
	res.Err = errors.Join(res.Err, err)
	if err := a.recordEnd(&res); err != nil {
		return err
	}
	a.runner.logError(a.runCtx, "runner: a run failed without a last event", a.run.ID, res.Err)
	a.status = res.Status
	return nil
}

// checkLog returns [sse.ErrExpired] if the run h has failed without a last event, so that readers do not wait for it.
// Other errors are left to the reader of the log.
func (r *Runner) checkLog(ctx context.Context, session scope.Scope, h *head) error {
	if h.status != StatusFailed {
		return nil
	}
	if _, hasEnded, err := r.logs.End(ctx, session, logName(h.n)); err != nil || hasEnded {
		return nil //nolint:nilerr // the reader meets it too
	}
	return fmt.Errorf("runner: the log of the run ends without a last event: %w", sse.ErrExpired)
}
