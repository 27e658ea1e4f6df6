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

const (
	// rejectedKey is the key of the attempt that records a rejection. A record that
	// has not ended under it was interrupted between the two writes.
	rejectedKey = "rejected"

	rejectLease = 30 * time.Second // longer than recording a rejection can take
)

// describeRejection is the default of Options.Failure.
func describeRejection(e *presign.RejectedError) *tracking.Error {
	if errors.Is(e, presign.ErrTooLarge) {
		return &tracking.Error{Code: "upload_too_large", Message: "The file is too large. Please upload a smaller one.",
			Err: e}
	}
	return &tracking.Error{
		Code: "upload_differs", Err: e,
		Message: "The file that arrived is not the one that was announced. Please upload it again.",
	}
}

// rejectUpload ends the record of a rejected upload and deletes the upload. It does
// nothing if the record already has another holder.
func (r *Recorder) rejectUpload(ctx context.Context, rec tracking.Record, e *presign.RejectedError) error {
	attempt, err := r.tracker.Claim(ctx, rec.Scope, r.worker, &tracking.ClaimOptions{
		Key: rejectedKey, Lease: rejectLease, Source: e.Ref,
		Observed:  &tracking.Observation{Stage: r.stage, Dest: e.Ref},
		Automatic: true, // leaves a draft that waits for review alone
	})
	if _, busy := errors.AsType[*tracking.StateError](err); busy {
		return nil
	}
	if err != nil {
		return err
	}
	describe := r.o.Failure
	if describe == nil {
		describe = describeRejection
	}
	failure := *describe(e)
	failure.Retryable = false // the object is deleted
	if err := attempt.Fail(ctx, &failure); err != nil {
		return err
	}
	r.log.WarnContext(ctx, "upload rejected", "scope", rec.Scope.String(), "file", rec.Filename, "err", e)
	r.Discard(ctx, attempt.Record())
	return nil
}

// deleteLate deletes an upload that arrived after its record had ended, if it
// exists, and logs it. Both the upload's event and Clean may find it first.
func (r *Recorder) deleteLate(ctx context.Context, rec tracking.Record) error {
	deleted, err := r.deleteUpload(ctx, rec)
	if err != nil {
		return err
	}
	if deleted {
		r.log.WarnContext(ctx, "upload arrived after its record had ended; deleted",
			"scope", rec.Scope.String(), "file", rec.Filename, "status", rec.Status, "reason", rec.Reason)
	}
	return nil
}

// Discard deletes the upload of a record that has failed permanently, was
// cancelled or was abandoned. It ignores other records. If the deletion fails,
// Discard logs the error, and [Recorder.Clean] tries again later.
func (r *Recorder) Discard(ctx context.Context, rec tracking.Record) {
	if !rec.Terminal || rec.Status == tracking.StatusSuccess {
		return
	}
	if _, err := r.deleteUpload(ctx, rec); err != nil {
		r.log.WarnContext(ctx, "delete upload", "scope", rec.Scope.String(), "file", rec.Filename, "err", err)
	}
}

// deleteUpload deletes the record's file and reports whether there was one.
func (r *Recorder) deleteUpload(ctx context.Context, rec tracking.Record) (bool, error) {
	root, err := r.landing.In(rec.Scope)
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
