package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

var emma = map[string]any{"title": "Emma"}

func TestALifeOfAnUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	status, stages := w.stages(id)
	require.Equal(t, "IN_PROGRESS", status)
	require.Len(t, stages, 1)

	w.model.then(call("c1", "set_field", `{"field":"title","value":"Emma"}`), say("Done."))
	r := w.extract(id)
	require.Equal(t, "text/event-stream", r.Header.Get("Content-Type"))
	var kinds []any
	for _, e := range r.events(t) {
		if e["type"] != "usage" {
			kinds = append(kinds, e["type"])
		}
	}
	require.Equal(t, []any{"run_started", "tool_call", "tool_result", "metadata_update", "text_delta", "complete"}, kinds)
	require.Equal(t, map[string]any{"title": "Emma"}, r.last(t)["metadata"])
	require.Equal(t, "/api/runs/"+id+".1/events", r.Header.Get("Location"))

	w.model.then(call("c2", "set_field", `{"field":"author","value":"Jane Austen"}`), say("Done."))
	r = w.post("/api/metadata/extract", map[string]any{"session_id": id, "message": "the author is Jane Austen"})
	require.Equal(t, map[string]any{"title": "Emma", "author": "Jane Austen"}, r.last(t)["metadata"], "a draft grows over its runs")

	status, stages = w.stages(id)
	require.Equal(t, "IN_PROGRESS", status)
	require.Equal(t, "success", stages["user_upload"]["status"])

	r = w.accept(id, map[string]any{"title": "Emma", "author": "Jane Austen", "isbn": nil})
	require.Equal(t, http.StatusOK, r.Status, r.Body)
	require.Equal(t, map[string]any{
		"status": "accepted", "saved_key": "tenant=demo/user=anonymous/uploads/" + id + "/metadata.json", "upload_id": id,
	}, r.json(t))
	require.JSONEq(t, `{"author":"Jane Austen","title":"Emma"}`, w.saved(id))
	status, stages = w.stages(id)
	require.Equal(t, "SUCCESS", status)
	require.Equal(t, "success", stages["enrichment"]["status"])
	require.Contains(t, stages["enrichment"], "processing_time")

	require.Equal(t, http.StatusOK, w.accept(id, map[string]any{"author": "Jane Austen", "title": "Emma"}).Status, "the same again")
	require.Equal(t, http.StatusConflict, w.accept(id, emma).Status, "other metadata")
	require.Equal(t, http.StatusConflict, w.extract(id).Status)
	require.Equal(t, map[string]any{"all": 1.0, "active": 0.0, "waiting": 0.0, "failed": 0.0, "success": 1.0, "capped": false}, w.get("/api/ops/counts").json(t))
}

func TestAFailureIsToldAndRecordedAlike(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		content []byte
		answer  answer
		code    string
		final   bool
	}{
		{picture(t), fail(throttled), "throttled", false},
		{picture(t), fail(errors.New("arn:aws:iam::111122223333:role/x")), "internal", false},
		{picture(t), func(context.Context, func(agent.Delta, error) bool) { panic("boom") }, "internal", false},
		{[]byte("no image"), nil, "not_an_image", true},
		{picture(t)[:40], nil, "not_an_image", true},
		{nil, nil, "not_an_image", true},
		{make([]byte, 20<<20+1), nil, "image_too_large", true},
	} {
		id := w.uploaded(c.content)
		if c.answer != nil {
			w.model.then(c.answer)
		}
		r := w.extract(id)
		last := r.last(t)
		require.Equal(t, "error", last["type"], r.Body)
		require.Equal(t, c.code, last["code"])
		require.NotContains(t, r.Body, "111122223333")
		status, stages := w.stages(id)
		require.Equal(t, "FAILED", status)
		require.Equal(t, "failed", stages["enrichment"]["status"])
		require.Equal(t, last["message"], stages["enrichment"]["error_message"])
		again := w.extract(id)
		if c.final {
			require.Equal(t, http.StatusConflict, again.Status)
			require.Equal(t, http.StatusConflict, w.accept(id, emma).Status)
			continue
		}
		require.Equal(t, "complete", again.last(t)["type"], "a person may try again")
	}
}

// Two who write one history: the second finds out, and its run has not happened.
func TestAHistoryThatAnotherWrote(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	w.model.then(func(ctx context.Context, yield func(agent.Delta, error) bool) {
		view, err := w.table.In(w.session(id))
		require.NoError(t, err)
		_, err = view.Put(ctx, table.Item{Sort: "turn#000001", Attr: map[string]table.Value{"turn": "another's"}}, table.Absent())
		require.NoError(t, err)
		say("ok")(ctx, yield)
	})
	require.Equal(t, "error", w.extract(id).last(t)["type"])
	status, _ := w.stages(id)
	require.Equal(t, "FAILED", status)
}

func TestThrottledAndAcceptedAllTheSame(t *testing.T) {
	t.Parallel()
	t.Run("at first", func(t *testing.T) {
		w := newWorld(t)
		id := w.uploaded(picture(t))
		require.Equal(t, http.StatusConflict, w.accept(id, emma).Status, "nothing has been extracted")
		w.model.then(fail(throttled))
		require.Contains(t, w.extract(id).last(t)["message"], "429")
		require.Equal(t, "complete", w.extract(id).last(t)["type"])
		require.Equal(t, http.StatusOK, w.accept(id, emma).Status)
	})
	t.Run("in a refinement", func(t *testing.T) {
		w := newWorld(t)
		id := w.uploaded(picture(t))
		require.Equal(t, "complete", w.extract(id).last(t)["type"])
		w.model.then(fail(throttled))
		require.Equal(t, "error", w.extract(id).last(t)["type"])
		status, _ := w.stages(id)
		require.Equal(t, "FAILED", status)
		require.Equal(t, http.StatusOK, w.accept(id, emma).Status)
		status, _ = w.stages(id)
		require.Equal(t, "SUCCESS", status)
	})
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	t.Run("eight extracts are one run", func(t *testing.T) {
		w := newWorld(t)
		id := w.uploaded(picture(t))
		release, started := make(chan struct{}), make(chan struct{})
		w.model.then(hold(started, release))
		replies := make([]reply, 8)
		refused := make(chan struct{}, 8)
		var wg sync.WaitGroup
		for i := range replies {
			wg.Go(func() {
				if replies[i] = w.extract(id); replies[i].Status != http.StatusOK {
					refused <- struct{}{}
				}
			})
		}
		for range 7 {
			<-refused
		}
		<-started
		require.Equal(t, http.StatusConflict, w.accept(id, emma).Status, "in mid-run")
		close(release)
		wg.Wait()
		won := 0
		for _, r := range replies {
			switch r.Status {
			case http.StatusOK:
				won++
				require.Equal(t, "complete", r.last(t)["type"])
			default:
				require.Equal(t, http.StatusConflict, r.Status)
			}
		}
		require.Equal(t, 1, won)
		_, stages := w.stages(id)
		require.InDelta(t, 1, stages["enrichment"]["attempt"], 0)
		require.Equal(t, http.StatusOK, w.accept(id, emma).Status, "afterwards")
	})
	t.Run("forty-eight accepts have one effect", func(t *testing.T) {
		w := newWorld(t)
		id := w.uploaded(picture(t))
		w.extract(id).last(t)
		replies := make([]reply, 48)
		var wg sync.WaitGroup
		for i := range replies {
			wg.Go(func() { replies[i] = w.accept(id, map[string]any{"title": fmt.Sprint("Emma ", i%2)}) })
		}
		wg.Wait()
		titles := map[int]int{}
		for i, r := range replies {
			if r.Status == http.StatusOK {
				titles[i%2]++
			} else {
				require.Equal(t, http.StatusConflict, r.Status, r.Body)
			}
		}
		require.Len(t, titles, 1, "one metadata won, and nobody was told of the other")
		for i := range titles {
			require.JSONEq(t, fmt.Sprintf(`{"title":"Emma %d"}`, i), w.saved(id))
		}
		require.Equal(t, 1, w.rawDrv.puts)
	})
}

// The server owns the run: its browser may leave, the record still says how it ended.
func TestTheBrowserHangsUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	release, started := make(chan struct{}), make(chan struct{})
	w.model.then(hold(started, release))
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan reply)
	go func() {
		gone <- w.do(ctx, http.MethodPost, "/api/metadata/extract", fmt.Sprintf(`{"session_id":%q}`, id))
	}()
	<-started
	leave()
	require.NotContains(t, (<-gone).Body, "complete")
	_, stages := w.stages(id)
	require.Equal(t, "in_progress", stages["enrichment"]["status"])
	require.Equal(t, http.StatusConflict, w.extract(id).Status, "it is still running")
	close(release)
	require.Equal(t, "complete", w.follow(id+".1", "").last(t)["type"])
	session, err := w.user.Session(id)
	require.NoError(t, err)
	rec, err := w.tracker.Get(t.Context(), session)
	require.NoError(t, err)
	require.Equal(t, tracking.StateWaiting, rec.Stage(tracking.Enrichment).State)
	require.Equal(t, http.StatusOK, w.accept(id, emma).Status)
}

// A process that is killed in mid-run leaves a stage under a lease. Until it is dead, 409; then it is taken again.
func TestAKilledRunIsTakenAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.uploaded(picture(t))
		session, err := w.user.Session(id)
		require.NoError(t, err)
		root, err := w.landing.In(session)
		require.NoError(t, err)
		ref, err := root.Ref("cover.png")
		require.NoError(t, err)
		_, err = w.tracker.Claim(t.Context(), session, tracking.Enrichment, &tracking.ClaimOptions{
			Key: id + ".1", Source: ref, Observed: &tracking.Observation{Stage: tracking.UserUpload, Dest: ref},
		})
		require.NoError(t, err) // and nothing more is heard of it
		require.Equal(t, http.StatusConflict, w.extract(id).Status)
		time.Sleep(31 * time.Second)
		last := w.extract(id).last(t)
		require.Equal(t, "complete", last["type"], last)
		require.Equal(t, http.StatusOK, w.accept(id, emma).Status)
	})
}

// An upload that begins before its grant expires may take a while. Until then it is not reported as abandoned.
func TestAnUploadHasItsGrantAndAGrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	began := time.Now().Truncate(time.Second)
	answer := w.get("/api/upload/presigned?filename=cover.png").json(t)
	rec, err := w.tracker.Get(t.Context(), w.session(answer["session_id"].(string)))
	require.NoError(t, err)
	expires, err := time.Parse(time.RFC3339, answer["expires_at"].(string))
	require.NoError(t, err)
	require.WithinDuration(t, expires.Add(15*time.Minute), rec.Due, time.Second)
	require.WithinRange(t, rec.Due, began.Add(30*time.Minute), time.Now().Add(30*time.Minute))
}

func TestListIsNewestFirstAndPaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ids []string
	for i := range 5 {
		ids = append(ids, w.granted(fmt.Sprintf("cover %d.png", i)))
	}
	var seen []string
	next := ""
	for {
		target := "/api/ops/files?limit=2"
		if next != "" {
			target += "&cursor=" + next
		}
		page := w.get(target).json(t)
		files := page["files"].([]any)
		require.InDelta(t, len(files), page["count"], 0)
		for _, f := range files {
			seen = append(seen, f.(map[string]any)["upload_id"].(string))
		}
		if page["next"] == nil {
			break
		}
		next = page["next"].(string)
	}
	for i, id := range seen {
		require.Equal(t, ids[len(ids)-1-i], id)
	}
	require.Len(t, seen, 5)
	require.Equal(t, []any{}, w.get("/api/ops/files?status=failed").json(t)["files"])
}

func TestSamplesAreServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.get("/samples").json(t)["samples"].([]any)
	require.Len(t, list, 3)
	for _, s := range list {
		r := w.get(s.(map[string]any)["url"].(string))
		require.Equal(t, "image/png", r.Header.Get("Content-Type"))
		require.True(t, strings.HasPrefix(r.Body, "\x89PNG"))
	}
}

// A server that lets nobody in without a token answers to every name, and still not to pages of other sites.
func TestAnyHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options
	o.AnyHost = true
	w.open(o)
	try := func(origin, site string) int {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "http://books.example/api/metadata/extract", strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", site)
		rec := httptest.NewRecorder()
		w.srv.ServeHTTP(rec, r)
		return rec.Code
	}
	require.Equal(t, http.StatusBadRequest, try("http://books.example", "same-origin"), "it gets as far as the body")
	require.Equal(t, http.StatusForbidden, try("http://evil.example", "cross-site"))
}
