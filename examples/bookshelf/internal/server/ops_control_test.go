package server_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tracking"
)

func (w *world) retry(id string) reply {
	return w.do(w.t.Context(), "POST", "/api/ops/files/"+id+"/retry", "")
}
func (w *world) cancel(id string) reply {
	return w.do(w.t.Context(), "POST", "/api/ops/files/"+id+"/cancel", "")
}

// failed makes an upload whose run has failed, and can be retried.
func (w *world) failed() string {
	w.t.Helper()
	id := w.uploaded(picture(w.t))
	w.model.then(fail(throttled))
	require.Equal(w.t, "error", w.extract(id).last(w.t)["type"])
	require.Equal(w.t, tracking.ClassFailed, w.record(id).Class())
	return id
}

func (w *world) record(id string) tracking.Record {
	w.t.Helper()
	rec, err := w.tracker.Get(w.t.Context(), w.session(id))
	require.NoError(w.t, err)
	return rec
}

// requireConflict requires a 409 with the current record.
func (w *world) requireConflict(r reply, status string) {
	w.t.Helper()
	require.Equal(w.t, http.StatusConflict, r.Status, r.Body)
	require.Equal(w.t, status, r.json(w.t)["file"].(map[string]any)["current_status"])
}

// The rows of a list are complete: a page draws them without a second request.
func TestRowsAreComplete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann"
	id := w.failed()
	row := w.get("/api/ops/files").json(t)["files"].([]any)[0].(map[string]any)
	rec := w.record(id)
	require.Equal(t, map[string]any{
		"upload_id": id, "user_id": "ann", "filename": "cover.png", "own": true,
		"created_at": rec.Created().Format("2006-01-02T15:04:05.000Z"), "changed_at": rec.Changed.Format("2006-01-02T15:04:05.000Z"),
		"current_status": "FAILED", "class": "failed", "stage": "enrichment", "state": "failed",
		"reason": "throttled", "retryable": true,
	}, row)

	w.model.then(call("c1", "set_field", `{"field":"title","value":"Emma <b>"}`), say("Done."))
	require.Equal(t, "complete", w.extract(id).last(t)["type"])
	row = w.get("/api/ops/files?status=waiting").json(t)["files"].([]any)[0].(map[string]any)
	require.Equal(t, "Emma <b>", row["title"])
	file := w.get("/api/ops/files/" + id).json(t)["file"].(map[string]any)
	for _, member := range []string{"title", "own", "class", "stage", "state", "changed_at", "created_at", "filename", "current_status"} {
		require.Equal(t, row[member], file[member], member)
	}
	require.Equal(t, http.StatusOK, w.accept(id, map[string]any{"title": "Emma"}).Status)
	row = w.get("/api/ops/files?status=success").json(t)["files"].([]any)[0].(map[string]any)
	require.Equal(t, "Emma", row["title"], "the accepted title, not the reader's")
	id = w.uploaded(picture(t))
	w.model.then(call("c1", "set_field", `{"field":"title","value":"Emma"}`), say("Done."))
	require.Equal(t, "complete", w.extract(id).last(t)["type"])
	require.Equal(t, http.StatusOK, w.accept(id, map[string]any{"author": "Jane Austen"}).Status)
	row = w.get("/api/ops/files/" + id).json(t)["file"].(map[string]any)
	require.Empty(t, row["title"], "the person has removed the title")
	w.as = "acme carol ops"
	row = w.get("/api/ops/files").json(t)["files"].([]any)[0].(map[string]any)
	require.Equal(t, false, row["own"])
	require.InDelta(t, 0, w.get("/api/ops/counts?owner=me").json(t)["all"], 0)
	require.Equal(t, http.StatusBadRequest, w.get("/api/ops/counts?owner=ann").Status)
}

// An unchanged answer is not sent again, and the answer of another caller is another one.
func TestUnchangedListsAreNotSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann"
	id := w.granted("cover.png")
	for _, path := range []string{"/api/ops/files", "/api/ops/files/" + id, "/api/ops/counts"} {
		tag := w.get(path).Header.Get("ETag")
		require.NotEmpty(t, tag)
		r := w.ask("GET", path, "", "If-None-Match", tag)
		require.Equal(t, http.StatusNotModified, r.Status)
		require.Empty(t, r.Body)
		require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
	}
	tag := w.get("/api/ops/files").Header.Get("ETag")
	require.Equal(t, http.StatusOK, w.cancel(id).Status)
	require.Equal(t, http.StatusOK, w.ask("GET", "/api/ops/files", "", "If-None-Match", tag).Status)
	w.as = "acme bob"
	require.Equal(t, http.StatusOK, w.ask("GET", "/api/ops/files", "", "If-None-Match", tag).Status)
}

func TestARetryStartsARun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.failed()
	w.model.then(call("c1", "set_field", `{"field":"title","value":"Emma"}`), say("Done."))
	r := w.retry(id)
	require.Equal(t, http.StatusOK, r.Status, r.Body)
	require.Equal(t, id+".2", r.json(t)["run_id"])
	require.Equal(t, "/api/runs/"+id+".2/events", r.Header.Get("Location"))
	require.Equal(t, "complete", w.get(r.Header.Get("Location")).last(t)["type"])
	require.Equal(t, 2, w.record(id).Stage(tracking.Enrichment).Attempt)
	require.Equal(t, r.json(t), w.retry(id).json(t), "the answer was lost, and the run was quick")
	require.Equal(t, http.StatusOK, w.accept(id, emma).Status)
	w.requireConflict(w.retry(id), "SUCCESS")
	require.Equal(t, http.StatusNotFound, w.get("/api/runs/"+id+".3/events").Status, "nothing else was started")
}

// A retry that fails can be retried.
func TestARetryIsRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.failed()
	for _, run := range []string{".2", ".3"} {
		w.model.then(fail(throttled))
		r := w.retry(id)
		require.Equal(t, id+run, r.json(t)["run_id"], r.Body)
		require.Equal(t, "error", w.get(r.Header.Get("Location")).last(t)["type"])
	}
}

// Of many retries at the same time, one starts a run, and all answer with it.
func TestManyRetriesAtOnceStartOneRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.failed()
	started, until := make(chan struct{}), make(chan struct{})
	w.model.then(hold(started, until))
	replies := make([]reply, 12)
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() { replies[i] = w.retry(id) })
	}
	all.Wait()
	for _, r := range replies {
		require.Equal(t, http.StatusOK, r.Status, r.Body)
		require.Equal(t, id+".2", r.json(t)["run_id"])
	}
	<-started
	require.Equal(t, id+".2", w.retry(id).json(t)["run_id"])
	close(until)
	require.Equal(t, "complete", w.follow(id+".2", "").last(t)["type"])
	require.Equal(t, 2, w.record(id).Stage(tracking.Enrichment).Attempt)
}

func TestOnlyAFailedUploadIsRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.requireConflict(w.retry(w.granted("cover.png")), "IN_PROGRESS")

	id := w.uploaded([]byte("not an image"))
	require.Equal(t, "not_an_image", w.extract(id).last(t)["code"])
	w.requireConflict(w.retry(id), "FAILED")

	id = w.uploaded(picture(t))
	started, until := make(chan struct{}), make(chan struct{})
	w.model.then(hold(started, until))
	done := make(chan reply)
	go func() { done <- w.extract(id) }()
	<-started
	w.requireConflict(w.retry(id), "IN_PROGRESS")
	close(until)
	require.Equal(t, "complete", (<-done).last(t)["type"])
	w.requireConflict(w.retry(id), "IN_PROGRESS")
	require.Equal(t, http.StatusMethodNotAllowed, w.get("/api/ops/files/"+id+"/retry").Status)
}

// A cancel ends the record in each of its states, deletes the upload, and can be repeated.
func TestACancelEndsTheRecord(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*world) string{
		"waits for the file": func(w *world) string { return w.granted("cover.png") },
		"not yet read":       func(w *world) string { return w.uploaded(picture(t)) },
		"failed":             func(w *world) string { return w.failed() },
		"waits for review": func(w *world) string {
			id := w.uploaded(picture(t))
			require.Equal(t, "complete", w.extract(id).last(t)["type"])
			return id
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := begin(w)
			for range 2 {
				r := w.cancel(id)
				require.Equal(t, http.StatusOK, r.Status, r.Body)
				file := r.json(t)["file"].(map[string]any)
				require.Equal(t, "FAILED", file["current_status"])
				require.Equal(t, "cancelled", file["reason"])
				require.Equal(t, false, file["retryable"])
			}
			require.False(t, w.landed(id))
			w.requireConflict(w.retry(id), "FAILED")
			require.Equal(t, http.StatusConflict, w.extract(id).Status)
			require.Equal(t, http.StatusConflict, w.accept(id, emma).Status)
			require.Empty(t, w.saved(id))
		})
	}
}

func TestACancelStopsTheRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	started := make(chan struct{})
	w.model.then(hold(started, nil))
	done := make(chan reply)
	go func() { done <- w.extract(id) }()
	<-started
	require.Equal(t, http.StatusOK, w.cancel(id).Status)
	last := (<-done).last(t)
	require.Equal(t, "error", last["type"])
	require.Equal(t, "stopped", last["code"])
	require.Equal(t, "cancelled", w.record(id).Reason)
	require.False(t, w.landed(id))
}

// A run that ends at the same time does not bring a cancelled upload back.
func TestACancelAgainstAFinishingRun(t *testing.T) {
	t.Parallel()
	for range 30 {
		w := newWorld(t)
		id := w.uploaded(picture(t))
		started, until := make(chan struct{}), make(chan struct{})
		w.model.then(hold(started, until))
		done := make(chan reply)
		go func() { done <- w.extract(id) }()
		<-started
		go close(until)
		require.Equal(t, http.StatusOK, w.cancel(id).Status)
		require.Contains(t, []any{"complete", "error"}, (<-done).last(t)["type"])
		rec := w.record(id)
		require.True(t, rec.Terminal)
		require.Equal(t, "cancelled", rec.Reason)
		require.False(t, w.landed(id))
	}
}

// Of an accept and a cancel, one wins, and the other one says so.
func TestACancelAgainstAnAccept(t *testing.T) {
	t.Parallel()
	for range 30 {
		w := newWorld(t)
		id := w.uploaded(picture(t))
		require.Equal(t, "complete", w.extract(id).last(t)["type"])
		accepted := make(chan reply)
		go func() { accepted <- w.accept(id, emma) }()
		cancelled := w.cancel(id)
		a, status := <-accepted, w.record(id).Status
		if a.Status == http.StatusOK {
			require.Equal(t, tracking.StatusSuccess, status)
			w.requireConflict(cancelled, "SUCCESS")
			require.True(t, w.landed(id), "the photo of an accepted book stays")
			continue
		}
		require.Equal(t, http.StatusConflict, a.Status, a.Body)
		require.Equal(t, http.StatusOK, cancelled.Status, cancelled.Body)
		require.Equal(t, tracking.StatusFailed, status)
	}
}

// An accept that a cancel interrupts says so, and nothing of it is shown.
func TestACancelInTheMiddleOfAnAccept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	require.Equal(t, "complete", w.extract(id).last(t)["type"])
	w.rawDrv.onPut = func() { require.Equal(t, http.StatusOK, w.cancel(id).Status) }
	r := w.accept(id, emma)
	require.Equal(t, http.StatusConflict, r.Status, r.Body)
	require.Equal(t, "The upload has been cancelled and cannot be accepted.", r.json(t)["detail"])
	require.Equal(t, "cancelled", w.record(id).Reason)
	require.Empty(t, w.get("/api/bookshelf/catalogue").json(t)["books"])
}

// The role ops acts within its tenant. For all others, the uploads of other people do not exist.
func TestOpsActInTheirTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann"
	id := w.failed()
	none := "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
	for _, who := range []string{"acme bob", "globex ann", "globex carol ops"} {
		w.as = who
		for _, act := range []func(string) reply{w.retry, w.cancel} {
			r := act(id)
			require.Equal(t, http.StatusNotFound, r.Status, who)
			require.Equal(t, act(none).Body, r.Body)
		}
	}
	w.as = "acme carol ops"
	r := w.retry(id)
	require.Equal(t, http.StatusOK, r.Status, r.Body)
	require.Equal(t, id+".2", r.json(t)["run_id"])
	require.Empty(t, r.Header.Get("Location"), "only the owner may follow it")
	require.Equal(t, http.StatusNotFound, w.follow(id+".2", "").Status)
	w.as = "acme ann"
	require.Equal(t, "complete", w.follow(id+".2", "").last(t)["type"])
	w.as = "acme carol ops"
	require.Equal(t, http.StatusOK, w.cancel(id).Status)
	w.as = "acme ann"
	require.Equal(t, "cancelled", w.record(id).Reason)
}

// A cancel whose client disconnects is done whole.
func TestACancelOutlivesItsClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	started := make(chan struct{})
	w.model.then(hold(started, nil))
	done := make(chan reply)
	go func() { done <- w.extract(id) }()
	<-started
	ctx, disconnect := context.WithCancel(t.Context())
	leave := func() { disconnect() }
	w.rows.onRecord.Store(&leave)
	w.do(ctx, "POST", "/api/ops/files/"+id+"/cancel", "")
	require.Equal(t, "stopped", (<-done).last(t)["code"])
	require.Eventually(t, func() bool { return !w.landed(id) }, time.Minute, time.Millisecond)
}
