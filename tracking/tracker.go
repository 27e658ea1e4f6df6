package tracking

import (
	"cmp"
	"context"
	"crypto/sha256"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// Options of [New]. Nil is valid.
type Options struct {
	// Review is how long a record may wait for somebody (after Observe,
	// Park, Fail, Release) before it is overdue. Default 24 h.
	Review time.Duration

	// Retention is how long a record is kept once it is terminal. Then it is
	// hidden, and removed by the store, or by [Tracker.Sweep] where the
	// store does not do that. Default 0: it is kept.
	Retention time.Duration

	// Clock says what time it is. Default [time.Now]. It is for tests of
	// machines whose clocks differ; the table has a clock of its own, by
	// which records expire.
	Clock func() time.Time

	// Audit is told of each cursor that is not one of the list that it is
	// given with. Default: nobody is told.
	Audit scope.Auditor
}

// Tracker keeps the records of one pipeline in a table. It is safe for
// concurrent use by many goroutines and many processes: every change of state
// is one conditional write, and whoever loses a race is told so. A table takes
// the records of one pipeline: those of two would be listed together.
//
// Methods that take a session need a session scope. Errors of the table are
// returned wrapped, with the operation.
type Tracker struct {
	table   *table.Table
	machine machine
	clock   func() time.Time
	audit   scope.Auditor // may be nil
}

// New returns a tracker of the pipeline's records in t. A pipeline that cannot
// work is refused with [ErrPipeline].
func New(t *table.Table, p Pipeline, o *Options) (*Tracker, error) {
	full, err := p.complete()
	if err != nil {
		return nil, opError("new", err)
	}
	if o == nil {
		o = &Options{}
	}
	m := machine{pipeline: full, review: cmp.Or(o.Review, 24*time.Hour), retention: o.Retention}
	if m.review < 0 || m.retention < 0 {
		return nil, opError("new", invalid("a negative duration"))
	}
	tr := &Tracker{table: t, machine: m, clock: o.Clock, audit: o.Audit}
	if tr.clock == nil {
		tr.clock = time.Now
	}
	return tr, nil
}

// CreateOptions of [Tracker.Create]. Nil is valid.
type CreateOptions struct {
	// Filename is the name of the file, as people know it: a name that
	// [scope.Scope.Key] takes. Default: none.
	Filename string

	// Due is when the first External stage that depends on no other is
	// overdue: the grant's expiry and a grace. Without such a stage, when
	// the record is overdue. Default: [StageSpec.Due] from now; without such
	// a stage, the review window.
	Due time.Time

	// Digest is of the request, at most 64 bytes: a Create with the same
	// digest is a replay and returns the record as it stands. Default:
	// the SHA-256 of Filename.
	Digest []byte
}

// Create makes the session's record and begins to await the External stages
// that depend on no other. It is one write. If the session has a record
// already, Create returns that: without an error if the same request made it,
// otherwise with [ErrExists].
func (t *Tracker) Create(ctx context.Context, session scope.Scope, o *CreateOptions) (Record, error) {
	if o == nil {
		o = &CreateOptions{}
	}
	view, err := t.view(session)
	if err != nil {
		return Record{}, opError("create", err)
	}
	if o.Filename != "" {
		if _, err := session.Key(o.Filename); err != nil {
			return Record{}, opError("create", err)
		}
	}
	if len(o.Digest) > 64 {
		return Record{}, opError("create", invalid("a digest of %d bytes", len(o.Digest)))
	}
	due := o.Due.UTC().Truncate(time.Millisecond)
	if !due.IsZero() && (due.Year() < 1970 || due.Year() > 9999) {
		return Record{}, opError("create", invalid("due in the year %d", due.Year()))
	}
	digest := o.Digest
	if len(digest) == 0 {
		sum := sha256.Sum256([]byte(o.Filename))
		digest = sum[:]
	}
	r := t.machine.create(session, o.Filename, digest, due, t.now())
	r, err = t.insert(ctx, view, r)
	return r, opError("create", err)
}

// Get returns the session's record, strongly consistent, or [ErrNotFound].
func (t *Tracker) Get(ctx context.Context, session scope.Scope) (Record, error) {
	view, err := t.view(session)
	if err != nil {
		return Record{}, opError("get", err)
	}
	r, err := t.read(ctx, view)
	return r, opError("get", err)
}

// Observation is proof from outside that an External stage succeeded: the
// object has arrived.
type Observation struct {
	Stage Stage
	Dest  object.Ref // what arrived; a zero Ref is none
}

// Observe records the proof. It is one read and at most one write. A repeat
// writes nothing and returns no error, so duplicated reports converge.
//
// A refusal is a *[StateError]. [ErrDependencies] is returned if a stage in
// [StageSpec.After] has not succeeded: nothing is recorded, and the caller
// reports the proof again later, as a queue does with an event that was not
// handled. Reports that arrive in any order converge that way, and [Tracker.Sweep]
// looks for what was never reported again. [ErrTerminal] is returned if the
// record ended without the stage.
func (t *Tracker) Observe(ctx context.Context, session scope.Scope, o Observation) (Record, error) {
	st, dest, err := t.proof(session, o)
	if err != nil {
		return Record{}, opError("observe", err)
	}
	r, err := t.update(ctx, session, func(r Record, now time.Time) (Record, bool, error) {
		return t.machine.observe(r, st, dest, now)
	})
	return r, opError("observe", err)
}

// Cancel ends the record for good. Whoever holds a stage of it is fenced. It
// is one read and at most one write; cancelling twice is no error.
func (t *Tracker) Cancel(ctx context.Context, session scope.Scope) (Record, error) {
	r, err := t.update(ctx, session, t.machine.cancel)
	return r, opError("cancel", err)
}

func (t *Tracker) proof(session scope.Scope, o Observation) (Stage, Location, error) {
	if err := session.Require(scope.SessionLevel); err != nil {
		return "", Location{}, err
	}
	spec, err := t.machine.pipeline.spec(o.Stage)
	if err != nil {
		return "", Location{}, err
	}
	if !spec.External {
		return "", Location{}, stageError("%s is not an External stage", o.Stage)
	}
	dest, err := locate(session, o.Dest)
	return o.Stage, dest, err
}

// now is the time in whole milliseconds, which is what is stored.
func (t *Tracker) now() time.Time { return t.clock().UTC().Truncate(time.Millisecond) }
