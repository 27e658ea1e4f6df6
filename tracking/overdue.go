package tracking

import (
	"slices"
	"time"
)

// verdict is what a sweep makes of an overdue record.
type verdict int

const (
	nothing   verdict = iota // it is not overdue (any more)
	lost                     // a worker is not heard of any more, or what is optional has not arrived: the stage failed
	arrived                  // what an External stage waits for is there
	moved                    // somebody is still at work: it is looked at again later
	abandoned                // nobody does anything with it: it has ended
)

// finding is what somebody has found out about a record outside the table.
type finding struct {
	orphans bool               // whoever runs a stage of it is known to be dead
	absent  []Stage            // External stages whose object was looked for and is not there
	there   map[Stage]Location // those whose object is
}

// awaited returns the External stages whose time is over and that have not been
// looked for. With a dead worker there is something else to say first.
func (m machine) awaited(r Record, f finding, now time.Time) (stages []Stage) {
	if r.Terminal || now.Before(r.Due) || m.dead(r, f.orphans, now) {
		return nil
	}
	for _, s := range m.pipeline.Stages {
		p := r.Stage(s.Stage)
		_, there := f.there[s.Stage]
		if s.External && p.State == StateRunning && !now.Before(p.Due) && !there && !slices.Contains(f.absent, s.Stage) {
			stages = append(stages, s.Stage)
		}
	}
	return stages
}

// dead reports whether a stage runs whose worker is not heard of any more.
func (m machine) dead(r Record, orphans bool, now time.Time) bool {
	for _, s := range m.pipeline.Stages {
		if s.lost(r.Stage(s.Stage), orphans, now) {
			return true
		}
	}
	return false
}

func (s StageSpec) lost(p Progress, orphans bool, now time.Time) bool {
	return !s.External && p.State == StateRunning && (orphans || !p.Live(now))
}

// sweep does what is to be done about a record that is overdue, or whose
// workers are orphans. What may have arrived and has not been looked for is left
// alone.
func (m machine) sweep(r Record, f finding, now time.Time) (Record, verdict) {
	due := !r.Terminal && !now.Before(r.Due)
	switch {
	case r.Terminal, !due && !f.orphans:
		return r, nothing
	case m.dead(r, f.orphans, now):
		return m.lose(r, f.orphans, now), lost
	case !due, len(m.awaited(r, f, now)) > 0:
		return r, nothing
	}
	for _, s := range m.pipeline.Stages {
		dest, there := f.there[s.Stage]
		if !there || r.Stage(s.Stage).State != StateRunning {
			continue
		}
		if next, write, err := m.observe(r, s.Stage, dest, now); err == nil && write {
			return next, arrived
		}
	}
	if next, ok := m.forgo(r, now); ok {
		return next, lost
	}
	if next, ok := m.postpone(r, now); ok {
		return next, moved
	}
	m.finish(&r, Failure{Code: CodeAbandoned, Message: "Nobody went on with this upload in time."}, now)
	r.Status, r.Reason, r.Updated = StatusFailed, CodeAbandoned, now
	return r, abandoned
}

// lose ends the stages whose workers are not heard of any more. They may be
// tried again, at once: their time has been waited for already.
func (m machine) lose(r Record, orphans bool, now time.Time) Record {
	for _, s := range m.pipeline.Stages {
		if !s.lost(r.Stage(s.Stage), orphans, now) {
			continue
		}
		next, p := r.edit(s.Stage)
		p.Fence++
		p.Error = Failure{Code: CodeLost, Message: "The step was interrupted. It may be tried again."}
		p.end(StateFailed, now)
		r = next
	}
	m.settle(&r, now, now.Add(m.review))
	return r
}

// postpone puts a record off that somebody is still at work on, beyond the due
// of their stage or beside an External stage that nothing has arrived for:
// until the first of their leases would be dead, or of their runs overdue.
func (m machine) postpone(r Record, now time.Time) (Record, bool) {
	var until time.Time
	for p := range r.Stages() { // also those that only another version knows: their workers live, too
		if !p.Live(now) {
			continue
		}
		at := p.Due
		if !now.Before(at) {
			at = p.Lease
		}
		if until.IsZero() || at.Before(until) {
			until = at
		}
	}
	if until.IsZero() {
		return r, false
	}
	for p := range r.Stages() {
		if p.State == StateRunning && !now.Before(p.Due) {
			next, e := r.edit(p.Stage)
			e.Due = until
			r = next
		}
	}
	m.settle(&r, now, until)
	return r, true
}

// forgo ends the optional External stages that nothing has arrived for: nobody
// waits for them any longer, and the record goes on without. What arrives later
// is still observed.
func (m machine) forgo(r Record, now time.Time) (Record, bool) {
	forgone := false
	for _, s := range m.pipeline.Stages {
		if p := r.Stage(s.Stage); !s.External || !s.Optional || p.State != StateRunning || now.Before(p.Due) {
			continue
		}
		next, p := r.edit(s.Stage)
		p.Fence++
		p.Error = Failure{Code: CodeAbandoned, Message: "It did not arrive in time."}
		p.end(StateFailed, now)
		r, forgone = next, true
	}
	if forgone {
		m.settle(&r, now, now.Add(m.review))
	}
	return r, forgone
}
