package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
)

// ask sends a request with a header.
func (w *world) ask(method, target, body, header, value string) reply {
	r := httptest.NewRequestWithContext(w.t.Context(), method, "http://localhost"+target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", w.as)
	r.Header.Set(header, value)
	rec := httptest.NewRecorder()
	w.srv.ServeHTTP(rec, r)
	return reply{rec.Code, rec.Header(), rec.Body.String()}
}

// extractWith extracts with an idempotency key.
func (w *world) extractWith(id, key, message string) reply {
	return w.ask("POST", "/api/metadata/extract", fmt.Sprintf(`{"session_id":%q,"message":%q}`, id, message), "Idempotency-Key", key)
}

// draft returns the draft of an upload whose run has sent its last event. The run is closed a moment later.
func (w *world) draft(id string) (r reply) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		r = w.get("/api/metadata/" + id)
		return r.json(w.t)["run_id"] == nil
	}, time.Minute, time.Millisecond)
	return r
}

func TestResume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	w.model.then(call("c1", "set_field", `{"field":"title","value":"Emma"}`), say("Done."))
	whole := w.extract(id)
	events, ids := whole.events(t), whole.ids(t)
	require.IsIncreasing(t, ids)
	for i, after := range ids[:len(ids)-1] {
		for name, r := range map[string]reply{
			"query":  w.follow(id+".1", after),
			"header": w.ask("GET", "/api/runs/"+id+".1/events", "", "Last-Event-ID", after),
		} {
			require.Equal(t, events[i+1:], r.events(t), "%s after event %d", name, i)
		}
	}
	require.Equal(t, events, w.follow(id+".1", "").events(t))
	require.Equal(t, http.StatusNoContent, w.follow(id+".1", ids[len(ids)-1]).Status, "the client has everything")
	unknown := w.follow(id+".1", "1").events(t)
	require.Equal(t, map[string]any{"type": "reset"}, unknown[0])
	require.Equal(t, events, unknown[1:])
}

// The answers about a run of another user or tenant equal those about a run that does not exist.
func TestRunsOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann"
	id := w.uploaded(picture(t))
	w.model.then(call("c1", "set_field", `{"field":"title","value":"Emma"}`), say("Done."))
	require.Equal(t, "complete", w.extract(id).last(t)["type"])
	none := func(session string) [4]reply {
		return [4]reply{
			w.get("/api/runs/" + session + ".1/events"), w.post("/api/runs/"+session+".1/stop", map[string]any{}),
			w.get("/api/runs/" + session + ".1/results/c1"), w.get("/api/metadata/" + session),
		}
	}
	for i, r := range none(id) {
		require.Equal(t, http.StatusOK, r.Status, i)
	}
	want := none("0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")
	for i, r := range want {
		require.Equal(t, http.StatusNotFound, r.Status, i)
	}
	for _, who := range []string{"acme bob", "globex ann", "acme carol ops"} {
		w.as = who
		require.Equal(t, want, none(id), who)
	}
	w.as = "acme ann"
	for _, run := range []string{id, id + ".2", id + ".01", id + ".1x", "x", "..%2f" + id + ".1"} {
		require.Equal(t, http.StatusNotFound, w.get("/api/runs/"+run+"/events").Status, run)
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	w.model.then(say("Hello."))
	first := w.extractWith(id, "k1", "")
	require.Equal(t, "complete", first.last(t)["type"])
	again := w.extractWith(id, "k1", "")
	require.Equal(t, first.Header.Get("Location"), again.Header.Get("Location"))
	require.Equal(t, first.frames(t), again.frames(t))
	require.Equal(t, http.StatusUnprocessableEntity, w.extractWith(id, "k1", "another").Status)
	second := w.extractWith(id, "k2", "another")
	require.Equal(t, "/api/runs/"+id+".2/events", second.Header.Get("Location"))

	require.Equal(t, http.StatusOK, w.accept(id, emma).Status)
	require.Equal(t, http.StatusConflict, w.extractWith(id, "k3", "").Status, "the record has ended")
	require.Equal(t, first.frames(t), w.extractWith(id, "k1", "").frames(t), "but an earlier request is answered as before")
	require.Equal(t, http.StatusUnprocessableEntity, w.extractWith(id, "k2", "").Status)
	for _, key := range []string{" ", "a b", "é", strings.Repeat("x", 257)} {
		require.Equal(t, http.StatusBadRequest, w.extractWith(id, key, "").Status, key)
	}
}

// The answer to a second extract names the run in flight. With the key of that run, it follows the run.
func TestExtractDuringARun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	started, until := make(chan struct{}), make(chan struct{})
	w.model.then(hold(started, until))
	replies := make(chan reply, 2)
	go func() { replies <- w.extractWith(id, "k1", "") }()
	<-started
	refused := w.extractWith(id, "k2", "")
	require.Equal(t, http.StatusConflict, refused.Status)
	require.Equal(t, "/api/runs/"+id+".1/events", refused.Header.Get("Location"))
	require.Equal(t, http.StatusConflict, w.accept(id, emma).Status)
	go func() { replies <- w.extractWith(id, "k1", "") }()
	require.Equal(t, id+".1", w.get("/api/metadata/" + id).json(t)["run_id"])
	close(until)
	first, second := <-replies, <-replies
	require.Equal(t, first.events(t), second.events(t))
	w.draft(id)
}

func TestStop(t *testing.T) {
	t.Parallel()
	for name, isFound := range map[string]bool{"something was found": true, "nothing was": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.uploaded(picture(t))
			if isFound {
				w.model.then(call("c1", "set_field", `{"field":"title","value":"Emma"}`))
			}
			started := make(chan struct{})
			w.model.then(hold(started, nil))
			got := make(chan reply)
			go func() { got <- w.extract(id) }()
			<-started
			require.Equal(t, http.StatusOK, w.post("/api/runs/"+id+".1/stop", map[string]any{}).Status)
			require.Equal(t, map[string]any{"type": "error", "code": "stopped", "message": "The run was stopped."}, (<-got).last(t))
			require.Equal(t, http.StatusOK, w.post("/api/runs/"+id+".1/stop", map[string]any{}).Status, "again")
			status, _ := w.stages(id)
			if isFound {
				require.Equal(t, "IN_PROGRESS", status)
				require.Equal(t, http.StatusOK, w.accept(id, emma).Status)
				return
			}
			require.Equal(t, "FAILED", status)
			require.Equal(t, "complete", w.extract(id).last(t)["type"], "it can be tried again")
		})
	}
}

func TestResultsOfCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	w.model.then(call("c1", "check_isbn", `{"isbn":"9780486284736"}`), say("Done."))
	require.Equal(t, "complete", w.extract(id).last(t)["type"])
	res := w.get("/api/runs/" + id + ".1/results/c1")
	require.Equal(t, http.StatusOK, res.Status, res.Body)
	require.JSONEq(t, `{"blocks":[{"json":{"isbn":"9780486284736","valid":true,"isbn13":"9780486284736"}}],"summary":"9780486284736 is valid"}`, res.Body)
	require.Equal(t, http.StatusNotFound, w.get("/api/runs/"+id+".1/results/c2").Status)
}

func TestDraft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	require.JSONEq(t, `{"metadata":{},"sources":{},"version":"0.0","transcript":[]}`, w.get("/api/metadata/"+id).Body)
	w.model.then(call("c1", "set_field", `{"field":"title","value":"Emma"}`), say("Done."))
	require.Equal(t, "complete", w.extract(id).last(t)["type"])
	w.model.then(say("It is."))
	r := w.post("/api/metadata/extract", map[string]any{"session_id": id, "message": "Is it hers?"})
	require.Equal(t, "complete", r.last(t)["type"])
	draft := w.draft(id).json(t)
	photo, err := url.Parse(draft["photo_url"].(string))
	require.NoError(t, err)
	require.Equal(t, "/landing/tenant=demo/user=anonymous/uploads/"+id+"/cover.png", photo.Path)
	require.Equal(t, []any{id + ".1", id + ".2"}, draft["runs"])
	delete(draft, "photo_url")
	delete(draft, "runs")
	b, err := json.Marshal(draft)
	require.NoError(t, err)
	require.JSONEq(t, `{"metadata":{"title":"Emma"},"sources":{"title":"found"},"version":"3.0","transcript":[
		{"role":"assistant","id":"c1","name":"set_field","input":{"field":"title","value":"Emma"},"summary":"title: Emma"},
		{"role":"assistant","text":"Done."},
		{"role":"user","text":"Is it hers?"},
		{"role":"assistant","text":"It is."}
	]}`, string(b))
}

// A server that is closed during a run hands it over. The client continues with the next server and sees one telling.
func TestShutdownHandsRunsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.uploaded(picture(t))
		started := make(chan struct{})
		w.model.then(call("c1", "set_field", `{"field":"title","value":"Emma"}`), hold(started, nil), say("Done."))
		got := make(chan reply)
		go func() { got <- w.extract(id) }()
		<-started
		time.Sleep(time.Second) // the text is stored
		now, cancel := context.WithCancel(t.Context())
		cancel()
		w.srv.Close(now)
		before := <-got
		require.Equal(t, "text_delta", before.last(t)["type"], "the stream does not end the run")
		refused := w.extract(id)
		require.Equal(t, http.StatusConflict, refused.Status)
		require.Equal(t, "/api/runs/"+id+".1/events", refused.Header.Get("Location"))
		other := w.uploaded(picture(t))
		require.Equal(t, http.StatusServiceUnavailable, w.extract(other).Status, "no new runs")

		w.open(w.options)
		w.watch()
		ids := before.ids(t)
		after := w.follow(id+".1", ids[len(ids)-1])
		require.Equal(t, map[string]any{"type": "complete", "metadata": emma}, after.last(t))
		whole := w.follow(id+".1", "")
		require.Equal(t, whole.ids(t), append(ids, after.ids(t)...))
		require.Equal(t, "Done.", textOf(t, whole))
		require.Equal(t, http.StatusOK, w.accept(id, emma).Status)
	})
}

// watch takes over runs until the test ends.
func (w *world) watch() {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	srv := w.srv
	go func() {
		defer close(done)
		srv.Watch(ctx)
	}()
	w.t.Cleanup(func() {
		cancel()
		<-done
	})
}

// textOf returns the text of a stream after its retractions.
func textOf(t *testing.T, r reply) string {
	t.Helper()
	type part struct{ id, text string }
	var parts []part
	ids := r.ids(t)
	for i, e := range r.events(t) {
		switch e["type"] {
		case "text_delta":
			parts = append(parts, part{ids[i], e["delta"].(string)})
		case "retract":
			for len(parts) > 0 && parts[len(parts)-1].id > e["after"].(string) {
				parts = parts[:len(parts)-1]
			}
		}
	}
	var text strings.Builder
	for _, p := range parts {
		text.WriteString(p.text)
	}
	return text.String()
}

// While the table refuses to write, clients receive nothing that is not stored. The run continues afterwards: in its
// process if its lease has not expired, and otherwise from its last checkpoint.
func TestTheTableRefusesToWrite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer   answer
		pause    time.Duration
		last     string
		attempts int
	}{
		"before the end of a run":  {say("ok"), 5 * time.Second, "complete", 1},
		"before a failure":         {fail(throttled), 5 * time.Second, "error", 1},
		"for longer than a lease":  {say("ok"), 29 * time.Second, "complete", 1},
		"then the run fails again": {fail(throttled), 29 * time.Second, "error", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.watch()
				id := w.uploaded(picture(t))
				refusing := func(ctx context.Context, yield func(agent.Delta, error) bool) {
					w.rows.refuse.Store(true)
					time.AfterFunc(c.pause, func() { w.rows.refuse.Store(false) })
					c.answer(ctx, yield)
				}
				w.model.then(refusing, c.answer)
				last := w.extract(id).last(t)
				require.Equal(t, c.last, last["type"], last)
				status, stages := w.stages(id)
				if c.last == "error" {
					require.Equal(t, "throttled", last["code"])
					require.Equal(t, "FAILED", status)
					require.Equal(t, last["message"], stages["enrichment"]["error_message"])
				} else {
					require.Equal(t, http.StatusOK, w.accept(id, emma).Status)
				}
				assert.InDelta(t, c.attempts, stages["enrichment"]["attempt"], 0)
			})
		})
	}
}

// A stage that was taken away, here by an operator, ends its run.
func TestACancelledRecordEndsItsRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.uploaded(picture(t))
		started := make(chan struct{})
		w.model.then(hold(started, nil))
		got := make(chan reply)
		go func() { got <- w.extract(id) }()
		<-started
		_, err := w.tracker.Cancel(t.Context(), w.session(id))
		require.NoError(t, err)
		require.Equal(t, "stopped", (<-got).last(t)["code"])
		status, _ := w.stages(id)
		require.Equal(t, "FAILED", status)
		require.Equal(t, http.StatusConflict, w.extract(id).Status)
	})
}

// An accept that takes the stage between the start of a run and its claim is not disturbed.
func TestARunThatComesTooLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	require.Equal(t, "complete", w.extract(id).last(t)["type"])
	accept := func() { require.Equal(t, http.StatusOK, w.accept(id, emma).Status) }
	w.rows.onPut.Store(&accept) // before HEAD is put
	last := w.extract(id).last(t)
	require.Equal(t, "conflict", last["code"])
	status, _ := w.stages(id)
	require.Equal(t, "SUCCESS", status)
	require.NotEmpty(t, w.saved(id))
}
