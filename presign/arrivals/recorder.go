package arrivals

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/carrel-go/carrel/internal/dueindex"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// ErrUngranted is reported to Options.Audit for an event about an upload that was
// never granted: the object is not in a session, the session does not have a
// record, or its record is of another file.
var ErrUngranted = errors.New("not a granted upload")

// Options configures [New]. Nil means all defaults.
type Options struct {
	// Stage is the External stage that waits for the upload. Default: the first
	// External stage of the pipeline.
	Stage tracking.Stage

	// MaxSize is the largest accepted upload in bytes. Zero means no limit.
	MaxSize int64

	// Failure returns the error that the record of a rejected upload ends with,
	// for people to see. Its Retryable is ignored. Default: an error with the
	// code "upload_too_large" or "upload_differs".
	Failure func(e *presign.RejectedError) *tracking.Error

	// CloseGrant is called for each upload that is found, such as
	// [admission.Admission.CloseGrant]. It may be called again for the same
	// upload. An error is logged. If nil, nothing is called.
	CloseGrant func(ctx context.Context, session scope.Scope) error

	// Forget is called for a session whose record is gone, to delete the rest of
	// its data. It may be called again for the same session. If it fails, the
	// next Clean tries again. If nil, nothing is called.
	Forget func(ctx context.Context, session scope.Scope) error

	// Audit receives each event about an upload that was never granted. If nil,
	// such events are not reported.
	Audit scope.Auditor

	// IsOwn reports whether a name is that of an object which the service itself
	// stores beside the uploads, such as "run-<digest>.json" of package runner.
	// Events about such objects in sessions with a record are ignored and not
	// reported. If nil, no name is.
	IsOwn func(name string) bool

	// Log receives a line for each arrival: at Info for recorded and unconfirmed
	// uploads, at Warn for rejected and late ones and for failed deletions. If
	// nil, nothing is logged.
	Log *slog.Logger
}

// Recorder records uploads, from their grant to the end of their record. It is
// safe for concurrent use, and any number of processes may share its table.
type Recorder struct {
	table   *table.Table
	landing *object.Bucket
	signer  *presign.Signer
	tracker *tracking.Tracker
	stage   tracking.Stage // waits for the upload
	worker  tracking.Stage // fails if the upload is rejected
	o       Options
	log     *slog.Logger

	cleaning dueindex.Pass
}

// New returns the Recorder of the uploads that signer grants into the landing
// bucket. Their records are tracker's; the announcements are stored in tb. A
// rejected upload fails the first required stage whose only dependency is the
// stage that waits for the upload; the pipeline must have one.
//
// New returns presign.ErrInvalid if a required argument is nil, if MaxSize is
// negative, or if the pipeline does not have these stages.
func New(tb *table.Table, landing *object.Bucket, signer *presign.Signer, tracker *tracking.Tracker,
	o *Options) (*Recorder, error) {
	switch {
	case tb == nil:
		return nil, invalidError("new", "table: must not be nil")
	case landing == nil:
		return nil, invalidError("new", "bucket: must not be nil")
	case signer == nil:
		return nil, invalidError("new", "signer: must not be nil")
	case tracker == nil:
		return nil, invalidError("new", "tracker: must not be nil")
	}
	r := &Recorder{table: tb, landing: landing, signer: signer, tracker: tracker}
	if o != nil {
		r.o = *o
	}
	if r.o.MaxSize < 0 {
		return nil, invalidError("new", "size limit %d: must be at least 0", r.o.MaxSize)
	}
	if err := r.findStages(tracker.Pipeline()); err != nil {
		return nil, err
	}
	if r.log = r.o.Log; r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	return r, nil
}

// findStages sets the stage of the upload and the stage that fails with it.
func (r *Recorder) findStages(p tracking.Pipeline) error {
	for _, s := range p.Stages {
		switch {
		case s.External && r.stage == "" && (r.o.Stage == "" || r.o.Stage == s.Stage):
			r.stage = s.Stage
		case !s.External && !s.Optional && r.worker == "" && slices.Equal(s.After, []tracking.Stage{r.stage}):
			r.worker = s.Stage
		}
	}
	switch {
	case r.stage == "" && r.o.Stage != "":
		return invalidError("new", "stage %q: must be an External stage of the pipeline %s", r.o.Stage, p.Name)
	case r.stage == "":
		return invalidError("new", "pipeline %s: must have an External stage", p.Name)
	case r.worker == "":
		return invalidError("new", "pipeline %s: must have a required stage whose After is %s", p.Name, r.stage)
	}
	return nil
}

func invalidError(op, format string, args ...any) error {
	return fmt.Errorf("arrivals: %s: %w %s", op, presign.ErrInvalid, fmt.Sprintf(format, args...))
}

// HandleMessage handles every event of a message from S3, in the forms that
// [presign.ParseEvent] accepts. If it returns nil, the message is done: each event
// is recorded, was recorded before, or was reported because it can never be
// recorded. It returns presign.ErrEvent if the message is invalid, which it
// reports to the signer's auditor. Any other error may be transient: deliver the
// whole message again, which is safe.
func (r *Recorder) HandleMessage(ctx context.Context, raw []byte) error {
	events, err := r.signer.Events(ctx, raw)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range events {
		if err := r.handleEvent(ctx, e); err != nil {
			errs = append(errs, fmt.Errorf("arrivals: %s: %w", e.Scope, err))
		}
	}
	return errors.Join(errs...)
}

// handleEvent handles one event. It makes the free checks first and verifies
// everything with the store.
func (r *Recorder) handleEvent(ctx context.Context, e presign.S3Event) error {
	if e.Scope.Level() != scope.SessionLevel {
		r.reportUngranted(ctx, e, "the object is not in a session")
		return nil
	}
	rec, err := r.tracker.Get(ctx, e.Scope)
	switch {
	case errors.Is(err, tracking.ErrNotFound): // the record always exists before the grant
		r.reportUngranted(ctx, e, "the session does not have a record")
		return nil
	case err != nil:
		return err
	case e.Name != rec.Filename && r.o.IsOwn != nil && r.o.IsOwn(e.Name):
		return nil
	case e.Name != rec.Filename:
		r.reportUngranted(ctx, e, "the session's record is of another file")
		return nil
	case rec.Terminal && rec.Status != tracking.StatusSuccess:
		return r.deleteLate(ctx, rec)
	case rec.Stage(r.stage).State == tracking.StateSuccess:
		return nil
	}
	ref, arrived, err := r.Look(ctx, rec, r.stage)
	if err != nil {
		return err
	}
	if !arrived { // an object exists before its event: this one is gone, was rejected, or never existed
		r.log.InfoContext(ctx, "arrival event without a usable upload", "scope", e.Scope.String(), "file", e.Name)
		return nil
	}
	rec, err = r.tracker.Observe(ctx, e.Scope, tracking.Observation{Stage: r.stage, Dest: ref})
	switch state, refused := errors.AsType[*tracking.StateError](err); {
	case refused && errors.Is(err, tracking.ErrTerminal):
		return r.deleteLate(ctx, state.Record)
	case err != nil:
		return err
	}
	r.log.InfoContext(ctx, "an upload has arrived", "scope", e.Scope.String(), "file", e.Name, "version", rec.Version)
	return nil
}

// reportUngranted reports an event that can never be recorded.
func (r *Recorder) reportUngranted(ctx context.Context, e presign.S3Event, reason string) {
	if r.o.Audit != nil {
		err := fmt.Errorf("arrivals: %w: %s: %.300q", ErrUngranted, reason, e.Name)
		r.o.Audit.Refused(ctx, scope.Refusal{Scope: e.Scope, Op: "arrivals.HandleMessage", Err: err})
	}
}
