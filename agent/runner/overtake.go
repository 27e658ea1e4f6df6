package runner

import (
	"context"
	"errors"

	"github.com/carrel-go/carrel/agent"
)

// notDecided is the result of a call that waited for an approval when the user sent the next message.
const notDecided = "Not decided: the user sent another message instead. The call was not made."

// closeOvertaken adds the turn of the run before to the history, which ends with the calls that wait. It is stored like
// an ended turn of this run: with (a) to (c) of a checkpoint, so that a kill between them is repaired. A turn that
// cannot be read any more is left out.
func (a *active) closeOvertaken(h agent.History) (agent.History, error) {
	var s *checkpointRecord
	err := a.repeatOperation(func(ctx context.Context) (err error) {
		s, err = a.readOvertaken(ctx)
		return err
	})
	if errors.Is(err, errUnreadable) || errors.Is(err, ErrNotFound) {
		a.runner.logError(a.runCtx, "runner: the turn of a run that was overtaken is left out", a.run.ID, err)
		return h, nil
	}
	if err != nil || s.Checkpoint == nil {
		return h, err
	}
	turn, ok := s.Checkpoint.Close(notDecided)
	if !ok {
		return h, nil
	}
	ended := checkpointRecord{Turn: a.storedTurns + 1, Ended: []agent.Turn{turn}, State: s.Checkpoint.State()}
	if err := a.writeCheckpoint(ended); err != nil {
		return h, err
	}
	return a.loadHistory()
}

// readOvertaken returns the checkpoint of the run before.
func (a *active) readOvertaken(ctx context.Context) (*checkpointRecord, error) {
	before, err := readHead(ctx, a.view, a.n-1)
	if err != nil {
		return nil, err
	}
	in, err := a.runner.decodeInput(ctx, a.session, &before)
	if err != nil {
		return nil, err
	}
	s, err := a.runner.loadCheckpoint(ctx, a.session, a.view, a.runner.listRoots(a.session, in.shared), a.n-1)
	if s == nil && err == nil {
		err = ErrNotFound
	}
	return s, err
}
