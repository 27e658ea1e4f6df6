package tracking

import "time"

// claim is a worker's request for a stage.
type claim struct {
	spec         StageSpec
	key          string
	owner        string
	source       Location // zero: when the stage is resumed, it keeps its own
	lease        time.Duration
	takeOver     bool
	keepsBackoff bool // no retry before NotBefore
	skipsReview  bool // leaves a stage that waits for review alone

	observed     Stage // External stage that the same write proves, or empty
	observedDest Location
}

// claimStage assigns a stage to a new worker: within the same attempt if the
// stage was parked or released, otherwise as a new attempt.
func (m machine) claimStage(r Record, c claim, now time.Time) (Record, bool, error) {
	p := r.Stage(c.spec.Stage)
	if p.isHeldBy(c.owner) { // the answer to this very claim was lost
		return r, false, nil
	}
	if err := c.checkState(r, p, now); err != nil {
		return r, false, newStateError("claim", r, p.Stage, err)
	}
	next, err := m.applyProof(r, c, now)
	if err != nil {
		return r, false, err
	}
	resumes := c.takeOver || p.isResumable()
	if !resumes && !next.meetsDependencies(c.spec) {
		return r, false, newStateError("claim", r, p.Stage, ErrDependencies)
	}
	next, e := next.editStage(p.Stage)
	if !resumes {
		e.Attempt++
		e.Started, e.Source, e.Destination = now, Location{}, Location{}
	}
	if !c.source.IsZero() {
		e.Source = c.source
	}
	e.assignWorker(c, now)
	m.settleRecord(&next, now, now.Add(m.review))
	return next, true, nil
}

// checkState returns the reason that the state of the stage does not allow the
// claim, or nil.
func (c claim) checkState(r Record, p Progress, now time.Time) error {
	switch {
	case r.Terminal || p.State == StateSuccess:
		return ErrTerminal
	case c.takeOver:
		if p.Key != c.key || p.State != StateRunning && p.State != StateReleased {
			return ErrTaken
		}
		return nil
	case p.Live(now):
		return ErrRunning
	case c.skipsReview && p.State == StateWaiting:
		return ErrParked
	case c.spec.isFinal(p) && !p.Error.Retryable:
		return ErrTerminal
	case !p.isResumable() && p.Attempt >= c.spec.MaxAttempts:
		return ErrExhausted
	case c.keepsBackoff && p.State == StateFailed && now.Before(p.NotBefore):
		return ErrEarly
	}
	return nil
}

func (m machine) applyProof(r Record, c claim, now time.Time) (Record, error) {
	if c.observed == "" {
		return r, nil
	}
	next, _, err := m.observeStage(r, c.observed, c.observedDest, now)
	if err != nil {
		return r, err
	}
	if next.Terminal { // the proof alone ends the record
		return r, newStateError("claim", r, c.spec.Stage, ErrTerminal)
	}
	return next, nil
}

// assignWorker makes the owner of the claim the holder of the stage.
func (p *Progress) assignWorker(c claim, now time.Time) {
	p.State, p.Key, p.owner = StateRunning, c.key, c.owner
	p.Fence++
	p.Lease, p.Due = now.Add(c.lease), now.Add(c.spec.Due)
	p.Ended, p.NotBefore, p.Error = time.Time{}, time.Time{}, Error{}
}

func (p Progress) isHeldBy(owner string) bool {
	return p.State == StateRunning && p.owner == owner
}
