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

// Why an event is refused: what an Auditor is told, by errors.Is.
var (
	// ErrLevel: the object is in no session, so it is nobody's upload.
	ErrLevel = errors.New("arrivals: not an upload")

	// ErrUnknown: the session has no record, so nobody was granted an upload into it.
	ErrUnknown = errors.New("arrivals: no such upload")

	// ErrForeign: the object is not the file that the session's upload was granted for.
	ErrForeign = errors.New("arrivals: another file than the one that was granted")
)

// Options configures [New]. Nil means all defaults.
type Options struct {
	// MaxSize is the largest accepted upload in bytes. Zero means no limit.
	MaxSize int64

	// Grants is told of each arrival, and closes the grant. If nil, nothing is closed.
	Grants interface {
		Close(ctx context.Context, session scope.Scope) error
	}

	// Retention is the tracker's: how long a record is kept after it has ended. Zero means for ever.
	Retention time.Duration

	// Forget is called for a session whose record is gone, to delete what else is kept of it. It may be called
	// again. If nil, nothing is called.
	Forget func(ctx context.Context, session scope.Scope) error

	// Audit receives each event about something that nobody was granted. If nil, such events are not reported.
	Audit scope.Auditor

	// Log gets a line for each arrival: at Info an upload that was recorded or could not be confirmed, at Warn one that
	// was rejected or arrived after its record had ended, and what could not be deleted. If nil, nothing is logged.
	Log *slog.Logger
}

// Desk deals with uploads from their grant to the end of their record. It is safe for concurrent use.
type Desk struct {
	table   *table.Table
	landing *object.Bucket
	signer  *presign.Signer
	tracker *tracking.Tracker
	o       Options
	log     *slog.Logger

	cleaning sync.Mutex
	pass     pass // of Clean
}

// New returns the desk for the uploads that signer grants into the landing bucket and tracker tracks, by the pipeline
// of [tracking.Uploads]. Notes about them are kept in the tracker's table.
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

// Message deals with every event of a message. Without an error all of them have been dealt with, and the message is
// done: recorded, recorded before, or reported where it can never be recorded. With presign.ErrEvent the message is
// none, which has been reported to the signer's auditor. Any other error may pass: the message is to be given again,
// whole, which does no harm.
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

// event deals with one event. It checks first what costs nothing, and asks the store before it believes anything.
func (d *Desk) event(ctx context.Context, e presign.S3Event) error {
	if e.Scope.Level() != scope.SessionLevel {
		return d.refuse(ctx, e, ErrLevel)
	}
	rec, err := d.tracker.Get(ctx, e.Scope)
	switch {
	case errors.Is(err, tracking.ErrNotFound): // the record is made before the grant is given away
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
	if !arrived { // S3 shows an object before it tells of it: this one is gone again, was rejected, or never was
		d.log.InfoContext(ctx, "an upload was said to have arrived and cannot be used",
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
	if err := d.o.Grants.Close(ctx, session); err != nil {
		d.log.WarnContext(ctx, "a grant could not be closed", "scope", session.String(), "err", err)
	}
}

// Arrived returns the record's file, pinned, if it is there and is what was announced. The error is
// presign.ErrNotArrived, a *presign.RejectedError, or one that may pass.
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

// Look asks the store whether the record's file is there, and returns it. A file that is not what was announced ends
// the record and is deleted; Look then reports that nothing has arrived. A sweep looks with it, too: see
// [tracking.SweepOptions]. It knows no stage but the upload.
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

// refuse reports an event that can never be recorded; it has been dealt with.
func (d *Desk) refuse(ctx context.Context, e presign.S3Event, why error) error {
	if d.o.Audit != nil {
		err := fmt.Errorf("%w: %.300q", why, e.Name)
		d.o.Audit.Refused(ctx, scope.Refusal{Scope: e.Scope, Op: "arrivals.Message", Err: err})
	}
	return nil
}
