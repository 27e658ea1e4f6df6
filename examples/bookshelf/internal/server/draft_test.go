package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
	"github.com/carrel-go/carrel/internal/must"
)

// saveDraft stores a card as the draft.
func (w *world) saveDraft(id, version string, card map[string]any) reply {
	w.t.Helper()
	b, err := json.Marshal(map[string]any{"metadata": card, "version": version})
	require.NoError(w.t, err)
	return w.do(w.t.Context(), http.MethodPut, "/api/metadata/"+id+"/draft", string(b))
}

// version returns that of the present draft.
func (w *world) version(id string) string {
	w.t.Helper()
	return w.draft(id).json(w.t)["version"].(string)
}

// say sends a message and returns its run's events.
func (w *world) say(id, message string, answers ...answer) []map[string]any {
	w.t.Helper()
	w.model.then(answers...)
	r := w.post("/api/metadata/extract", map[string]any{"session_id": id, "message": message})
	require.Equal(w.t, "complete", r.last(w.t)["type"], r.last(w.t))
	return r.events(w.t)
}

// requireDraft compares the draft and its sources.
func (w *world) requireDraft(id, metadata, sources string) {
	w.t.Helper()
	d := w.draft(id).json(w.t)
	for name, want := range map[string]string{"metadata": metadata, "sources": sources} {
		b, err := json.Marshal(d[name])
		require.NoError(w.t, err)
		require.JSONEq(w.t, want, string(b), name)
	}
}

// newFound returns a world with an upload of which the title and the author are found.
func newFound(t *testing.T) (w *world, id string) {
	t.Helper()
	w = newWorld(t)
	id = w.uploaded(picture(t))
	w.say(id, "", call("c1", "set_field", `{"field":"title","value":"Emma"}`),
		call("c2", "set_field", `{"field":"author","value":"J. Austen"}`), say("Done."))
	return w, id
}

func TestAPersonsEditsAreKept(t *testing.T) {
	t.Parallel()
	w, id := newFound(t)
	saved := w.saveDraft(id, w.version(id), map[string]any{"title": "Emma", "author": "Jane Austen", "published_year": "1815", "publisher": ""})
	require.Equal(t, http.StatusOK, saved.Status, saved.Body)
	require.JSONEq(t, `{"metadata":{"title":"Emma","author":"Jane Austen","published_year":1815},"version":"3.1",
		"sources":{"title":"found","author":"typed","published_year":"typed"}}`, saved.Body)

	w.open(w.options) // after a restart
	w.requireDraft(id, `{"title":"Emma","author":"Jane Austen","published_year":1815}`,
		`{"title":"found","author":"typed","published_year":"typed"}`)
	again := w.saveDraft(id, "3.1", map[string]any{"title": "Emma", "author": "Jane Austen", "published_year": 1815})
	require.Equal(t, "3.1", again.json(t)["version"], "nothing has changed")
	cleared := w.saveDraft(id, "3.1", map[string]any{"title": nil, "author": "J. Austen"})
	require.JSONEq(t, `{"metadata":{"author":"J. Austen"},"version":"3.2","sources":{"title":"typed","author":"found"}}`, cleared.Body)
	empty := w.saveDraft(id, "3.2", map[string]any{})
	require.Equal(t, http.StatusOK, empty.Status, "a card may be empty until it is accepted")
	w.requireDraft(id, `{}`, `{"title":"typed","author":"typed"}`)
}

// Of two writers with the same version one succeeds, also in two processes. The other one receives the draft.
func TestAnOldVersionOfADraft(t *testing.T) {
	t.Parallel()
	w, id := newFound(t)
	second := *w
	second.srv = must.Get(server.New(w.options))
	t.Cleanup(func() { second.srv.Close(t.Context()) })
	version := w.version(id)
	replies := make([]reply, 8)
	var wg sync.WaitGroup
	for i := range replies {
		wg.Go(func() {
			process := []*world{w, &second}[i%2]
			replies[i] = process.saveDraft(id, version, map[string]any{"title": fmt.Sprint("Emma ", i)})
		})
	}
	wg.Wait()
	winner := -1
	for i, r := range replies {
		if r.Status == http.StatusOK {
			require.Negative(t, winner, "one of them")
			winner = i
		}
	}
	require.GreaterOrEqual(t, winner, 0)
	for i, r := range replies {
		if i == winner {
			continue
		}
		require.Equal(t, http.StatusConflict, r.Status, r.Body)
		now := r.json(t)["draft"].(map[string]any)
		require.Equal(t, map[string]any{"title": fmt.Sprint("Emma ", winner)}, now["metadata"])
		require.Equal(t, w.version(id), now["version"])
	}

	version = w.version(id)
	w.say(id, "Who published it?", call("c3", "set_field", `{"field":"publisher","value":"Dover"}`), say("Dover."))
	stale := w.saveDraft(id, version, map[string]any{"title": "Emma"})
	require.Equal(t, http.StatusConflict, stale.Status, "the agent has changed the draft")
	require.Equal(t, "Dover", stale.json(t)["draft"].(map[string]any)["metadata"].(map[string]any)["publisher"])
}

// The agent replaces a value that a person has typed only if the person's message asks for it.
func TestTheAgentKeepsWhatAPersonHasTyped(t *testing.T) {
	t.Parallel()
	w, id := newFound(t)
	typed := map[string]any{"title": "Emma, a novel", "author": "J. Austen"}
	require.Equal(t, http.StatusOK, w.saveDraft(id, w.version(id), typed).Status)
	set := func(n, field, value string) answer {
		return call("c"+n, "set_field", fmt.Sprintf(`{"field":%q,"value":%q}`, field, value))
	}
	events := w.say(id, "Read it again.", set("4", "title", "EMMA"), set("5", "author", "Jane Austen"), say("Done."))
	require.Contains(t, w.model.systems[len(w.model.systems)-1], `{"title":"Emma, a novel"}`)
	var updates, refusals []any
	for _, e := range events {
		switch {
		case e["type"] == "metadata_update":
			updates = append(updates, e)
		case e["type"] == "tool_result" && e["is_error"] == true:
			refusals = append(refusals, e["summary"])
		}
	}
	require.Equal(t, []any{map[string]any{
		"type": "metadata_update", "field": "author", "value": "Jane Austen", "source": "found",
	}}, updates)
	require.Len(t, refusals, 1)
	require.Contains(t, refusals[0], "the librarian has typed this field")
	require.Equal(t, map[string]any{"title": "Emma, a novel", "author": "Jane Austen"}, events[len(events)-1]["metadata"])

	events = w.say(id, "The title is wrong, it is EMMA!", set("6", "title", "Emma"), say("Changed."))
	require.Equal(t, map[string]any{"title": "Emma", "author": "Jane Austen"}, events[len(events)-1]["metadata"])
	w.requireDraft(id, `{"title":"Emma","author":"Jane Austen"}`, `{"title":"told","author":"found"}`)
	w.say(id, "And now?", set("7", "title", "Emma (1815)"), say("Changed."))
	w.requireDraft(id, `{"title":"Emma (1815)","author":"Jane Austen"}`, `{"title":"found","author":"found"}`)
}

// A person may type during a run, for example in a second tab.
func TestTypingDuringARun(t *testing.T) {
	t.Parallel()
	w, id := newFound(t)
	version := w.version(id)
	started, until := make(chan struct{}), make(chan struct{})
	w.model.then(hold(started, until))
	got := make(chan reply)
	go func() { got <- w.extract(id) }()
	<-started
	require.Equal(t, http.StatusOK, w.saveDraft(id, version, map[string]any{"title": "Emma, a novel", "author": "J. Austen"}).Status)
	close(until)
	require.Equal(t, map[string]any{"title": "Emma, a novel", "author": "J. Austen"}, (<-got).last(t)["metadata"])
	w.requireDraft(id, `{"title":"Emma, a novel","author":"J. Austen"}`, `{"title":"typed","author":"found"}`)
}

func TestAnAcceptedDraft(t *testing.T) {
	t.Parallel()
	w, id := newFound(t)
	version := w.version(id)
	card := map[string]any{"title": "Emma", "author": "Jane Austen"}
	require.Equal(t, http.StatusOK, w.saveDraft(id, version, card).Status)
	require.Equal(t, http.StatusOK, w.accept(id, map[string]any{"title": "Emma", "author": "Jane Austen", "publisher": "Dover"}).Status)
	require.JSONEq(t, `{"title":"Emma","author":"Jane Austen","publisher":"Dover"}`, w.saved(id))
	w.requireDraft(id, `{"title":"Emma","author":"Jane Austen","publisher":"Dover"}`,
		`{"title":"found","author":"typed","publisher":"typed"}`)
	for _, v := range []string{version, w.version(id)} {
		require.Equal(t, http.StatusConflict, w.saveDraft(id, v, card).Status)
	}
	require.NotEmpty(t, w.draft(id).json(t)["photo_url"], "the photo stays")
}

func TestBadDrafts(t *testing.T) {
	t.Parallel()
	w, id := newFound(t)
	target := "/api/metadata/" + id + "/draft"
	for body, status := range map[string]int{
		`{"metadata":{}}`:                                           400,
		`{"version":"3.0"}`:                                         400,
		`{"metadata":{},"version":3}`:                               400,
		`{"metadata":null,"version":"3.0"}`:                         400,
		`{"metadata":[],"version":"3.0"}`:                           400,
		`{"metadata":{"isbn":"978-0"},"version":"3.0"}`:             400,
		`{"metadata":{"published_year":"x"},"version":"3.0"}`:       400,
		`{"metadata":{"pages":7},"version":"3.0"}`:                  400,
		`{"metadata":{},"version":"3.0","session_id":"` + id + `"}`: 400,
		`{"metadata":{"title":"x"},"version":"0.0"}`:                409,
		`{"metadata":{"title":"x"},"version":"03.0"}`:               409,
		`{"metadata":{"title":"x"},"version":"x"}`:                  409,
	} {
		r := w.do(t.Context(), http.MethodPut, target, body)
		require.Equal(t, status, r.Status, "%s: %s", body, r.Body)
	}
	require.Equal(t, http.StatusMethodNotAllowed, w.post(target, map[string]any{}).Status)
	w.as = "acme ann"
	foreign := w.saveDraft(id, "3.0", map[string]any{"title": "x"})
	require.Equal(t, http.StatusNotFound, foreign.Status)
	none := w.saveDraft("0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", "3.0", map[string]any{"title": "x"})
	require.Equal(t, none.Body, foreign.Body)
	w.as = ""
	w.requireDraft(id, `{"title":"Emma","author":"J. Austen"}`, `{"title":"found","author":"found"}`)
}

// The photo of an upload that has failed for ever is deleted.
func TestDraftOfAFailedUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded([]byte("no image"))
	require.Equal(t, "not_an_image", w.extract(id).last(t)["code"])
	d := w.draft(id).json(t)
	require.NotContains(t, d, "photo_url")
	require.Equal(t, http.StatusConflict, w.saveDraft(id, d["version"].(string), emma).Status)
}

// A stopped run that has found nothing leaves a card that a person has begun.
func TestStopLeavesWhatAPersonHasTyped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	require.Equal(t, http.StatusOK, w.saveDraft(id, "0.0", map[string]any{"title": "Emma"}).Status)
	started := make(chan struct{})
	w.model.then(hold(started, nil))
	got := make(chan reply)
	go func() { got <- w.extract(id) }()
	<-started
	require.Equal(t, http.StatusOK, w.post("/api/runs/"+id+".1/stop", map[string]any{}).Status)
	require.Equal(t, "stopped", (<-got).last(t)["code"])
	require.Equal(t, http.StatusOK, w.accept(id, emma).Status)
}

// A person's draft keeps invalid text until it can be accepted, and no agent replaces it.
func TestInvalidTextIsKept(t *testing.T) {
	t.Parallel()
	w, id := newFound(t)
	put := func(version, metadata, texts string) reply {
		body := fmt.Sprintf(`{"metadata":%s,"texts":%s,"version":%q}`, metadata, texts, version)
		return w.do(t.Context(), http.MethodPut, "/api/metadata/"+id+"/draft", body)
	}
	const card = `{"title":"Emma","author":"J. Austen"}`
	saved := put("3.0", card, `{"published_year":"18l5","isbn":"978-0"}`)
	require.JSONEq(t, `{"metadata":{"title":"Emma","author":"J. Austen"},"version":"3.1",
		"texts":{"published_year":"18l5","isbn":"978-0"},
		"sources":{"title":"found","author":"found","published_year":"typed","isbn":"typed"}}`, saved.Body)
	w.open(w.options) // after a restart
	texts := map[string]any{"published_year": "18l5", "isbn": "978-0"}
	require.Equal(t, texts, w.draft(id).json(t)["texts"])

	w.say(id, "Read it again.", call("c3", "set_field", `{"field":"published_year","value":"1815"}`), say("Done."))
	require.Contains(t, w.model.systems[len(w.model.systems)-1], `"published_year":"18l5"`)
	require.Equal(t, texts, w.draft(id).json(t)["texts"], "the agent keeps it")
	w.say(id, "The year is 1816.", call("c4", "set_field", `{"field":"published_year","value":"1816"}`), say("Done."))
	d := w.draft(id).json(t)
	require.Equal(t, map[string]any{"isbn": "978-0"}, d["texts"])
	version := d["version"].(string)

	for texts, detail := range map[string]string{
		`{"title":"x"}`: "does not set", `{"isbn":""}`: "not empty", `{"pages":"7"}`: "pages", `{"isbn":7}`: "wrong type", `[]`: "wrong type",
	} {
		r := put(version, card, texts)
		require.Equal(t, http.StatusBadRequest, r.Status, texts)
		require.Contains(t, r.Body, detail, texts)
	}
	for metadata, field := range map[string]any{`{"isbn":"978-0"}`: "isbn", `{"title":"a\u0000"}`: "title", `[]`: nil} {
		require.Equal(t, field, put(version, metadata, `{}`).json(t)["field"], metadata)
	}
	w.as = "acme ann"
	require.Equal(t, http.StatusNotFound, put(version, card, `{"isbn":"1"}`).Status)
	require.NotContains(t, w.draft(id).Body, "978-0")
	w.as = ""
	rejected := w.accept(id, map[string]any{"title": "Emma", "isbn": "978-0"})
	require.Equal(t, http.StatusBadRequest, rejected.Status)
	require.Equal(t, "isbn", rejected.json(t)["field"])
	require.Equal(t, http.StatusOK, w.accept(id, map[string]any{"title": "Emma"}).Status)
	require.NotContains(t, w.draft(id).json(t), "texts")
}
