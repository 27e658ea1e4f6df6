package tracking

import "time"

// claim is what a worker asks for with Start or Resume.
type claim struct {
	spec     StageSpec
	key      string
	owner    string
	source   Location // zero: keep what a Resume finds
	lease    time.Duration
	due      time.Duration
	takeOver bool
	patient  bool // keeps to the back-off

	observed     Stage // External stage proven by the same write, or empty
	observedDest Location
}

// start gives a stage that was never parked to a new worker, as a new attempt.
func (m machine) start(r Record, c claim, now time.Time) (Record, bool, error) {
	p := r.Stage(c.spec.Stage)
	if p.held(c.owner) {
		return r, false, nil
	}
	no := func(why error) (Record, bool, error) { return r, false, refuse("start", r, p.Stage, why) }
	switch {
	case r.Terminal || p.State == StateSuccess:
		return no(ErrTerminal)
	case p.Live(now):
		return no(ErrRunning)
	case p.Resumable():
		return no(ErrParked)
	case p.State == StateFailed && p.Error.Permanent:
		return no(ErrTerminal)
	case p.Attempt >= c.spec.MaxAttempts:
		return no(ErrExhausted)
	case c.early(p, now):
		return no(ErrEarly)
	}
	next, err := m.prove("start", r, c, now)
	if err != nil {
		return r, false, err
	}
	if !next.allows(c.spec) {
		return no(ErrDependencies)
	}
	next, e := next.edit(p.Stage)
	e.Attempt++
	e.Started, e.Source, e.Destination = now, c.source, Location{}
	e.give(c, now)
	m.settle(&next, now, now.Add(m.review))
	return next, true, nil
}

// resume gives a stage that was parked or released to a worker, within the
// same attempt.
func (m machine) resume(r Record, c claim, now time.Time) (Record, bool, error) {
	p := r.Stage(c.spec.Stage)
	if p.held(c.owner) {
		return r, false, nil
	}
	no := func(why error) (Record, bool, error) { return r, false, refuse("resume", r, p.Stage, why) }
	switch {
	case r.Terminal || p.State == StateSuccess:
		return no(ErrTerminal)
	case c.takeOver:
		// Only what still is, or was handed on, under this key.
		if p.Key != c.key || p.State != StateRunning && p.State != StateReleased {
			return no(ErrTaken)
		}
	case p.Live(now):
		return no(ErrRunning)
	case !p.Resumable():
		return no(ErrNotParked)
	case c.early(p, now):
		return no(ErrEarly)
	}
	next, err := m.prove("resume", r, c, now)
	if err != nil {
		return r, false, err
	}
	next, e := next.edit(p.Stage)
	if !c.source.IsZero() {
		e.Source = c.source
	}
	e.give(c, now)
	m.settle(&next, now, now.Add(m.review))
	return next, true, nil
}

// take is what [Tracker.Track] asks for: a new attempt or, at a stage that its
// worker has let go of unfinished, the same one. What a person is to look at
// is nobody's to take.
func (m machine) take(r Record, c claim, now time.Time) (Record, bool, error) {
	p := r.Stage(c.spec.Stage)
	if p.State == StateParked && !r.Terminal {
		return r, false, refuse("start", r, p.Stage, ErrParked)
	}
	if p.Resumable() {
		return m.resume(r, c, now)
	}
	return m.start(r, c, now)
}

// early reports whether the claim is a retry that nobody asked for, before its
// time.
func (c claim) early(p Progress, now time.Time) bool {
	return c.patient && p.State == StateFailed && now.Before(p.NotBefore)
}

// prove applies the observation that a claim carries, if any.
func (m machine) prove(op string, r Record, c claim, now time.Time) (Record, error) {
	if c.observed == "" {
		return r, nil
	}
	next, _, err := m.observe(r, c.observed, c.observedDest, now)
	if err != nil {
		return r, err
	}
	if next.Terminal {
		// The proof alone ends the record: there is nothing left to work on.
		return r, refuse(op, r, c.spec.Stage, ErrTerminal)
	}
	return next, nil
}

// give hands the stage to the claim's owner.
func (p *Progress) give(c claim, now time.Time) {
	p.State, p.Key, p.owner = StateRunning, c.key, c.owner
	p.Fence++
	p.Lease, p.Due = now.Add(c.lease), now.Add(c.due)
	p.Ended, p.NotBefore, p.Error = time.Time{}, time.Time{}, Failure{}
}

// held reports whether the stage runs under this very owner: whoever asks for
// it again has got it already, and only lost the answer.
func (p Progress) held(owner string) bool {
	return p.State == StateRunning && p.owner == owner
}
