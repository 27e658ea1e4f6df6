package arrivals

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// Reasons of a rejected event, for an Auditor to test with errors.Is.
var (
	// ErrLevel is reported if the object is not in a session and so cannot be an upload.
	ErrLevel = errors.New("arrivals: not an upload")

	// ErrUnknown is reported if the session does not have a record, so an upload was never granted.
	ErrUnknown = errors.New("arrivals: no such upload")

	// ErrForeign is reported if the session's upload was granted for another file.
	ErrForeign = errors.New("arrivals: not the granted file")
)

// Options configures [New]. Nil means the defaults.
type Options struct {
	// MaxSize is the largest accepted upload in bytes. Zero means no limit.
	MaxSize int64

	// Grants closes the grant of each upload that arrives. If nil, grants are not closed.
	Grants interface {
		CloseGrant(ctx context.Context, session scope.Scope) error
	}

	// Retention is how long the tracker keeps a record after it has ended. Zero means forever.
	Retention time.Duration

	// Forget is called for a session whose record is gone, to delete the rest of its data. It may be called
	// again. If nil, nothing is called.
	Forget func(ctx context.Context, session scope.Scope) error

	// Audit receives each event about an upload that was never granted. If nil, they are not reported.
	Audit scope.Auditor

	// Log receives a line for each arrival: at Info for recorded and unconfirmed uploads, at Warn for rejected and
	// late ones and for failed deletions. If nil, nothing is logged.
	Log *slog.Logger
}

// Desk handles uploads from their grant to the end of their record. It is safe for concurrent use.
type Desk struct {
	table   *table.Table
	landing *object.Bucket
	signer  *presign.Signer
	tracker *tracking.Tracker
	o       Options
	log     *slog.Logger

	cleaning sync.Mutex
	pass     pass // position of Clean
}

// New returns the desk for the uploads that signer grants into the landing bucket. Their records are tracker's, in the
// pipeline of [tracking.Uploads]. Notes about them are stored in the tracker's table.
func New(tb *table.Table, landing *object.Bucket, signer *presign.Signer, tracker *tracking.Tracker, o *Options) *Desk {
	d := &Desk{table: tb, landing: landing, signer: signer, tracker: tracker}
	if o != nil {
		d.o = *o
	}
	if d.log = d.o.Log; d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	return d
}

// Message handles every event of a message. If it returns nil, the message is done: each event is recorded, was recorded
// before, or was reported because it can never be recorded. It returns presign.ErrEvent if the message is invalid, which
// it reports to the signer's auditor. Any other error may be transient: deliver the whole message again, which is safe.
func (d *Desk) Message(ctx context.Context, raw []byte) error {
	events, err := d.signer.Events(ctx, raw)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range events {
		if err := d.event(ctx, e); err != nil {
			errs = append(errs, fmt.Errorf("arrivals: %s: %w", e.Scope, err))
		}
	}
	return errors.Join(errs...)
}

// event handles one event. It makes the free checks first and verifies everything with the store.
func (d *Desk) event(ctx context.Context, e presign.S3Event) error {
	if e.Scope.Level() != scope.SessionLevel {
		return d.refuse(ctx, e, ErrLevel)
	}
	rec, err := d.tracker.Get(ctx, e.Scope)
	switch {
	case errors.Is(err, tracking.ErrNotFound): // the record always exists before the grant
		return d.refuse(ctx, e, ErrUnknown)
	case err != nil:
		return err
	case e.Name != rec.Filename:
		return d.refuse(ctx, e, ErrForeign)
	case rec.Terminal && rec.Status != tracking.StatusSuccess:
		return d.late(ctx, rec, e.Time)
	case rec.Stage(tracking.UserUpload).State == tracking.StateSuccess:
		return nil
	}
	ref, arrived, err := d.Look(ctx, rec, tracking.UserUpload)
	if err != nil {
		return err
	}
	if !arrived { // an object exists before its event: this one is gone, was rejected, or never existed
		d.log.InfoContext(ctx, "arrival event without a usable upload",
			"scope", e.Scope.String(), "file", e.Name)
		return nil
	}
	rec, err = d.tracker.Observe(ctx, e.Scope, tracking.Observation{Stage: tracking.UserUpload, Dest: ref})
	switch state, refused := errors.AsType[*tracking.StateError](err); {
	case refused && errors.Is(err, tracking.ErrTerminal):
		return d.late(ctx, state.Record, e.Time)
	case err != nil:
		return err
	}
	d.Close(ctx, e.Scope)
	d.log.InfoContext(ctx, "an upload has arrived", "scope", e.Scope.String(), "file", e.Name, "version", rec.Version)
	return nil
}

// Close closes the grant of an upload that has arrived. If that fails, the grant counts until it expires.
func (d *Desk) Close(ctx context.Context, session scope.Scope) {
	if d.o.Grants == nil {
		return
	}
	if err := d.o.Grants.CloseGrant(ctx, session); err != nil {
		d.log.WarnContext(ctx, "close grant", "scope", session.String(), "err", err)
	}
}

// Arrived returns the record's file, pinned, if it exists and matches its announcement. Otherwise it returns
// presign.ErrNotArrived, a *presign.RejectedError, or an error that may be transient.
func (d *Desk) Arrived(ctx context.Context, rec tracking.Record) (object.Ref, error) {
	want, err := d.announced(ctx, rec.Scope)
	if err != nil {
		return object.Ref{}, err
	}
	ref, _, err := d.signer.Arrived(ctx, rec.Scope, rec.Filename, &presign.ArrivedOptions{
		MaxSize: d.o.MaxSize, Size: want.Size, SHA256: want.SHA256,
	})
	return ref, err
}

// Look asks the store for the record's file and returns it. If the file does not match its announcement, Look ends the
// record, deletes the file and reports that nothing has arrived. A sweep uses it too: see [tracking.SweepOptions]. It
// supports only the upload stage.
func (d *Desk) Look(ctx context.Context, rec tracking.Record, st tracking.Stage) (object.Ref, bool, error) {
	if st != tracking.UserUpload {
		return object.Ref{}, false, fmt.Errorf("arrivals: look: %w: %s", tracking.ErrStage, st)
	}
	ref, err := d.Arrived(ctx, rec)
	if errors.Is(err, presign.ErrNotArrived) {
		return object.Ref{}, false, nil
	}
	if rejected, ok := errors.AsType[*presign.RejectedError](err); ok {
		return object.Ref{}, false, d.reject(ctx, rec, rejected)
	}
	return ref, err == nil, err
}

// refuse reports an event that can never be recorded. The event is then done.
func (d *Desk) refuse(ctx context.Context, e presign.S3Event, why error) error {
	if d.o.Audit != nil {
		err := fmt.Errorf("%w: %.300q", why, e.Name)
		d.o.Audit.Refused(ctx, scope.Refusal{Scope: e.Scope, Op: "arrivals.Message", Err: err})
	}
	return nil
}
