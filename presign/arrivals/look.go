package arrivals

import (
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tracking"
)

// Arrived returns the record's file, pinned: the recorded one if its arrival has
// been recorded, otherwise the one in the store if it exists and matches its
// announcement. It closes the grant of a file that it finds in the store. It does
// not change the record: a caller who works on the file passes it as
// [tracking.ClaimOptions.Observed].
//
// It returns presign.ErrNotArrived if the file does not exist, and a
// *presign.RejectedError if the file does not match its announcement or exceeds
// Options.MaxSize. Any other error may be transient.
func (r *Recorder) Arrived(ctx context.Context, rec tracking.Record) (object.Ref, error) {
	up := rec.Stage(r.stage)
	if up.State == tracking.StateSuccess && rec.Stage(r.worker).Key != rejectedKey {
		root, err := r.landing.In(rec.Scope)
		if err != nil {
			return object.Ref{}, fmt.Errorf("arrivals: arrived: %w", err)
		}
		return up.Destination.Ref(root)
	}
	u, err := r.readAnnouncement(ctx, rec.Scope)
	if err != nil {
		return object.Ref{}, fmt.Errorf("arrivals: arrived: %w", err)
	}
	ref, _, err := r.signer.Arrived(ctx, rec.Scope, rec.Filename, &presign.ArrivedOptions{
		MaxSize: r.o.MaxSize, Size: u.Size, SHA256: u.SHA256,
	})
	if err == nil && r.o.CloseGrant != nil {
		if err := r.o.CloseGrant(ctx, rec.Scope); err != nil { // the grant counts until it expires
			r.log.WarnContext(ctx, "close grant", "scope", rec.Scope.String(), "err", err)
		}
	}
	return ref, err
}

// Look looks for the file of a record in the store, as
// [tracking.SweepOptions.Look] requires. If the file does not match its
// announcement, Look ends the record, deletes the file and reports that it has not
// arrived. It returns tracking.ErrStage for a stage that does not wait for the
// upload.
func (r *Recorder) Look(ctx context.Context, rec tracking.Record, st tracking.Stage) (object.Ref, bool, error) {
	if st != r.stage {
		return object.Ref{}, false, fmt.Errorf("arrivals: look: %w: %s", tracking.ErrStage, st)
	}
	ref, err := r.Arrived(ctx, rec)
	if errors.Is(err, presign.ErrNotArrived) {
		return object.Ref{}, false, nil
	}
	if rejected, ok := errors.AsType[*presign.RejectedError](err); ok {
		return object.Ref{}, false, r.rejectUpload(ctx, rec, rejected)
	}
	return ref, err == nil, err
}
