package agent

import (
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
)

// compactEarly shortens a conversation that has grown too long for the Compactor, before the first request of a step.
func (r *run) compactEarly() error {
	turns, err := r.compactTurns(false)
	if err != nil || turns == nil {
		return err
	}
	r.turns = slices.Clip(turns)
	r.resetMessages()
	return r.emitCompacted()
}

// emitCompacted yields the turns that have replaced all earlier ones, and their checkpoint.
func (r *run) emitCompacted() error {
	r.isCompacted = true
	ev := Compacted{Turns: r.turns, Count: len(r.turns), Usage: r.compactUsage, Fallback: r.hasFallback}
	if err := r.emit(ev); err != nil {
		return err
	}
	r.compactUsage, r.hasFallback = Usage{}, false
	c := r.newCheckpoint(nil)
	c.at.Answers-- // it is of the moment before the answer
	return r.emitCheckpoint(c, nil)
}

// reportCompaction yields the usage of a Compactor whose turns were not used.
func (r *run) reportCompaction() error {
	u := r.compactUsage
	if u == (Usage{}) {
		return nil
	}
	r.compactUsage = Usage{}
	return r.emit(UsageReport{Usage: u})
}

// compactTurns returns the Compactor's replacement of the run's turns, or nil if it keeps them. If the Compactor fails
// while the conversation fits the model, the turns stay. Otherwise DropOldest replaces it for the rest of the run,
// since a Compactor that always fails would end every run of the conversation.
func (r *run) compactTurns(full bool) ([]Turn, error) {
	if r.agent.compact == nil || len(r.turns) == 0 || !full && r.compactErr != nil {
		return nil, nil
	}
	if !r.isFallingBack {
		turns, err := r.callCompactor(r.agent.compact, full)
		if err == nil {
			return turns, nil
		}
		if r.ctx.Err() != nil {
			return nil, mapModelError(err)
		}
		if r.compactErr, r.isFallingBack = err, full; !full {
			return nil, nil
		}
	}
	r.hasFallback = true
	turns, err := r.callCompactor(DropOldest(math.MaxInt), true)
	if err != nil {
		return nil, mapModelError(err)
	}
	return turns, nil
}

// callCompactor calls a Compactor and checks the turns that it returns. It returns nil if they are those of the run.
func (r *run) callCompactor(compact Compactor, full bool) ([]Turn, error) {
	turns, usage, err := r.catchCompactor(compact, full)
	r.addUsage(usage)
	r.compactUsage.add(usage)
	if err == nil && areSameTurns(turns, r.turns) {
		return nil, nil
	}
	if err == nil {
		err = r.checkCompacted(turns)
	}
	if err != nil {
		return nil, fmt.Errorf("agent: compact: %w", err)
	}
	return turns, nil
}

// catchCompactor calls a Compactor with a copy of the turns, because it may change the slice. A panic is an error, as
// it is in a Model.
func (r *run) catchCompactor(compact Compactor, full bool) (turns []Turn, usage Usage, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("it panicked: %v\n%s", v, debug.Stack())
		}
	}()
	return compact(r.ctx, slices.Clone(r.turns), full)
}

// checkCompacted returns an error if the run cannot continue with these turns.
func (r *run) checkCompacted(turns []Turn) error {
	if len(turns) == 0 {
		return errors.New("no turns are left")
	}
	if err := (History{Turns: turns}).check(); err != nil {
		return err
	}
	last := turns[len(turns)-1].Messages
	if r.prompt == nil && last[len(last)-1].Role != RoleUser {
		return errors.New("the message that the model must answer is missing")
	}
	for _, t := range turns {
		for _, m := range t.Messages {
			if err := r.agent.checkHistory(r.ctx, r.in.newReach(), m.Parts); err != nil {
				return err
			}
		}
	}
	return nil
}

// areSameTurns reports whether a and b are the same turns, by identity: turns are immutable.
func areSameTurns(a, b []Turn) bool {
	return slices.EqualFunc(a, b, func(a, b Turn) bool {
		return len(a.Messages) == len(b.Messages) && len(a.Messages) > 0 && &a.Messages[0] == &b.Messages[0]
	})
}

// isShorter reports whether a has fewer turns or tokens than b.
func isShorter(a, b []Turn) bool { return len(a) < len(b) || estimateAll(a) < estimateAll(b) }

// proposeTurns replaces the turns until the service accepts or rejects them.
func (r *run) proposeTurns(turns []Turn) {
	if r.turnsBeforeProposal == nil {
		r.turnsBeforeProposal = r.turns
	}
	r.turns = slices.Clip(turns)
	r.resetMessages()
}

// settleTurns keeps the proposed turns, if any, because the service has accepted them.
func (r *run) settleTurns() error {
	// otherwise the last proposal was withdrawn
	hasChanged := r.turnsBeforeProposal != nil && !areSameTurns(r.turns, r.turnsBeforeProposal)
	r.turnsBeforeProposal = nil
	if !hasChanged {
		return nil
	}
	return r.emitCompacted()
}

// revertTurns restores the turns before proposeTurns, unless the proposal was settled.
func (r *run) revertTurns() {
	if r.turnsBeforeProposal != nil {
		r.turns, r.turnsBeforeProposal = r.turnsBeforeProposal, nil
		r.resetMessages()
	}
}
