package tracking

import (
	"slices"
	"time"
)

// verdict is the effect of a sweep on a record.
type verdict int

const (
	verdictNone      verdict = iota // the record is not overdue
	verdictLost                     // a worker's lease expired, or an optional object did not arrive: the stage failed
	verdictArrived                  // the object that an External stage waits for has arrived
	verdictMoved                    // a worker still holds a live lease: the record is looked at again later
	verdictAbandoned                // nobody continued the record: it has ended
)

// isFailure reports whether a stage or the record fails.
func (v verdict) isFailure() bool { return v == verdictLost || v == verdictAbandoned }

// finding is knowledge about a record that is not in the table.
type finding struct {
	orphans bool               // every process that holds a lease has ended
	absent  []Stage            // External stages whose object was looked for and has not arrived
	arrived map[Stage]Location // External stages whose object has arrived
}

// stagesToLookFor returns the External stages that are overdue and that were
// not looked for yet. If a stage has lost its worker, that comes first, and
// the result is empty.
func (m machine) stagesToLookFor(r Record, f finding, now time.Time) (stages []Stage) {
	if r.Terminal || now.Before(r.Due) || m.hasLostWorker(r, f.orphans, now) {
		return nil
	}
	for _, s := range m.pipeline.Stages {
		p := r.Stage(s.Stage)
		_, arrived := f.arrived[s.Stage]
		if s.External && p.State == StateRunning && !now.Before(p.Due) && !arrived && !slices.Contains(f.absent, s.Stage) {
			stages = append(stages, s.Stage)
		}
	}
	return stages
}

func (m machine) hasLostWorker(r Record, orphans bool, now time.Time) bool {
	return slices.ContainsFunc(m.pipeline.Stages, func(s StageSpec) bool {
		return s.isLost(r.Stage(s.Stage), orphans, now)
	})
}

// isLost reports whether the stage runs and its worker is known or assumed to
// be dead.
func (s StageSpec) isLost(p Progress, orphans bool, now time.Time) bool {
	return !s.External && p.State == StateRunning && (orphans || !p.Live(now))
}

// sweepRecord applies the effects of time to a record that is overdue or whose
// workers are orphans. It changes nothing while an object that may have arrived
// was not looked for.
func (m machine) sweepRecord(r Record, f finding, now time.Time) (Record, verdict) {
	due := !r.Terminal && !now.Before(r.Due)
	if r.Terminal || !due && !f.orphans {
		return r, verdictNone
	}
	if next, ok := m.failLostStages(r, f.orphans, now); ok {
		return next, verdictLost
	}
	if !due || len(m.stagesToLookFor(r, f, now)) > 0 {
		return r, verdictNone
	}
	for _, s := range m.pipeline.Stages {
		dest, arrived := f.arrived[s.Stage]
		if !arrived || r.Stage(s.Stage).State != StateRunning {
			continue
		}
		if next, write, err := m.observeStage(r, s.Stage, dest, now); err == nil && write {
			return next, verdictArrived
		}
	}
	if next, ok := m.failOptionalArrivals(r, now); ok {
		return next, verdictLost
	}
	if next, ok := m.postponeRecord(r, now); ok {
		return next, verdictMoved
	}
	why := Error{Code: codeAbandoned, Message: "Nobody went on with this upload in time.", Retryable: true}
	m.failRecord(&r, why, now)
	return r, verdictAbandoned
}

// failLostStages fails the stages whose workers are lost. They may be retried
// at once, because their lease has already been waited for.
func (m machine) failLostStages(r Record, orphans bool, now time.Time) (Record, bool) {
	why := Error{Code: codeLost, Message: "The step was interrupted. It may be tried again.", Retryable: true}
	return m.failStages(r, why, now, func(s StageSpec, p Progress) bool { return s.isLost(p, orphans, now) })
}

// failOptionalArrivals fails the optional External stages that are overdue, so
// that the record continues without them. An object that arrives later is still
// observed.
func (m machine) failOptionalArrivals(r Record, now time.Time) (Record, bool) {
	why := Error{Code: codeAbandoned, Message: "It did not arrive in time.", Retryable: true}
	return m.failStages(r, why, now, func(s StageSpec, p Progress) bool {
		return s.External && s.Optional && p.State == StateRunning && !now.Before(p.Due)
	})
}

// failStages fails the stages that match and fences their holders. It reports
// whether there are any.
func (m machine) failStages(r Record, why Error, now time.Time, matches func(StageSpec, Progress) bool) (Record, bool) {
	failed := false
	for _, s := range m.pipeline.Stages {
		if matches(s, r.Stage(s.Stage)) {
			next, p := r.editStage(s.Stage)
			p.failFenced(why, now)
			r, failed = next, true
		}
	}
	if failed {
		m.settleRecord(&r, now, now.Add(m.review))
	}
	return r, failed
}

// postponeRecord defers a record that has live workers to the earliest of their
// runs' dues or, for a run that is overdue itself, of its lease.
func (m machine) postponeRecord(r Record, now time.Time) (Record, bool) {
	var until time.Time
	for p := range r.Stages() { // including stages that only another version declares
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
			next, e := r.editStage(p.Stage)
			e.Due = until
			r = next
		}
	}
	m.refreshRecord(&r, now, until)
	return r, true
}
