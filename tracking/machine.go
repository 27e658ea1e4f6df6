package tracking

import (
	"slices"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// machine is the state machine of a pipeline. Its methods are pure functions
// from a record to the next one. They return the record and whether it is to
// be written: a replay of what has already happened returns the record as it
// is, and nothing to write. A refusal is a *StateError.
//
// All storage does is to compare and swap on the version, so what is said
// here holds on every driver.
type machine struct {
	pipeline  Pipeline      // completed
	review    time.Duration // how long a record may wait for somebody
	retention time.Duration // how long a terminal record is kept; 0: for ever
}

func (m machine) names() []Stage {
	out := make([]Stage, len(m.pipeline.Stages))
	for i, s := range m.pipeline.Stages {
		out[i] = s.Stage
	}
	return out
}

// create returns a session's new record. The External stages that depend on
// nothing are awaited at once: the first of them until due, if that is not zero.
func (m machine) create(session scope.Scope, filename string, digest []byte, due, now time.Time) Record {
	r := Record{Scope: session, Pipeline: m.pipeline.Name, Filename: filename, digest: digest}
	for _, s := range m.pipeline.Stages {
		r.stages = append(r.stages, Progress{Stage: s.Stage, State: StateQueued})
	}
	waits := now.Add(m.review)
	if !due.IsZero() {
		i := slices.IndexFunc(m.pipeline.Stages, func(s StageSpec) bool { return s.External && len(s.After) == 0 })
		if i < 0 {
			waits = due
		} else {
			r.stages[i].await(now, due)
		}
	}
	m.settle(&r, now, waits)
	return r
}

// observe records proof from outside that an External stage succeeded. A
// repeat changes nothing, whatever it says: the first proof stands. Proof of a
// stage whose dependencies have not all succeeded is refused.
func (m machine) observe(r Record, st Stage, dest Location, now time.Time) (Record, bool, error) {
	p := r.Stage(st)
	if p.State == StateSuccess {
		return r, false, nil
	}
	if r.Terminal {
		return r, false, refuse("observe", r, st, ErrTerminal)
	}
	spec, err := m.pipeline.spec(st)
	if err != nil {
		return r, false, err
	}
	if !r.allows(spec) {
		return r, false, refuse("observe", r, st, ErrDependencies)
	}
	r, e := r.edit(st)
	if e.Started.IsZero() {
		e.Started = now
	}
	e.Fence++
	e.Destination, e.Error = dest, Failure{}
	e.end(StateSuccess, now)
	m.settle(&r, now, now.Add(m.review))
	return r, true, nil
}

// cancel ends the record.
func (m machine) cancel(r Record, now time.Time) (Record, bool, error) {
	if r.Terminal {
		if r.Reason == CodeCancelled {
			return r, false, nil
		}
		return r, false, refuse("cancel", r, "", ErrTerminal)
	}
	m.finish(&r, Failure{Code: CodeCancelled, Message: "Cancelled."}, now)
	r.Status, r.Reason, r.Updated = StatusFailed, CodeCancelled, now
	return r, true, nil
}

// settle updates the record's own fields from its stages, and begins to await
// External stages. Every transition ends with it. waits is when the record is
// overdue if nothing runs.
func (m machine) settle(r *Record, now, waits time.Time) {
	r.Updated = now
	if m.settleStatus(r, now); r.Terminal {
		return
	}
	for _, s := range m.pipeline.Stages {
		if s.External && r.Stage(s.Stage).State == StateQueued && r.allows(s) {
			next, p := r.edit(s.Stage)
			p.await(now, now.Add(s.Due))
			*r = next
			if r.Status == StatusQueued {
				r.Status = StatusInProgress
			}
		}
	}
	r.Due = waits
	for _, p := range r.stages { // what is parked waits as long as was said, whatever else has ended
		if p.State == StateParked && p.Due.After(r.Due) {
			r.Due = p.Due
		}
	}
	if run := r.runDue(); !run.IsZero() {
		r.Due = run
	}
}

// settleStatus sets the status, and ends the record if its stages are done or
// can no longer be.
func (m machine) settleStatus(r *Record, now time.Time) {
	started, succeeded := false, true
	var failed *Progress
	final := false
	for i, s := range m.pipeline.Stages {
		p := &r.stages[i]
		started = started || p.State != StateQueued
		if s.Optional {
			continue
		}
		succeeded = succeeded && p.State == StateSuccess
		if p.State == StateFailed && (failed == nil || !final && s.final(*p)) {
			failed, final = p, s.final(*p)
		}
	}
	r.Status, r.Reason = StatusQueued, ""
	switch {
	case succeeded:
		r.Status = StatusSuccess
		m.finish(r, Failure{Code: CodeUnneeded, Message: "The upload was finished without it."}, now)
		return
	case failed != nil:
		r.Status, r.Reason = StatusFailed, failed.Error.Code
		if final {
			if !failed.Error.Permanent {
				r.Reason = ReasonMaxAttempts
			}
			m.finish(r, Failure{Code: CodeUnneeded, Message: "Another step failed for good."}, now)
			return
		}
	case started:
		r.Status = StatusInProgress
	}
}

// finish makes the record terminal: no stage is left that anybody holds or
// waits for. Those that were open failed with f, and whoever held one is fenced.
func (m machine) finish(r *Record, f Failure, now time.Time) {
	r.Terminal, r.Due = true, time.Time{}
	if m.retention > 0 { // rounded up, as the table does
		r.Expires = now.Add(m.retention + time.Second - 1).Truncate(time.Second)
	}
	r.stages = slices.Clone(r.stages)
	for i := range r.stages {
		p := &r.stages[i]
		switch p.State {
		case StateRunning, StateParked, StateReleased:
			p.Fence++
			p.Error = f
			p.end(StateFailed, now)
		}
		p.NotBefore = time.Time{} // nothing is tried again
	}
}

// runDue returns the earliest due of the stages that run, or zero.
func (r Record) runDue() (due time.Time) {
	for _, p := range r.stages {
		if p.State == StateRunning && !p.Due.IsZero() && (due.IsZero() || p.Due.Before(due)) {
			due = p.Due
		}
	}
	return due
}

// final reports whether a failed stage is one for good.
func (s StageSpec) final(p Progress) bool {
	if p.State != StateFailed || p.Parked {
		return false
	}
	return p.Error.Permanent || (!s.External && p.Attempt >= s.MaxAttempts)
}

// await begins an External stage: it runs without owner or lease until due.
func (p *Progress) await(now, due time.Time) {
	p.State, p.Attempt, p.Started, p.Due = StateRunning, 1, now, due
}

// end puts the stage into a state in which nobody holds it. Clocks of
// different machines differ: a stage never ends before it started.
func (p *Progress) end(s State, now time.Time) {
	p.State, p.Lease, p.Due = s, time.Time{}, time.Time{}
	p.Ended = now
	if now.Before(p.Started) {
		p.Ended = p.Started
	}
}
