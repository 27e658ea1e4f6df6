package tracking

import "time"

// hold is a worker's proof that a stage is its own: the fence that its Start
// or Resume raised, and the nonce that it wrote beside it.
type hold struct {
	spec  StageSpec
	fence int64
	owner string
	lease time.Duration
}

// mine reports whether the stage still is in the hands of h, or in the state
// in which h itself has left it.
func (h hold) mine(p Progress) bool { return p.Fence == h.fence && p.owner == h.owner }

// change is the common part of what only the holder may do: apply runs on a
// stage that runs under h. already says whether a stage that h has left is
// what this operation leaves behind: then it is a replay.
func (m machine) change(op string, r Record, h hold, already func(Progress) bool, apply func(*Progress), now, waits time.Time) (Record, bool, error) {
	p := r.Stage(h.spec.Stage)
	switch {
	case !h.mine(p):
		return r, false, refuse(op, r, p.Stage, ErrFenced)
	case p.State == StateRunning:
		// A dead lease is no obstacle while nobody has taken the stage.
	case already(p):
		return r, false, nil
	default:
		return r, false, refuse(op, r, p.Stage, ErrFenced)
	}
	r, e := r.edit(p.Stage)
	apply(e)
	m.settle(&r, now, waits)
	return r, true, nil
}

func (m machine) heartbeat(r Record, h hold, now time.Time) (Record, bool, error) {
	return m.change("heartbeat", r, h, func(Progress) bool { return false },
		func(p *Progress) { p.Lease = now.Add(h.lease) }, now, r.Due)
}

func (m machine) complete(r Record, h hold, dest Location, now time.Time) (Record, bool, error) {
	return m.change("complete", r, h,
		func(p Progress) bool { return p.State == StateSuccess && p.Destination == dest },
		func(p *Progress) {
			p.Destination = dest
			p.end(StateSuccess, now)
		}, now, now.Add(m.review))
}

func (m machine) fail(r Record, h hold, f Failure, now time.Time) (Record, bool, error) {
	return m.change("fail", r, h,
		func(p Progress) bool { return p.State == StateFailed && p.Error == f },
		func(p *Progress) {
			p.Error = f
			p.end(StateFailed, now)
			if !h.spec.final(*p) {
				p.NotBefore = p.Ended.Add(h.spec.backoff(r.Scope, *p))
			}
		}, now, now.Add(m.review))
}

// park lets go of the stage until somebody resumes it, at the latest until
// waits has passed.
func (m machine) park(r Record, h hold, waits time.Duration, now time.Time) (Record, bool, error) {
	return m.change("park", r, h,
		func(p Progress) bool { return p.State == StateParked },
		func(p *Progress) {
			p.State, p.Parked = StateParked, true
			p.Lease, p.Due = time.Time{}, now.Add(waits)
		}, now, now.Add(waits))
}

func (m machine) release(r Record, h hold, now time.Time) (Record, bool, error) {
	return m.change("release", r, h,
		func(p Progress) bool { return p.State == StateReleased },
		func(p *Progress) {
			p.State = StateReleased
			p.Lease, p.Due = time.Time{}, time.Time{}
		}, now, now.Add(m.review))
}
