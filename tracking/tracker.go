package tracking

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// Options configures [New]. Nil means all defaults.
type Options struct {
	// Review is how long a record may wait to be continued (after Observe,
	// Park, Fail or Release) before it is overdue. Default: 24 h.
	Review time.Duration

	// Retention is how long a record is kept once it is terminal. Then it is
	// hidden, and removed by the store or, if the store does not do that, by
	// [Tracker.Sweep]. Zero means forever.
	Retention time.Duration

	// Clock returns the current time. Default: [time.Now]. It is for tests of
	// machines whose clocks differ. Records expire by the clock of the table.
	Clock func() time.Time

	// Audit receives each cursor that does not belong to the list it was used
	// with. If nil, such cursors are not reported.
	Audit scope.Auditor
}

// Tracker keeps the records of one pipeline in a table. It is safe for
// concurrent use by many goroutines and processes: every transition is one
// conditional write. A table must hold the records of one pipeline only, because
// lists and counts do not tell pipelines apart.
//
// Methods that take a session need a session scope. Errors of the table are
// wrapped with the operation.
type Tracker struct {
	table   *table.Table
	machine machine
	clock   func() time.Time
	audit   scope.Auditor // may be nil
}

// New returns a tracker for the pipeline's records in t, which must not be nil.
// It returns [ErrPipeline] if the pipeline is invalid.
func New(t *table.Table, p Pipeline, o *Options) (*Tracker, error) {
	if t == nil {
		return nil, opError("new", invalidError("the table must not be nil"))
	}
	full, err := p.withDefaults()
	if err != nil {
		return nil, opError("new", err)
	}
	if o == nil {
		o = &Options{}
	}
	m := machine{pipeline: full, review: cmp.Or(o.Review, 24*time.Hour), retention: o.Retention}
	if m.review < 0 || m.retention < 0 {
		return nil, opError("new", invalidError("Review and Retention must not be negative"))
	}
	tr := &Tracker{table: t, machine: m, clock: o.Clock, audit: o.Audit}
	if tr.clock == nil {
		tr.clock = time.Now
	}
	return tr, nil
}

// Pipeline returns the tracker's pipeline with its defaults set.
func (t *Tracker) Pipeline() Pipeline {
	p := t.machine.pipeline
	p.Stages = slices.Clone(p.Stages)
	for i := range p.Stages {
		p.Stages[i].After = slices.Clone(p.Stages[i].After)
	}
	return p
}

// CreateOptions configures [Tracker.Create]. Nil means all defaults.
type CreateOptions struct {
	// Filename is the name of the file, for people. [scope.Scope.Key] must
	// accept it. Default: none.
	Filename string

	// Labels are small values that lists show, such as a title; see
	// [Attempt.SetLabel] for their limits. Default: none.
	Labels map[string]string

	// Due is when the first External stage without dependencies is overdue:
	// usually the expiry of the grant plus a margin. Without such a stage,
	// it is when the record is overdue. Default: [StageSpec.Due] or
	// [Options.Review] from now.
	Due time.Time
}

// Create creates the session's record and begins to await the External stages
// without dependencies. It costs one write. If the session already has a
// record, Create returns it: without an error if it has the same Filename, so
// that Create can be repeated, otherwise with [ErrExists].
func (t *Tracker) Create(ctx context.Context, session scope.Scope, o *CreateOptions) (Record, error) {
	if o == nil {
		o = &CreateOptions{}
	}
	view, err := t.sessionView(session)
	if err != nil {
		return Record{}, opError("create", err)
	}
	request, err := o.newRequest(session)
	if err != nil {
		return Record{}, opError("create", err)
	}
	due := o.Due.UTC().Truncate(time.Millisecond)
	if !due.IsZero() && (due.Year() < 1970 || due.Year() > 9999) {
		return Record{}, opError("create", invalidError("due in the year %d: must be from 1970 to 9999", due.Year()))
	}
	r, err := t.insertRecord(ctx, view, t.machine.createRecord(request, due, t.currentTime()))
	return r, opError("create", err)
}

// newRequest returns the fields of a new record that its creator chooses.
func (o *CreateOptions) newRequest(session scope.Scope) (Record, error) {
	if o.Filename != "" {
		if _, err := session.Key(o.Filename); err != nil {
			return Record{}, err
		}
	}
	if err := checkLabels(o.Labels); err != nil {
		return Record{}, err
	}
	return Record{Scope: session, Filename: o.Filename, Labels: mergeLabels(nil, o.Labels)}, nil
}

// Get returns the session's record by a consistent read, or [ErrNotFound].
func (t *Tracker) Get(ctx context.Context, session scope.Scope) (Record, error) {
	_, r, err := t.readRecord(ctx, session)
	return r, opError("get", err)
}

// Observation is proof that an External stage succeeded: its object has arrived.
type Observation struct {
	Stage Stage
	Dest  object.Ref // the object that arrived; may be zero
}

// Observe records an observation. It costs one read and at most one write. A
// repeated observation writes nothing and returns no error, so duplicate events
// converge.
//
// If the state does not allow it, the error is a *[StateError]:
// [ErrDependencies] if a stage in [StageSpec.After] has not succeeded, and
// [ErrTerminal] if the record has ended without the stage. After
// ErrDependencies the caller observes again later, as a queue redelivers an
// event that was not handled; [Tracker.Sweep] finds objects that were never
// reported again.
func (t *Tracker) Observe(ctx context.Context, session scope.Scope, o Observation) (Record, error) {
	st, dest, err := t.checkObservation(session, o)
	if err != nil {
		return Record{}, opError("observe", err)
	}
	r, err := t.updateRecord(ctx, session, func(r Record, now time.Time) (Record, bool, error) {
		return t.machine.observeStage(r, st, dest, now)
	})
	return r, opError("observe", err)
}

// Cancel ends the record and fences the holders of its stages. It costs
// one read and at most one write. A record that is already cancelled is not an
// error.
func (t *Tracker) Cancel(ctx context.Context, session scope.Scope) (Record, error) {
	r, err := t.updateRecord(ctx, session, t.machine.cancelRecord)
	return r, opError("cancel", err)
}

func (t *Tracker) checkObservation(session scope.Scope, o Observation) (Stage, Location, error) {
	if err := session.Require(scope.SessionLevel); err != nil {
		return "", Location{}, err
	}
	spec, err := t.machine.pipeline.findSpec(o.Stage)
	if err != nil {
		return "", Location{}, err
	}
	if !spec.External {
		return "", Location{}, stageError("%s is not External: it is claimed, not observed", o.Stage)
	}
	dest, err := locateRef(session, o.Dest)
	return o.Stage, dest, err
}

// currentTime returns the current time in whole milliseconds, the precision of the store.
func (t *Tracker) currentTime() time.Time { return t.clock().UTC().Truncate(time.Millisecond) }
