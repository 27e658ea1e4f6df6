package runner

import (
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/scope/table"
)

// restore returns the checkpoint from which the run continues, or nil. If the run is taken over, restore fences the
// checkpoints of the process before.
func (a *active) restore() (*agent.Checkpoint, error) {
	if a.run.TakenOver {
		if err := a.store(a.fence); err != nil {
			return nil, err
		}
	}
	if a.saved.Epoch == 0 {
		if err := a.store(a.restoreContinued); err != nil {
			return nil, err
		}
	}
	return a.saved.Checkpoint, nil
}

// fence reads the checkpoint of the run and puts it again, so that the next put of the process before conflicts.
func (a *active) fence(ctx context.Context) error {
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
		s, err := a.runner.readSaved(ctx, a.session, a.roots(), it)
		if err != nil {
			return err
		}
		a.savedAt = it.Version
		err = a.putItem(ctx, loadText(it.Attr, dataAttr), 0)
		if errors.Is(err, errLost) {
			continue // the process before has put one more
		}
		if err == nil && s != nil {
			a.saved = *s
		}
		return err
	}
}

// restoreContinued reads the checkpoint of the run that this one continues, if there is one. This run tells everything
// itself, so it has told nothing at that checkpoint. It counts on from that one's step.
func (a *active) restoreContinued(ctx context.Context) error {
	if a.before == 0 {
		return nil
	}
	it, err := a.view.Get(ctx, checkpointName(a.before))
	if err != nil {
		return err
	}
	s, err := a.runner.readSaved(ctx, a.session, a.roots(), it)
	if err == nil && (s == nil || s.Checkpoint == nil) {
		err = fmt.Errorf("%w: %q does not have a checkpoint", errForeign, it.Sort)
	}
	if err == nil {
		a.saved = saved{Checkpoint: s.Checkpoint, Step: s.Step}
	}
	return err
}
