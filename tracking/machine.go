package tracking

import (
	"slices"
	"time"
)

// machine is the state machine of a pipeline. Its methods are pure functions
// from a record to the next one. They return the record and whether it must be
// written: a replay returns the record unchanged and false. If the state does
// not allow the operation, the error is a *StateError.
//
// outcome.go summarizes the stages, the other machine files and overdue.go have
// the transitions, and store.go writes. The store only compares and swaps on the
// version, so the machine behaves alike on every driver.
type machine struct {
	pipeline  Pipeline      // with its defaults
	review    time.Duration // how long a record may wait for review
	retention time.Duration // how long a terminal record is kept; 0: forever
}

func (m machine) stageNames() []Stage {
	out := make([]Stage, len(m.pipeline.Stages))
	for i, s := range m.pipeline.Stages {
		out[i] = s.Stage
	}
	return out
}

// createRecord returns the new record that request describes. External stages
// without dependencies are awaited at once: the first of them until due, if
// that is not zero.
func (m machine) createRecord(request Record, due, now time.Time) Record {
	r := request
	r.Pipeline = m.pipeline.Name
	for _, s := range m.pipeline.Stages {
		r.stages = append(r.stages, Progress{Stage: s.Stage, State: StateQueued})
	}
	idleDue := now.Add(m.review)
	if !due.IsZero() {
		i := slices.IndexFunc(m.pipeline.Stages, func(s StageSpec) bool { return s.External && len(s.After) == 0 })
		if i < 0 {
			idleDue = due
		} else {
			r.stages[i].awaitArrival(now, due)
		}
	}
	m.settleRecord(&r, now, idleDue)
	return r
}

// observeStage records proof that an External stage succeeded. A repeated proof
// changes nothing, whatever it says: the first one stands.
func (m machine) observeStage(r Record, st Stage, dest Location, now time.Time) (Record, bool, error) {
	if r.Stage(st).State == StateSuccess {
		return r, false, nil
	}
	if r.Terminal {
		return r, false, newStateError("observe", r, st, ErrTerminal)
	}
	spec, err := m.pipeline.findSpec(st)
	if err != nil {
		return r, false, err
	}
	if !r.meetsDependencies(spec) {
		return r, false, newStateError("observe", r, st, ErrDependencies)
	}
	r, e := r.editStage(st)
	if e.Started.IsZero() {
		e.Started = now
	}
	e.Fence++
	e.Destination, e.Error = dest, Error{}
	e.endStage(StateSuccess, now)
	m.settleRecord(&r, now, now.Add(m.review))
	return r, true, nil
}

// cancelRecord ends the record.
func (m machine) cancelRecord(r Record, now time.Time) (Record, bool, error) {
	if r.Terminal {
		if r.Reason == codeCancelled {
			return r, false, nil
		}
		return r, false, newStateError("cancel", r, "", ErrTerminal)
	}
	m.failRecord(&r, Error{Code: codeCancelled, Message: "Cancelled.", Retryable: true}, now)
	return r, true, nil
}

// failRecord ends a record that its stages would not have ended.
func (m machine) failRecord(r *Record, why Error, now time.Time) {
	r.Status, r.Reason, r.Updated, r.Changed = StatusFailed, why.Code, now, now
	m.closeRecord(r, why, now)
	r.current = m.currentStage(*r)
}

// settleRecord ends a transition: it brings the fields of the record in line with its
// stages. The record is overdue at idleDue, unless a stage says otherwise.
func (m machine) settleRecord(r *Record, now, idleDue time.Time) {
	m.refreshRecord(r, now, idleDue)
	r.Changed = now
	r.current = m.currentStage(*r)
}

// refreshRecord is settleRecord for a write that is not a transition, such as a heartbeat.
func (m machine) refreshRecord(r *Record, now, idleDue time.Time) {
	r.Updated = now
	sum := m.summarizeStages(r.stages)
	if !sum.terminal {
		m.awaitStages(r, now)
		sum = m.summarizeStages(r.stages)
	}
	r.Status, r.Reason = sum.status, sum.reason
	if sum.terminal {
		m.closeRecord(r, sum.unfinished, now)
		return
	}
	r.Due = r.nextDue(idleDue)
}

// awaitStages begins to await the External stages whose dependencies have all
// succeeded.
func (m machine) awaitStages(r *Record, now time.Time) {
	for _, s := range m.pipeline.Stages {
		if s.External && r.Stage(s.Stage).State == StateQueued && r.meetsDependencies(s) {
			next, p := r.editStage(s.Stage)
			p.awaitArrival(now, now.Add(s.Due))
			*r = next
		}
	}
}

// closeRecord makes the record terminal. Stages that are still open fail with
// why, and their holders are fenced.
func (m machine) closeRecord(r *Record, why Error, now time.Time) {
	r.Terminal, r.Due = true, time.Time{}
	if m.retention > 0 { // rounded up, as the table does
		r.Expires = now.Add(m.retention + time.Second - 1).Truncate(time.Second)
	}
	r.stages = slices.Clone(r.stages)
	for i := range r.stages {
		p := &r.stages[i]
		switch p.State {
		case StateRunning, StateWaiting, StateReleased:
			p.failFenced(why, now)
		}
		p.NotBefore = time.Time{} // nothing is retried
	}
}

// awaitArrival begins an External stage: it runs without owner or lease until due.
func (p *Progress) awaitArrival(now, due time.Time) {
	p.State, p.Attempt, p.Started, p.Due = StateRunning, 1, now, due
}

// failFenced fails the stage and fences its holder.
func (p *Progress) failFenced(why Error, now time.Time) {
	p.Fence++
	p.Error = why
	p.endStage(StateFailed, now)
}

// endStage puts the stage into an ended state. The clocks of machines differ, but a
// stage never ends before it started.
func (p *Progress) endStage(s State, now time.Time) {
	p.State, p.Lease, p.Due = s, time.Time{}, time.Time{}
	p.Ended = now
	if now.Before(p.Started) {
		p.Ended = p.Started
	}
}
