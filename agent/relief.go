package agent

import (
	"errors"
	"slices"
)

// maxReliefs is how often the model is asked again for one answer, with less each time. The last time, all is cut that
// can be.
const maxReliefs = 24

// ask asks the model, in a conversation that the Compactor may have shortened. If the service refuses the request
// before the answer has begun because the conversation is too long, ask shortens it and tries again, until it fits or
// nothing is left to shorten. If the service refuses the request for another reason, a medium of an earlier turn may be
// the reason, and ask tries again without each of them, and then without all.
//
// A shortened conversation replaces the longer one when the service has accepted it. If it never does, as with a prompt
// that cannot fit, the history stays as it was. The answer is never nil.
func (r *run) ask(set toolset) (*answer, error) {
	if err := r.compactEarly(); err != nil {
		return &answer{}, err
	}
	r.turn++
	if err := r.emit(StepStarted{r.turn}); err != nil {
		return &answer{}, err
	}
	defer r.revertTurns()
	kept := r.withoutMedia
	r.cuts, r.trials, r.trialBase = 0, nil, nil
	for i := range maxReliefs {
		ans, err := r.send(set)
		if err == nil {
			r.markAccepted()
		}
		if err == nil || ans.isVisible || errors.Is(err, errConsumerLeft) || r.ctx.Err() != nil {
			return ans, err
		}
		again, reliefErr := r.relieve(err, i == maxReliefs-1)
		switch {
		case reliefErr != nil:
			return ans, reliefErr
		case !again:
			r.withoutMedia = kept // the media were not the reason
			return ans, err
		}
	}
	ans, err := r.send(set)
	if err != nil {
		r.withoutMedia = kept
	}
	return ans, err
}

// relieve makes the next request easier to accept than the one that failed with cause, and as short as possible if it is
// the last one. It reports whether it could.
func (r *run) relieve(cause error, isLast bool) (again bool, _ error) {
	failed, ok := errors.AsType[*RunError](cause)
	if !ok {
		return false, nil
	}
	switch failed.Code {
	case CodeContextFull:
	case CodeInvalidCall:
		return r.tryWithoutMedia(), nil
	case CodeAccessDenied:
		return r.findGone() || r.dropMedia(false), nil
	default:
		return false, nil
	}
	turns, err := r.compact(true)
	if err != nil {
		return false, err
	}
	isAtEnd := turns == nil || r.before != nil && !isShorter(turns, r.turns) // of the Compactor
	if turns == nil {
		turns = r.turns
	}
	if isAtEnd || isLast {
		size := measure(turns) / (2 + min(r.cuts, 1))
		if isLast {
			size = 0
		}
		var cut bool
		if turns, cut = cutTurns(turns, size); !cut && isAtEnd {
			return r.dropMedia(true), nil
		}
		r.cuts++
	}
	r.proposeTurns(turns)
	return true, nil
}

// isShorter reports whether a has fewer turns or tokens than b.
func isShorter(a, b []Turn) bool { return len(a) < len(b) || estimateAll(a) < estimateAll(b) }

// proposeTurns goes on with these turns until it is known whether the service accepts them.
func (r *run) proposeTurns(turns []Turn) {
	if r.before == nil {
		r.before = r.turns
	}
	r.turns = slices.Clip(turns)
	r.resetMessages()
}

// settleTurns keeps the turns that were proposed, because the service has accepted them.
func (r *run) settleTurns() error {
	if r.before == nil {
		return nil
	}
	r.before = nil
	r.turn-- // the checkpoint is of the moment before the answer
	defer func() { r.turn++ }()
	return r.emitCompacted()
}

// revertTurns goes back to the turns before proposeTurns, unless they were settled.
func (r *run) revertTurns() {
	if r.before != nil {
		r.turns, r.before = r.before, nil
		r.resetMessages()
	}
}
