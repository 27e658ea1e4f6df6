package agent

import (
	"errors"
)

// maxReliefs is the largest number of requests that are repeated for one answer, each one shorter. The last one is as
// short as possible.
const maxReliefs = 24

// ask asks the model, in a conversation that the Compactor may have shortened. If the service rejects the request
// before the answer has begun because the conversation is too long, ask shortens it and retries, until it fits or
// cannot be shortened. If the service rejects the request for another reason, a medium of an earlier turn may be the
// cause, and ask retries without each of them, and then without all.
//
// A shortened conversation replaces the longer one when the service accepts it. Otherwise, for example if the prompt
// cannot fit, the history does not change. The answer is never nil.
func (r *run) ask(set toolset) (*answer, error) {
	r.answers++
	if err := r.emit(StepStarted{r.answers}); err != nil {
		return &answer{}, err
	}
	ans := &answer{}
	err := r.compactEarly()
	if err == nil {
		ans, err = r.askShortened(set)
	}
	if errors.Is(err, errConsumerLeft) {
		return ans, err
	}
	if err := r.reportCompaction(); err != nil {
		return ans, err
	}
	return ans, err
}

// askShortened sends the request of ask, and repeats it while the service rejects it and it can be shortened.
func (r *run) askShortened(set toolset) (*answer, error) {
	defer r.revertTurns()
	kept := r.withoutMedia
	r.cuts, r.trials, r.trialBase, r.hasFallback = 0, nil, nil, false
	for i := 0; ; i++ {
		ans, err := r.send(set)
		if err == nil {
			r.markAccepted()
		}
		if err == nil || ans.isVisible || errors.Is(err, errConsumerLeft) || r.ctx.Err() != nil {
			return ans, err
		}
		again := false
		if i < maxReliefs {
			var reliefErr error
			if again, reliefErr = r.relieveRequest(err, i == maxReliefs-1); reliefErr != nil {
				return ans, reliefErr
			}
		}
		if !again {
			r.withoutMedia = kept // the media were not the cause
			return ans, err
		}
	}
}

// relieveRequest shortens the next request after one that failed with cause, as much as possible if it is the last one.
// It reports whether it could.
func (r *run) relieveRequest(cause error, isLast bool) (again bool, _ error) {
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
	turns, err := r.compactTurns(true)
	if err != nil {
		return false, err
	}
	isAtEnd := turns == nil || r.turnsBeforeProposal != nil && !isShorter(turns, r.turns) // of the Compactor
	if turns == nil {
		turns = r.turns
	}
	if isAtEnd || isLast {
		size := measureTurns(turns) / (2 + min(r.cuts, 1))
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
