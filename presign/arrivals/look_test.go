package arrivals_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tracking"
)

// A recorded upload is not looked for again, and keeps the pin of its first proof.
func TestArrivedReturnsTheRecordedFile(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	session := b.granted("cover.png", time.Hour)
	rec := must.Get(b.tracker.Get(t.Context(), session))
	_, err := b.recorder.Arrived(t.Context(), rec)
	require.ErrorIs(t, err, presign.ErrNotArrived)
	b.put(session, "cover.png", 1)
	first, err := b.recorder.Arrived(t.Context(), rec)
	require.NoError(t, err)
	rec = must.Get(b.tracker.Observe(t.Context(), session, tracking.Observation{Stage: tracking.UserUpload, Dest: first}))
	b.objects.broken.Store(true)
	again, err := b.recorder.Arrived(t.Context(), rec)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Equal(t, []scope.Scope{session}, b.grants.all, "its grant is closed once")
}

// A rejection that a crash cut off after its first write is found again, and can be made by the next worker.
func TestArrivedRepeatsARejectionThatWasCutOff(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	session := b.announced(arrivals.Upload{Filename: "cover.png", Size: 2})
	b.put(session, "cover.png", 1)
	rec := must.Get(b.tracker.Get(t.Context(), session))
	_, err := b.recorder.Arrived(t.Context(), rec)
	rejected, ok := errors.AsType[*presign.RejectedError](err)
	require.True(t, ok, err)
	attempt, err := b.tracker.Claim(t.Context(), session, tracking.Enrichment, &tracking.ClaimOptions{
		Key: "rejected", Source: rejected.Ref, Observed: &tracking.Observation{Stage: tracking.UserUpload, Dest: rejected.Ref},
	})
	require.NoError(t, err)
	require.NoError(t, attempt.Fail(t.Context(), errors.New("lost"))) // as a sweep does
	_, err = b.recorder.Arrived(t.Context(), attempt.Record())
	require.ErrorIs(t, err, presign.ErrMismatch)
}

// A grant that cannot be closed does not hold up the arrival.
func TestGrantThatCannotBeClosed(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.recorder = b.newRecorder(func(o *arrivals.Options) {
		o.CloseGrant = func(context.Context, scope.Scope) error { return errors.New("throttled") }
	})
	session := b.granted("cover.png", time.Hour)
	b.put(session, "cover.png", 1)
	b.arrives(session, "cover.png")
	require.Equal(t, tracking.StateSuccess, b.stage(session).State)
	require.Contains(t, b.log.text(), "close grant")
}

// The service says what people read about a rejected upload. Its record ends in any case, since the file is deleted.
func TestFailureOfARejectedUpload(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.recorder = b.newRecorder(func(o *arrivals.Options) {
		o.Failure = func(e *presign.RejectedError) *tracking.Error {
			return &tracking.Error{Code: "image_too_large", Message: "Choose a smaller photo.", Retryable: true, Err: e}
		}
	})
	session := b.granted("cover.png", time.Hour)
	b.put(session, "cover.png", maxSize+1)
	b.arrives(session, "cover.png")
	rec := must.Get(b.tracker.Get(t.Context(), session))
	require.True(t, rec.Terminal)
	require.Equal(t, "image_too_large", rec.Stage(tracking.Enrichment).Error.Code)
	require.Equal(t, "Choose a smaller photo.", rec.Stage(tracking.Enrichment).Error.Message)
	require.False(t, b.holds(session, "cover.png"))
}

// Discard deletes the upload only of a record that has failed permanently.
func TestDiscardKeepsUploadsInUse(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	for name, c := range map[string]struct {
		end  func(scope.Scope)
		kept bool
	}{
		"running":   {func(scope.Scope) {}, true},
		"accepted":  {b.accept, true},
		"cancelled": {func(s scope.Scope) { must.Get(b.tracker.Cancel(t.Context(), s)) }, false},
	} {
		session := b.granted("cover.png", time.Hour)
		b.put(session, "cover.png", 1)
		b.arrives(session, "cover.png")
		c.end(session)
		b.recorder.Discard(t.Context(), must.Get(b.tracker.Get(t.Context(), session)))
		require.Equal(t, c.kept, b.holds(session, "cover.png"), name)
	}
	session := b.granted("cover.png", time.Hour)
	must.Get(b.tracker.Cancel(t.Context(), session))
	b.objects.broken.Store(true)
	b.recorder.Discard(t.Context(), must.Get(b.tracker.Get(t.Context(), session)))
	require.Contains(t, b.log.text(), "delete upload")
	_, _, err := b.recorder.Look(t.Context(), tracking.Record{Scope: session, Filename: "cover.png"}, tracking.UserUpload)
	require.Error(t, err)
	require.NotErrorIs(t, err, object.ErrNotFound)
}

// An upload that may not stay is deleted at once, also if it arrives after the end of its record.
func TestLargeUploadAfterTheEndIsDeleted(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	session := b.granted("cover.png", time.Hour)
	must.Get(b.tracker.Cancel(t.Context(), session))
	b.put(session, "cover.png", maxSize+1)
	b.arrives(session, "cover.png")
	require.False(t, b.holds(session, "cover.png"))
	require.Empty(t, b.grants.all, "its URL uploads again until it expires")
}

// A look that is slow, and sees another object than the worker did, does not take a draft from its reviewer.
func TestLateRejectionLeavesDraftsAlone(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	session := b.granted("cover.png", time.Hour)
	stale := must.Get(b.tracker.Get(t.Context(), session))
	b.put(session, "cover.png", 1)
	ref := must.Get(b.recorder.Arrived(t.Context(), stale))
	attempt := must.Get(b.tracker.Claim(t.Context(), session, tracking.Enrichment, &tracking.ClaimOptions{
		Key: "run", Source: ref, Observed: &tracking.Observation{Stage: tracking.UserUpload, Dest: ref},
	}))
	require.NoError(t, attempt.Park(t.Context(), 0))
	b.put(session, "cover.png", maxSize+1)
	_, arrived, err := b.recorder.Look(t.Context(), stale, tracking.UserUpload)
	require.NoError(t, err)
	require.False(t, arrived)
	rec := must.Get(b.tracker.Get(t.Context(), session))
	require.Equal(t, tracking.StateWaiting, rec.Stage(tracking.Enrichment).State)
	require.True(t, b.holds(session, "cover.png"))
}

// An upload that is replaced while it is deleted is deleted, too.
func TestReplacedUploadIsDeleted(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	session := b.granted("cover.png", time.Hour)
	must.Get(b.tracker.Cancel(t.Context(), session))
	b.put(session, "cover.png", 1)
	b.objects.afterStat = func() { b.put(session, "cover.png", 2) }
	b.arrives(session, "cover.png")
	require.False(t, b.holds(session, "cover.png"))
}

// A record that ends while its upload is looked for loses the upload.
func TestUploadOfARecordThatEndsMeanwhileIsDeleted(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	session := b.granted("cover.png", time.Hour)
	b.put(session, "cover.png", 1)
	b.objects.afterStat = func() { must.Get(b.tracker.Cancel(t.Context(), session)) }
	b.arrives(session, "cover.png")
	require.False(t, b.holds(session, "cover.png"))
	require.Contains(t, b.log.text(), "after its record had ended")
}
