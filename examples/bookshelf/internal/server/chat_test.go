package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/internal/must"
)

func (w *world) chat(chatID, message string) reply {
	return w.post("/api/chat", map[string]any{"chat_id": chatID, "message": message})
}

// kinds are the types of a stream's events, without usage.
func (r reply) kinds(t *testing.T) (kinds []any) {
	t.Helper()
	for _, e := range r.events(t) {
		if e["type"] != "usage" {
			kinds = append(kinds, e["type"])
		}
	}
	return kinds
}

// one returns the only event of a type.
func (r reply) one(t *testing.T, kind string) map[string]any {
	t.Helper()
	var found []map[string]any
	for _, e := range r.events(t) {
		if e["type"] == kind {
			found = append(found, e)
		}
	}
	require.Len(t, found, 1, "%s in %s", kind, r.Body)
	return found[0]
}

// runOf returns the run that the Location names.
func (r reply) runOf() string {
	return strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Location"), "/api/runs/"), "/events")
}

func TestChat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.accepted(map[string]any{"title": "Emma", "author": "Jane Austen", "description": "A novel."})
	w.model.then(call("c1", "list_books", `{}`), say("You have Emma."))
	r := w.chat("", "what do I have?")
	require.Equal(t, []any{
		"run_started", "user_message", "chat", "tool_call", "tool_result", "text_delta", "complete",
	}, r.kinds(t))
	chat := r.one(t, "chat")["chat_id"].(string)
	require.Equal(t, chat, r.Header.Get("Chat-Id"))
	require.Equal(t, "/api/runs/"+chat+".1/events", r.Header.Get("Location"))
	require.Equal(t, "1 book", r.one(t, "tool_result")["summary"])

	w.model.then(call("c2", "search_books", `{"text":"austen"}`), call("c3", "read_book", fmt.Sprintf(`{"book_id":%q}`, id)), say("A novel."))
	r = w.chat(chat, "what is it about?")
	require.Equal(t, "complete", r.last(t)["type"])
	require.Equal(t, chat+".2", r.runOf())
	res := w.get("/api/runs/" + chat + ".2/results/c3").json(t)["blocks"].([]any)[0].(map[string]any)["json"].(map[string]any)
	require.Equal(t, "A novel.", res["description"])
	require.Equal(t, "you", res["owner"])
	require.Equal(t, r.frames(t), w.follow(chat+".2", "").frames(t), "it can be read again")
}

func TestChatsThatAreNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	upload := w.uploaded(picture(t))
	w.as = "demo other"
	theirs := w.chat("", "hello").Header.Get("Chat-Id")
	w.as = ""
	want := w.chat("0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", "hello")
	require.Equal(t, http.StatusNotFound, want.Status)
	for _, id := range []string{upload, theirs, "x", "../" + upload, strings.ToUpper(theirs), theirs + ".1"} {
		require.Equal(t, want, w.chat(id, "hello"), id)
	}
	require.Equal(t, http.StatusBadRequest, w.chat("", "").Status)
	require.Equal(t, http.StatusBadRequest, w.chat("", " ").Status)
	require.Equal(t, http.StatusRequestEntityTooLarge, w.chat("", strings.Repeat("x", 4001)).Status)
	require.Equal(t, http.StatusBadRequest, w.post("/api/chat", map[string]any{"message": "x", "messages": []any{}}).Status)
	mine := w.chat("", "hello").Header.Get("Chat-Id")
	require.Equal(t, http.StatusNotFound, w.extract(mine).Status, "a chat is not an upload")
	require.Equal(t, http.StatusNotFound, w.accept(mine, emma).Status)
	require.Equal(t, http.StatusNotFound, w.get("/api/metadata/"+mine).Status)
}

func TestChatIdempotencyKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func(key, body string) reply { return w.ask("POST", "/api/chat", body, "Idempotency-Key", key) }
	first := ask("k1", `{"message":"hello"}`)
	require.Equal(t, "complete", first.last(t)["type"])
	again := ask("k1", `{"message":"hello"}`)
	require.Equal(t, first.Header.Get("Location"), again.Header.Get("Location"), "no second chat")
	require.Equal(t, first.frames(t), again.frames(t))
	require.Equal(t, http.StatusUnprocessableEntity, ask("k1", `{"message":"another"}`).Status)
	chat := first.Header.Get("Chat-Id")
	next := func(key string) reply { return ask(key, fmt.Sprintf(`{"chat_id":%q,"message":"hello"}`, chat)) }
	require.Equal(t, chat+".2", next("k2").runOf())
	require.Equal(t, chat+".2", next("k2").runOf())
	require.Equal(t, chat+".1", next("k1").runOf())
	w.as = "demo other"
	require.NotEqual(t, chat, ask("k1", `{"message":"hello"}`).Header.Get("Chat-Id"), "keys belong to a user")
}

// A chat has one run at a time. It can be stopped, and answers the next message.
func TestStopOfAChat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	chat := w.chat("", "hello").Header.Get("Chat-Id")
	started := make(chan struct{})
	w.model.then(hold(started, nil))
	got := make(chan reply)
	go func() { got <- w.chat(chat, "think") }()
	<-started
	busy := w.chat(chat, "another")
	require.Equal(t, http.StatusConflict, busy.Status)
	require.Contains(t, busy.Body, "This chat is still being answered.")
	require.Equal(t, chat+".2", busy.runOf())
	require.Equal(t, http.StatusOK, w.post("/api/runs/"+chat+".2/stop", map[string]any{}).Status)
	require.Equal(t, "stopped", (<-got).last(t)["code"])
	require.Equal(t, "complete", w.chat(chat, "another").last(t)["type"])
}

// share returns the answers of a model that shares a book.
func share(id string, version int) []answer {
	return []answer{call("s1", "share_book", fmt.Sprintf(`{"book_id":%q,"version":%d}`, id, version)), say("Done.")}
}

// A librarian's model asks to share a book. Nothing is shared until the librarian approves, and then once.
func TestApprovals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann librarian"
	id := w.accepted(map[string]any{"title": "Emma"})
	shared := func() any { return w.get("/api/bookshelf/overview").json(t)["shared"] }
	decide := func(run, approval, body string) reply {
		return w.do(t.Context(), http.MethodPost, "/api/runs/"+run+"/approvals/"+approval, body)
	}
	w.model.then(share(id, 1)...)
	r := w.chat("", "share Emma")
	require.Equal(t, []any{"run_started", "user_message", "chat", "tool_call", "approval_requested", "pending"}, r.kinds(t))
	asked := r.one(t, "approval_requested")
	require.Equal(t, "share_book", asked["tool"])
	require.Equal(t, "Share version 1 of “Emma” with all colleagues.", asked["reason"])
	require.Equal(t, map[string]any{"book_id": id, "version": 1.0}, asked["input"])
	require.InDelta(t, 0, shared(), 0)
	run, approval := r.runOf(), asked["approval_id"].(string)

	require.Equal(t, http.StatusBadRequest, decide(run, approval, `{}`).Status)
	require.Equal(t, http.StatusBadRequest, decide(run, approval, `{"approved":"true"}`).Status)
	require.Equal(t, http.StatusNotFound, decide(run, strings.Repeat("0", 64), `{"approved":true}`).Status)
	require.Equal(t, http.StatusNotFound, decide(run+"1", approval, `{"approved":true}`).Status)
	w.as = "acme ann"
	require.Equal(t, http.StatusForbidden, decide(run, approval, `{"approved":true}`).Status, "ann has lost the role")
	for _, other := range []string{"acme bob librarian", "globex ann librarian", "acme carol ops librarian"} {
		w.as = other
		require.Equal(t, http.StatusNotFound, decide(run, approval, `{"approved":true}`).Status, other)
	}
	w.as = "acme ann librarian"
	require.InDelta(t, 0, shared(), 0)

	d := decide(run, approval, `{"approved":true}`)
	require.Equal(t, http.StatusOK, d.Status, d.Body)
	next := d.runOf()
	require.Equal(t, next, d.json(t)["run_id"])
	told := w.follow(next, "")
	require.Equal(t, []any{"run_started", "approval_decided", "tool_result", "text_delta", "complete"}, told.kinds(t))
	require.Equal(t, "“Emma” is shared (version 1)", told.one(t, "tool_result")["summary"])
	require.InDelta(t, 1, shared(), 0)
	require.Equal(t, next, decide(run, approval, `{"approved":true}`).runOf(), "again")
	require.Equal(t, http.StatusConflict, decide(run, approval, `{"approved":false}`).Status)
}

func TestADeclinedApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann librarian"
	id := w.accepted(map[string]any{"title": "Emma"})
	w.model.then(share(id, 1)...)
	r := w.chat("", "share Emma")
	w.as = "acme ann" // everybody may decline
	d := w.post("/api/runs/"+r.runOf()+"/approvals/"+r.one(t, "approval_requested")["approval_id"].(string),
		map[string]any{"approved": false, "reason": "Not yet."})
	require.Equal(t, http.StatusOK, d.Status, d.Body)
	told := w.follow(d.runOf(), "")
	require.Equal(t, "Not yet.", told.one(t, "approval_decided")["reason"])
	require.Equal(t, true, told.one(t, "tool_result")["is_error"])
	require.Equal(t, "complete", told.last(t)["type"])
	require.InDelta(t, 0, w.get("/api/bookshelf/overview").json(t)["shared"], 0)
}

// Somebody who is not a librarian cannot have a book shared, and nobody is asked.
func TestSharingNeedsALibrarian(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann"
	id := w.accepted(map[string]any{"title": "Emma"})
	w.model.then(share(id, 1)...)
	r := w.chat("", "share Emma")
	require.Equal(t, "complete", r.last(t)["type"])
	require.Equal(t, true, r.one(t, "tool_result")["is_error"])
	require.NotContains(t, r.Body, "approval_requested")
	result := w.get("/api/runs/" + r.runOf() + "/results/s1")
	require.Contains(t, result.Body, "not a librarian")
	require.InDelta(t, 0, w.get("/api/bookshelf/overview").json(t)["shared"], 0)
}

// A call that cannot succeed is answered to the model, and nobody is asked.
func TestImpossibleShares(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme bob librarian"
	bobs := w.accepted(map[string]any{"title": "Emma"})
	require.Equal(t, http.StatusOK, w.post("/api/bookshelf/"+bobs+"/share", map[string]any{}).Status)
	hidden := w.accepted(map[string]any{"title": "Persuasion"})
	w.as = "acme ann librarian"
	mine := w.accepted(map[string]any{"title": "Emma"})
	for _, c := range []struct {
		id      string
		version int
		why     string
	}{
		{mine, 2, "at most 1"}, {mine, 0, "version"}, {bobs, 1, "shared already"},
		{hidden, 1, "does not exist"}, {"0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", 1, "does not exist"}, {"x", 1, "does not exist"},
	} {
		w.model.then(share(c.id, c.version)...)
		r := w.chat("", "share it")
		require.Equal(t, "complete", r.last(t)["type"], c.id)
		require.NotContains(t, r.Body, "approval_requested")
		var res struct{ Blocks []struct{ Text string } }
		require.NoError(t, json.Unmarshal([]byte(w.get("/api/runs/"+r.runOf()+"/results/s1").Body), &res))
		require.Contains(t, res.Blocks[0].Text, c.why)
	}
}

// The runs of a chat are kept for a month, and its turns for ever.
func TestAnOldChat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		chat := w.chat("", "hello").Header.Get("Chat-Id")
		time.Sleep(40 * 24 * time.Hour)
		require.Equal(t, http.StatusNotFound, w.get("/api/runs/"+chat+".1/events").Status)
		require.Equal(t, "complete", w.chat(chat, "hello again").last(t)["type"])
		require.Equal(t, 2, w.turns(chat))
	})
}

// Chats and extractions count against the same limits.
func TestChatsBeyondTheLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options
	o.Admission = must.Get(admission.New(w.table.System(), &admission.Options{UserRuns: 1, Queue: 1}))
	w.open(o)
	started, until := make(chan struct{}), make(chan struct{})
	w.model.then(hold(started, until))
	running := make(chan reply)
	id := w.uploaded(picture(t))
	go func() { running <- w.extract(id) }()
	<-started
	waiting := w.queue("/api/chat", map[string]any{"message": "hello"})
	r := w.chat("", "one too many")
	require.Equal(t, http.StatusTooManyRequests, r.Status, r.Body)
	require.NotEmpty(t, r.Header.Get("Retry-After"))
	close(until)
	require.Equal(t, "complete", (<-running).last(t)["type"])
	require.Equal(t, "complete", (<-waiting).last(t)["type"])
}
