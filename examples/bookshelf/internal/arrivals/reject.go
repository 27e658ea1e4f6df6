package arrivals

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tracking"
)

// Failure codes of records whose upload was rejected.
const (
	TooLarge = "image_too_large" // larger than the limit
	Differs  = "upload_differs"  // the size or the digest differs from the announcement
)

// RejectedKey is the key of the attempt that records a rejection. If such an attempt has not ended, it was interrupted.
const RejectedKey = "rejected"

const rejectLease = 30 * time.Second // longer than recording a rejection can take

// Failure returns the public error of a rejected upload, for the record and the browser.
func Failure(e *presign.RejectedError) *tracking.Error {
	f := &tracking.Error{
		Code: Differs, Err: e,
		Message: "The file that arrived is not the one that was announced. Please upload it again.",
	}
	if errors.Is(e, presign.ErrTooLarge) {
		f.Code, f.Message = TooLarge, "The file is too large. Please upload a smaller one."
	}
	return f
}

// reject ends the record of a rejected upload and deletes the upload. It does nothing if the record already has
// another holder.
func (d *Desk) reject(ctx context.Context, rec tracking.Record, e *presign.RejectedError) error {
	attempt, err := d.tracker.Claim(ctx, rec.Scope, tracking.Enrichment, &tracking.ClaimOptions{
		Key: RejectedKey, Lease: rejectLease, Source: e.Ref,
		Observed:  &tracking.Observation{Stage: tracking.UserUpload, Dest: e.Ref},
		Automatic: true, // leaves a draft that waits for review alone
	})
	if _, busy := errors.AsType[*tracking.StateError](err); busy {
		return nil
	}
	if err != nil {
		return err
	}
	if err := attempt.Fail(ctx, Failure(e)); err != nil {
		return err
	}
	d.log.WarnContext(ctx, "upload rejected", "scope", rec.Scope.String(), "file", rec.Filename, "err", e)
	d.Discard(ctx, attempt.Record())
	return nil
}

// late deletes an upload that arrived after its record had ended, if it exists.
func (d *Desk) late(ctx context.Context, rec tracking.Record, at time.Time) error {
	deleted, err := d.remove(ctx, rec)
	if err != nil {
		return err
	}
	if deleted {
		d.log.WarnContext(ctx, "upload arrived after its record had ended; deleted",
			"scope", rec.Scope.String(), "file", rec.Filename, "status", rec.Status, "reason", rec.Reason, "arrived", at)
	}
	return nil
}

// Discard deletes the upload of a record that has failed permanently. It ignores other records. If deleting fails,
// [Desk.Clean] tries again later.
func (d *Desk) Discard(ctx context.Context, rec tracking.Record) {
	if !rec.Terminal || rec.Status == tracking.StatusSuccess {
		return
	}
	if _, err := d.remove(ctx, rec); err != nil {
		d.log.WarnContext(ctx, "delete upload",
			"scope", rec.Scope.String(), "file", rec.Filename, "err", err)
	}
}

// remove deletes the record's file and reports whether there was one.
func (d *Desk) remove(ctx context.Context, rec tracking.Record) (bool, error) {
	root, err := d.landing.In(rec.Scope)
	if err != nil {
		return false, err
	}
	ref, err := root.Ref(rec.Filename)
	if err != nil {
		return false, err
	}
	for range 3 { // another upload may replace the object after the check
		pinned, _, err := root.Stat(ctx, ref)
		if errors.Is(err, object.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if err = root.Delete(ctx, pinned); !errors.Is(err, object.ErrChanged) {
			return err == nil, err
		}
	}
	return false, fmt.Errorf("%w repeatedly", object.ErrChanged)
}
