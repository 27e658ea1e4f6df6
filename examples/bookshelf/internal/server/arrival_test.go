package server_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tracking"
)

// announced makes a session for a file of which the client has said this, and puts another file there, as a store
// would take it that does not check.
func (w *world) announced(q url.Values, content []byte) string {
	w.t.Helper()
	q.Set("filename", "cover.png")
	r := w.get("/api/upload/presigned?" + q.Encode())
	require.Equal(w.t, http.StatusOK, r.Status, r.Body)
	id := r.json(w.t)["session_id"].(string)
	root, err := w.landing.In(w.session(id))
	require.NoError(w.t, err)
	ref, err := root.Ref("cover.png")
	require.NoError(w.t, err)
	_, _, err = root.Put(w.t.Context(), ref, bytes.NewReader(content), nil)
	require.NoError(w.t, err)
	return id
}

func (w *world) landed(id string) bool {
	w.t.Helper()
	root, err := w.landing.In(w.session(id))
	require.NoError(w.t, err)
	ref, err := root.Ref("cover.png")
	require.NoError(w.t, err)
	_, _, err = root.Stat(w.t.Context(), ref)
	require.True(w.t, err == nil || errors.Is(err, object.ErrNotFound), err)
	return err == nil
}

// An unusable upload is deleted when the first look finds it, and the record has the reason.
func TestRejectedUploadsAreDeleted(t *testing.T) {
	t.Parallel()
	whole := picture(t)
	sum := sha256.Sum256(whole)
	digest := base64.StdEncoding.EncodeToString(sum[:])
	for name, c := range map[string]struct {
		announced url.Values
		content   []byte
		code      string
	}{
		"no image":        {url.Values{}, []byte("text"), "not_an_image"},
		"too large":       {url.Values{}, make([]byte, server.MaxUpload+1), "image_too_large"},
		"another size":    {url.Values{"size": {strconv.Itoa(len(whole) + 1)}}, whole, "upload_differs"},
		"another content": {url.Values{"sha256": {digest}}, append(bytes.Clone(whole), 0), "upload_differs"},
		"as announced":    {url.Values{"size": {strconv.Itoa(len(whole))}, "sha256": {digest}}, whole, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.announced(c.announced, c.content)
			last := w.extract(id).last(t)
			if c.code == "" {
				require.Equal(t, "complete", last["type"])
				require.True(t, w.landed(id))
				return
			}
			require.Equal(t, c.code, last["code"])
			require.False(t, w.landed(id))
			r := w.extract(id)
			require.Equal(t, http.StatusConflict, r.Status)
			require.Contains(t, r.json(t)["detail"], last["message"], "who asks again is told why")
		})
	}
}

// A rejection that a crash cut off after its first write is made by the next extract.
func TestRejectionThatWasCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	whole := picture(t)
	id := w.announced(url.Values{"size": {strconv.Itoa(len(whole) + 1)}}, whole)
	root, err := w.landing.In(w.session(id))
	require.NoError(t, err)
	ref, err := root.Ref("cover.png")
	require.NoError(t, err)
	ref, _, err = root.Stat(t.Context(), ref)
	require.NoError(t, err)
	attempt, err := w.tracker.Claim(t.Context(), w.session(id), tracking.Enrichment, &tracking.ClaimOptions{
		Key: "rejected", Source: ref,
		Observed: &tracking.Observation{Stage: tracking.UserUpload, Dest: ref},
	})
	require.NoError(t, err)
	require.NoError(t, attempt.Fail(t.Context(), errors.New("lost"))) // as a sweep does
	require.Equal(t, "upload_differs", w.extract(id).last(t)["code"])
}

// A failure that may pass deletes nothing.
func TestFailedRunsKeepTheUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model.then(fail(throttled))
	id := w.uploaded(picture(t))
	require.Equal(t, "error", w.extract(id).last(t)["type"])
	require.True(t, w.landed(id))
	require.Equal(t, "complete", w.extract(id).last(t)["type"])
}

// A grant counts until the first extract has found its upload, also where no event comes.
func TestExtractClosesTheGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options
	var err error
	o.Admission, err = admission.New(w.table.System(), &admission.Options{Grants: 1})
	require.NoError(t, err)
	o.Arrivals = w.newRecorder(o.Admission)
	w.open(o)
	id := w.uploaded(picture(t))
	r := w.get("/api/upload/presigned?filename=next.png")
	require.Equal(t, http.StatusTooManyRequests, r.Status, r.Body)
	require.NotEmpty(t, r.Header.Get("Retry-After"))
	require.Equal(t, "complete", w.extract(id).last(t)["type"])
	require.Equal(t, http.StatusOK, w.get("/api/upload/presigned?filename=next.png").Status)
}

// A second run of a user waits until the first has ended, and a third is rejected, because the queue is full.
func TestRunsBeyondTheLimitsWaitInTheQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options
	var err error
	o.Admission, err = admission.New(w.table.System(), &admission.Options{UserRuns: 1, Queue: 1})
	require.NoError(t, err)
	w.open(o)
	hold, err := o.Admission.Enter(t.Context(), w.session(w.uploaded(picture(t))), "another run")
	require.NoError(t, err)
	first, second := w.uploaded(picture(t)), w.uploaded(picture(t))
	waiting := w.queue("/api/metadata/extract", map[string]any{"session_id": first})
	r := w.extract(second)
	require.Equal(t, http.StatusTooManyRequests, r.Status, r.Body)
	require.NotEmpty(t, r.Header.Get("Retry-After"))
	require.NoError(t, hold.Leave(t.Context()))
	waited := <-waiting
	require.Equal(t, "complete", waited.last(t)["type"])
	require.Equal(t, []any{"run_queued", "run_started"}, waited.kinds(t)[:2])
	require.Equal(t, "complete", w.extract(second).last(t)["type"])
}

// A grant that cannot be tracked is not given, and does not count.
func TestUntrackedGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options
	var err error
	o.Admission, err = admission.New(w.table.System(), &admission.Options{Grants: 1})
	require.NoError(t, err)
	w.open(o)
	w.rows.allow.Store(1) // the slot can be taken, and nothing else be written
	w.rows.refuse.Store(true)
	require.Equal(t, http.StatusInternalServerError, w.get("/api/upload/presigned?filename=cover.png").Status)
	w.rows.refuse.Store(false)
	require.Equal(t, http.StatusOK, w.get("/api/upload/presigned?filename=cover.png").Status)
}

// The conversation is deleted with its record.
func TestForgetHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	require.Equal(t, "complete", w.extract(id).last(t)["type"])
	require.Equal(t, "complete", w.extract(id).last(t)["type"])
	require.Equal(t, 2, w.turns(id))
	require.NoError(t, w.history.Delete(t.Context(), w.session(id)))
	require.Zero(t, w.turns(id))
	w.stages(id) // the record is the tracker's, and stays
}
