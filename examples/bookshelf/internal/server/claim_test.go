package server_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tracking"
)

// claimAs takes the stage of an upload for a run, as another process does.
func (w *world) claimAs(id, run string, o tracking.ClaimOptions) *tracking.Attempt {
	w.t.Helper()
	session := w.session(id)
	root, err := w.landing.In(session)
	require.NoError(w.t, err)
	var upload object.Ref
	for upload, err = range root.List(w.t.Context()) {
		require.NoError(w.t, err)
	}
	o.Key, o.Source = run, upload
	o.Observed = &tracking.Observation{Stage: tracking.UserUpload, Dest: upload}
	attempt, err := w.tracker.Claim(w.t.Context(), session, tracking.Enrichment, &o)
	require.NoError(w.t, err)
	return attempt
}

// A process that had the run before, and was frozen, claims the stage after this one has read the record.
func TestAClaimForTheSameRunDoesNotFailIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	claim := func() { w.claimAs(id, id+".1", tracking.ClaimOptions{}) }
	w.rows.onRecord.Store(&claim)
	require.Equal(t, "complete", w.extract(id).last(t)["type"])
	require.Nil(t, w.rows.onRecord.Load())
	require.Equal(t, http.StatusOK, w.accept(id, emma).Status, "the stage waits for review")
}

// A claim for other work ends the run, which does not take the stage from it.
func TestAClaimForOtherWorkFailsTheRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	var other *tracking.Attempt
	claim := func() { other = w.claimAs(id, "other", tracking.ClaimOptions{}) }
	w.rows.onRecord.Store(&claim)
	require.Equal(t, "conflict", w.extract(id).last(t)["code"])
	require.NoError(t, other.Heartbeat(t.Context()))
}
