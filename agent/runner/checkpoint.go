package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
)

// The attributes of a checkpoint's item.
const (
	seqAttr  = "seq"  // of the checkpoint in its epoch
	dataAttr = "data" // JSON of a checkpointRecord
)

func checkpointName(n int) string { return fmt.Sprintf("checkpoint#%08d", n) }

// checkpointRecord is the content of a checkpoint. It holds what is then written to the history, so that another
// process can write it again.
type checkpointRecord struct {
	// Epoch is that of HEAD when the checkpoint was stored.
	Epoch int64 `json:"epoch"`
	// Tries is that of HEAD when the checkpoint was stored.
	Tries int64 `json:"tries,omitempty"`
	// Position is the id of the last event before the checkpoint. A process that resumes from here retracts the events
	// after it, and all events if it is empty.
	Position   string            `json:"position,omitempty"`
	Checkpoint *agent.Checkpoint `json:"checkpoint,omitempty"`
	// Turn is the number of the first ended turn, and State the tools' memory after the last one.
	Turn       int          `json:"turn,omitempty"`
	Ended      []agent.Turn `json:"ended,omitempty"`
	State      *tools.State `json:"state,omitempty"`
	Compaction *compaction  `json:"compaction,omitempty"`
	// Step is the newest step.
	Step int `json:"step,omitempty"`
	// End is set if the run has ended and only its last event is missing. A complete run does not have it: its Checkpoint
	// leads to the same end.
	End *Result `json:"end,omitempty"`
}

// compaction replaces the turns up to Through for the model.
type compaction struct {
	Number  int          `json:"number"`
	Through int          `json:"through"`
	Turns   []agent.Turn `json:"turns"`
	State   *tools.State `json:"state,omitempty"`
}

// storeCheckpoint stores a moment of the agent's run: (a) the log up to it, (b) the checkpoint, (c) the history.
func (a *active) storeCheckpoint(c agent.Checkpointed) error {
	s := checkpointRecord{Checkpoint: c.Checkpoint}
	if a.hasCompaction {
		s.Compaction = &compaction{
			Number: a.newestCompaction + 1, Through: a.storedTurns, Turns: a.compactedTurns, State: c.State(),
		}
	}
	if c.Ended != nil {
		s.Turn, s.Ended, s.State = a.storedTurns+1, []agent.Turn{*c.Ended}, c.State()
	}
	if a.isWaiting(c) {
		s.End = &Result{Status: StatusPending}
	}
	return a.writeCheckpoint(s)
}

// isWaiting reports whether the calls of the checkpoint have been made and wait, so that the run ends as pending.
func (a *active) isWaiting(c agent.Checkpointed) bool {
	pending := c.Pending()
	for _, use := range pending {
		if !a.announcedCalls[use.ID] {
			return false
		}
	}
	return len(pending) > 0
}

// writeCheckpoint does the three writes of a checkpoint in their order.
func (a *active) writeCheckpoint(s checkpointRecord) error {
	var err error
	s.Epoch, s.Tries, s.Step = a.epoch, a.tries, a.step
	err = a.writeLog(func(ctx context.Context) error {
		s.Position, err = a.log.Flush(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if err := a.putCheckpoint(s); err != nil {
		return err
	}
	if s.Checkpoint != nil {
		a.agentTurns = s.Checkpoint.Turns
	}
	a.checkpoint = s
	a.hasCompaction, a.compactedTurns = false, nil
	return a.writeHistory(s)
}

// putCheckpoint stores the checkpoint if this process still has the run.
func (a *active) putCheckpoint(s checkpointRecord) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("%w: %w", errForeign, err)
	}
	a.checkpointSeq++
	return a.repeatOperation(func(ctx context.Context) error {
		data, err := a.runner.storeJSON(ctx, a.session, raw, maxInline)
		if err != nil {
			return err
		}
		return a.putCheckpointItem(ctx, data, a.checkpointSeq)
	})
}

// putCheckpointItem stores the item of a checkpoint over the version that this process has seen.
func (a *active) putCheckpointItem(ctx context.Context, data storedJSON, seq int64) error {
	it := table.Item{
		Sort: checkpointName(a.n), Version: a.checkpointVersion, Expires: time.Now().Add(a.runner.o.Retention),
		Attr: map[string]table.Value{epochAttr: a.epoch, seqAttr: seq},
	}
	data.setAttribute(it.Attr, dataAttr)
	cond := table.Version(a.checkpointVersion)
	if a.checkpointVersion == 0 {
		cond = table.Absent()
	}
	stored, err := a.view.Put(ctx, it, cond)
	conflict, ok := errors.AsType[*table.ConflictError](err)
	switch {
	case !ok:
		if err == nil {
			a.checkpointVersion = stored.Version
		}
		return err
	case conflict.Current == nil, conflict.Current.Attr[epochAttr] != a.epoch, conflict.Current.Attr[seqAttr] != seq:
		return errLost
	}
	a.checkpointVersion = conflict.Current.Version // an earlier try, whose answer was lost
	return nil
}

// writeHistory adds to the history what the checkpoint holds. It may be repeated.
func (a *active) writeHistory(s checkpointRecord) error {
	return a.repeatOperation(func(ctx context.Context) error {
		if c := s.Compaction; c != nil {
			if err := a.runner.turns.Compact(ctx, a.session, c.Number, c.Through, c.Turns, c.State); err != nil {
				return mapUnreadable(err)
			}
			a.newestCompaction = c.Number
		}
		for i, t := range s.Ended {
			if err := a.runner.turns.Append(ctx, a.session, s.Turn+i, t, s.State); err != nil {
				return mapUnreadable(err)
			}
			a.storedTurns = s.Turn + i
		}
		return nil
	})
}

// loadCheckpoint returns the content of the checkpoint of the n-th run, see readCheckpoint. It is nil if the run does
// not have a checkpoint.
func (r *Runner) loadCheckpoint(
	ctx context.Context, session scope.Scope, view *table.View, roots []*object.Root, n int,
) (*checkpointRecord, error) {
	it, err := view.Get(ctx, checkpointName(n))
	if errors.Is(err, table.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r.readCheckpoint(ctx, session, roots, it)
}

// readCheckpoint returns the content of a checkpoint's item, or nil if it is empty. Objects are resolved in the roots.
func (r *Runner) readCheckpoint(
	ctx context.Context, session scope.Scope, roots []*object.Root, it table.Item,
) (*checkpointRecord, error) {
	raw, err := r.loadJSON(ctx, session, findStored(it.Attr, dataAttr))
	if err != nil || len(raw) == 0 {
		return nil, err
	}
	s := new(checkpointRecord)
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, fmt.Errorf("%w: %q: %w", errUnreadable, it.Sort, err)
	}
	if s.Checkpoint != nil && roots != nil {
		if s.Checkpoint, err = s.Checkpoint.Resolve(roots...); err != nil {
			return nil, fmt.Errorf("%w: %q: %w", errUnreadable, it.Sort, err)
		}
	}
	return s, nil
}
