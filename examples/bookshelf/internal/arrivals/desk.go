package arrivals

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
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

// Options of [New]. Nil is valid.
type Options struct {
	// Audit is told of each event that is about something that nobody was granted. Default: nobody is told.
	Audit scope.Auditor

	// Log gets a line for each arrival: at Info what was recorded and what could not be confirmed, at Warn an upload
	// that arrived after its record had ended. Default: nothing is logged.
	Log *slog.Logger
}

// Desk is where messages are dealt with. It is safe for concurrent use.
type Desk struct {
	signer  *presign.Signer
	tracker *tracking.Tracker
	audit   scope.Auditor // may be nil
	log     *slog.Logger
}

// New returns the desk for the uploads that signer grants and tracker tracks, by the pipeline of [tracking.Uploads].
func New(signer *presign.Signer, tracker *tracking.Tracker, o *Options) *Desk {
	d := &Desk{signer: signer, tracker: tracker, log: slog.New(slog.DiscardHandler)}
	if o != nil {
		d.audit = o.Audit
		if o.Log != nil {
			d.log = o.Log
		}
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

// event deals with one. What costs nothing is looked at first, and the store is asked before anything is believed.
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
	case rec.Stage(tracking.UserUpload).State == tracking.StateSuccess:
		return nil
	}
	ref, arrived, err := d.Look(ctx, rec, tracking.UserUpload)
	if err != nil {
		return err
	}
	if !arrived { // S3 shows an object before it tells of it: this one is gone again, or never was
		d.log.InfoContext(ctx, "an upload was said to have arrived and is not there", "scope", e.Scope.String(), "file", e.Name)
		return nil
	}
	rec, err = d.tracker.Observe(ctx, e.Scope, tracking.Observation{Stage: tracking.UserUpload, Dest: ref})
	switch state, refused := errors.AsType[*tracking.StateError](err); {
	case refused && errors.Is(err, tracking.ErrTerminal):
		d.log.WarnContext(ctx, "an upload arrived after its record had ended", "scope", e.Scope.String(), "file", e.Name,
			"status", state.Record.Status, "reason", state.Record.Reason, "arrived", e.Time)
		return nil
	case err != nil:
		return err
	}
	d.log.InfoContext(ctx, "an upload has arrived", "scope", e.Scope.String(), "file", e.Name, "version", rec.Version)
	return nil
}

// Look asks the store whether the record's file is there, whatever its size, and returns what is. It is what a sweep
// looks with, too: see [tracking.SweepOptions]. It knows of no stage but the upload.
func (d *Desk) Look(ctx context.Context, rec tracking.Record, st tracking.Stage) (object.Ref, bool, error) {
	if st != tracking.UserUpload {
		return object.Ref{}, false, fmt.Errorf("arrivals: look: %w: %s", tracking.ErrStage, st)
	}
	ref, _, err := d.signer.Arrived(ctx, rec.Scope, rec.Filename, nil)
	if errors.Is(err, presign.ErrNotArrived) {
		return object.Ref{}, false, nil
	}
	return ref, err == nil, err
}

// refuse reports an event that can never be recorded; it has been dealt with.
func (d *Desk) refuse(ctx context.Context, e presign.S3Event, why error) error {
	if d.audit != nil {
		d.audit.Refused(ctx, scope.Refusal{Scope: e.Scope, Op: "arrivals.Message", Err: fmt.Errorf("%w: %.300q", why, e.Name)})
	}
	return nil
}
