package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/scope/table"
)

// restoreCheckpoint returns the checkpoint from which the run continues, or nil. If the run is taken over,
// restoreCheckpoint fences the checkpoints of the process before. A run whose stored state is lost is not continued,
// but ends: see active.stateErr.
func (a *active) restoreCheckpoint() (*agent.Checkpoint, error) {
	var err error
	if a.run.TakenOver {
		err = a.repeatOperation(a.fenceCheckpoint)
	}
	if err == nil && a.checkpoint.Epoch == 0 {
		err = a.repeatOperation(a.restoreContinued)
	}
	if errors.Is(err, errUnreadable) {
		a.stateErr, err = err, nil
	}
	return a.checkpoint.Checkpoint, err
}

// fenceCheckpoint reads the checkpoint of the run and puts it again, so that the next put of the process before
// conflicts.
func (a *active) fenceCheckpoint(ctx context.Context) error {
	for {
		it, err := a.view.Get(ctx, checkpointName(a.n))
		switch {
		case errors.Is(err, table.ErrNotFound):
			it = table.Item{}
		case err != nil:
			return err
		}
		if epoch, _ := it.Attr[epochAttr].(int64); epoch > a.epoch {
			return errLost
		}
		s, unreadable := a.runner.readCheckpoint(ctx, a.session, a.listRoots(), it)
		if unreadable != nil && !errors.Is(unreadable, errUnreadable) {
			return unreadable
		}
		a.checkpointVersion = it.Version
		err = a.putCheckpointItem(ctx, findStored(it.Attr, dataAttr), 0)
		if errors.Is(err, errLost) {
			continue // the process before has put one more
		}
		if err == nil && s != nil {
			a.checkpoint = *s
		}
		return cmp.Or(err, unreadable)
	}
}

// restoreContinued reads the checkpoint of the run that this one continues, if there is one. The new run has an empty
// log, so Position stays empty. Steps continue from that run's number.
func (a *active) restoreContinued(ctx context.Context) error {
	if a.continues == 0 {
		return nil
	}
	s, err := a.runner.loadCheckpoint(ctx, a.session, a.view, a.listRoots(), a.continues)
	if err == nil && (s == nil || s.Checkpoint == nil) {
		err = fmt.Errorf("%w: run %d does not have a checkpoint", errUnreadable, a.continues)
	}
	if err == nil {
		a.checkpoint = checkpointRecord{Checkpoint: s.Checkpoint, Step: s.Step}
	}
	return err
}
