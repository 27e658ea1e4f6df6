package tracking

import "time"

// hold is a worker's proof that it holds a stage: the fence of its claim, and
// the nonce that it wrote beside it.
type hold struct {
	spec  StageSpec
	fence int64
	owner string
	lease time.Duration
}

// isLatestHold reports whether h holds the stage, or was the last to hold it.
func (h hold) isLatestHold(p Progress) bool { return p.Fence == h.fence && p.owner == h.owner }

// heldChange is an operation that only the holder of a stage may perform.
type heldChange struct {
	op       string
	apply    func(*Progress)     // on the running stage
	isReplay func(Progress) bool // whether the stage, no longer running, is as the operation leaves it; nil: it never is
	idleDue  time.Time           // when the record is overdue if nothing runs
	renews   bool                // only the lease changes, which is not a transition
}

// changeHeld performs the operation if h holds the stage. An expired lease
// does not matter until another worker takes the stage.
func (m machine) changeHeld(r Record, h hold, c heldChange, now time.Time) (Record, bool, error) {
	p := r.Stage(h.spec.Stage)
	if h.isLatestHold(p) && p.State != StateRunning && c.isReplay != nil && c.isReplay(p) {
		return r, false, nil
	}
	if !h.isLatestHold(p) || p.State != StateRunning {
		return r, false, newStateError(c.op, r, p.Stage, ErrFenced)
	}
	r, e := r.editStage(p.Stage)
	c.apply(e)
	if c.renews {
		m.refreshRecord(&r, now, c.idleDue)
	} else {
		m.settleRecord(&r, now, c.idleDue)
	}
	return r, true, nil
}

func (m machine) renewLease(r Record, h hold, now time.Time) (Record, bool, error) {
	return m.changeHeld(r, h, heldChange{
		op:      "heartbeat",
		apply:   func(p *Progress) { p.Lease = now.Add(h.lease) },
		idleDue: r.Due,
		renews:  true,
	}, now)
}

func (m machine) completeStage(r Record, h hold, dest Location, now time.Time) (Record, bool, error) {
	return m.changeHeld(r, h, heldChange{
		op: "complete",
		apply: func(p *Progress) {
			p.Destination = dest
			p.endStage(StateSuccess, now)
		},
		isReplay: func(p Progress) bool { return p.State == StateSuccess && p.Destination == dest },
		idleDue:  now.Add(m.review),
	}, now)
}

func (m machine) failStage(r Record, h hold, f Error, now time.Time) (Record, bool, error) {
	return m.changeHeld(r, h, heldChange{
		op: "fail",
		apply: func(p *Progress) {
			p.Error = f
			p.endStage(StateFailed, now)
			if !h.spec.isFinal(*p) {
				p.NotBefore = p.Ended.Add(h.spec.backOffFor(r.Scope, *p))
			}
		},
		isReplay: func(p Progress) bool { return p.State == StateFailed && p.Error == f },
		idleDue:  now.Add(m.review),
	}, now)
}

// parkStage makes the stage wait for review, for at most review.
func (m machine) parkStage(r Record, h hold, review time.Duration, now time.Time) (Record, bool, error) {
	return m.changeHeld(r, h, heldChange{
		op: "park",
		apply: func(p *Progress) {
			p.State, p.Parked = StateWaiting, true
			p.Lease, p.Due = time.Time{}, now.Add(review)
		},
		isReplay: func(p Progress) bool { return p.State == StateWaiting },
		idleDue:  now.Add(review),
	}, now)
}

func (m machine) releaseStage(r Record, h hold, now time.Time) (Record, bool, error) {
	return m.changeHeld(r, h, heldChange{
		op: "release",
		apply: func(p *Progress) {
			p.State = StateReleased
			p.Lease, p.Due = time.Time{}, time.Time{}
		},
		isReplay: func(p Progress) bool { return p.State == StateReleased },
		idleDue:  now.Add(m.review),
	}, now)
}
