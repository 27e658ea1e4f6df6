package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
	"github.com/carrel-go/carrel/sse/replay"
)

type transcript struct {
	ID    string `json:"chat_id"`
	Turns []struct {
		Number  int
		Entries []struct {
			Role, Text, ID, Name, Summary string
			Output                        map[string]any
		}
	}
	Next   string
	Run    string `json:"run_id"`
	Status string
	Follow []string
	Rights map[string]bool
}

func (w *world) transcript(chat, query string) (tr transcript) {
	w.t.Helper()
	r := w.get("/api/chat/" + chat + query)
	require.Equal(w.t, http.StatusOK, r.Status, r.Body)
	require.NoError(w.t, json.Unmarshal([]byte(r.Body), &tr))
	return tr
}

// texts are the texts and calls of a transcript in order.
func (tr transcript) texts() (texts []string) {
	for _, t := range tr.Turns {
		for _, e := range t.Entries {
			texts = append(texts, strings.TrimSpace(e.Role+" "+e.Text+e.Name+" "+e.Summary))
		}
	}
	return texts
}

// A chat can be read again after a reload, page by page, with the outputs of its calls.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.accepted(map[string]any{"title": "Emma"})
	w.model.then(call("c1", "list_books", `{}`), say("You have Emma."))
	chat := w.chat("", "Read it.\n\nWhat <b>do</b> I have?").Header.Get("Chat-Id")
	tr := w.transcript(chat, "")
	require.Equal(t, []string{
		"user Read it.\n\nWhat <b>do</b> I have?", "assistant list_books 1 book", "assistant You have Emma.",
	}, tr.texts())
	books := tr.Turns[0].Entries[1].Output["books"].([]any)
	require.Equal(t, id, books[0].(map[string]any)["book_id"])
	require.Equal(t, chat+".1", tr.Run)
	require.Equal(t, "complete", tr.Status)
	require.Empty(t, tr.Follow)
	require.Empty(t, tr.Next)

	w.model.then(say("Yes."))
	w.chat(chat, "Is it good?")
	newest := w.transcript(chat, "?limit=1")
	require.Equal(t, []string{"user Is it good?", "assistant Yes."}, newest.texts())
	older := w.transcript(chat, "?limit=100&cursor="+newest.Next)
	require.Equal(t, tr.Turns, older.Turns)
	require.Empty(t, older.Next)
	for _, bad := range []string{"?limit=0", "?limit=101", "?limit=x", "?cursor=", "?cursor=x", "?cursor=" + chat} {
		require.Equal(t, http.StatusBadRequest, w.get("/api/chat/"+chat+bad).Status, bad)
	}
}

// The event chat has the number of turns before its run, so that a client which follows the run does not show its turns
// a second time.
func TestTheTranscriptOfARunInFlight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model.then(say("Hello."))
	first := w.chat("", "hello")
	require.InDelta(t, 0, first.one(t, "chat")["turns"], 0)
	chat := first.Header.Get("Chat-Id")
	started := make(chan struct{})
	w.model.then(call("c1", "list_books", `{}`), hold(started, nil))
	got := make(chan reply)
	go func() { got <- w.chat(chat, "think") }()
	<-started
	tr := w.transcript(chat, "")
	require.Equal(t, []string{chat + ".2"}, tr.Follow)
	require.Equal(t, "running", tr.Status)
	require.Equal(t, http.StatusOK, w.post("/api/runs/"+chat+".2/stop", map[string]any{}).Status)
	before := (<-got).one(t, "chat")["turns"].(float64)
	require.InDelta(t, 1, before, 0)
	var seen []int
	for _, turn := range tr.Turns {
		seen = append(seen, turn.Number)
	}
	require.Contains(t, seen, int(before))
	tr = w.transcript(chat, "")
	require.Empty(t, tr.Follow)
	require.Equal(t, "stopped", tr.Status)
}

// A run that waits for an approval is followed after a reload, and the run that continues it after that one.
func TestTheTranscriptOfARunThatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann librarian"
	id := w.accepted(map[string]any{"title": "Emma"})
	started := make(chan struct{})
	w.model.then(share(id, 1)[0], hold(started, nil)) // the hold is the answer after the share
	chat := w.chat("", "share Emma").Header.Get("Chat-Id")
	tr := w.transcript(chat, "")
	require.Equal(t, []string{chat + ".1"}, tr.Follow)
	require.Equal(t, "pending", tr.Status)
	require.Equal(t, map[string]bool{"can_approve": true}, tr.Rights)
	require.Empty(t, tr.Turns, "its events tell them")
	pending := w.follow(chat+".1", "")
	require.Equal(t, "share Emma", pending.one(t, "user_message")["text"])
	approval := pending.one(t, "approval_requested")["approval_id"]

	w.as = "acme ann"
	require.Equal(t, map[string]bool{"can_approve": false}, w.transcript(chat, "").Rights)
	w.as = "acme ann librarian"
	r := w.post(fmt.Sprintf("/api/runs/%s.1/approvals/%s", chat, approval), map[string]any{"approved": true})
	require.Equal(t, http.StatusOK, r.Status, r.Body)
	<-started
	require.Equal(t, []string{chat + ".1", chat + ".2"}, w.transcript(chat, "").Follow)
	require.Equal(t, http.StatusOK, w.post("/api/runs/"+chat+".2/stop", map[string]any{}).Status)
	w.follow(chat+".2", "")
	require.Empty(t, w.transcript(chat, "").Follow)
}

// A message overtakes a request for an approval. The transcript has the exchange before it, with the call as not made.
func TestTheTranscriptHasOvertakenRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann librarian"
	id := w.accepted(map[string]any{"title": "Emma"})
	w.model.then(say("Hello."))
	chat := w.chat("", "hello").Header.Get("Chat-Id")
	w.model.then(share(id, 1)...)
	w.chat(chat, "share Emma")
	require.Equal(t, []string{"user hello", "assistant Hello."}, w.transcript(chat, "").texts(), "it still waits")
	w.chat(chat, "never mind") // the model has its answer for after the approval
	tr := w.transcript(chat, "")
	require.Len(t, tr.Turns, 3)
	call := tr.Turns[1].Entries[len(tr.Turns[1].Entries)-1]
	require.Equal(t, "share_book", call.Name)
	require.Contains(t, call.Summary, "Not decided")
	require.InDelta(t, 2, w.follow(chat+".3", "").one(t, "chat")["turns"], 0)

	w.model.then(share(id, 1)...)
	asked := w.chat(chat, "share it after all")
	require.Equal(t, http.StatusOK, w.post("/api/runs/"+chat+".4/approvals/"+asked.one(t, "approval_requested")["approval_id"].(string),
		map[string]any{"approved": true}).Status)
	require.Equal(t, "complete", w.follow(chat+".5", "").last(t)["type"])
	require.Len(t, w.transcript(chat, "").Turns, 5, "the call, and the answer after it")
}

func TestChatsAreListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.JSONEq(t, `{"chats":[],"count":0,"rights":{"can_approve":false}}`, w.get("/api/chat").Body)
	var want []any
	for i := range 3 {
		chat := w.chat("", fmt.Sprint("question ", i)).Header.Get("Chat-Id")
		w.chat(chat, "another one")
		want = append([]any{chat, fmt.Sprint("question ", i)}, want...)
	}
	list := func(query string) (got []any, next string) {
		page := w.get("/api/chat" + query).json(t)
		for _, c := range page["chats"].([]any) {
			row := c.(map[string]any)
			require.NotEmpty(t, row["started_at"])
			got = append(got, row["chat_id"], row["title"])
		}
		next, _ = page["next"].(string)
		return got, next
	}
	all, next := list("")
	require.Equal(t, want, all)
	require.Empty(t, next)
	first, next := list("?limit=2")
	second, end := list("?limit=2&cursor=" + next)
	require.Equal(t, want, append(first, second...))
	require.Empty(t, end)
	for _, bad := range []string{"?limit=0", "?cursor=", "?cursor=x"} {
		require.Equal(t, http.StatusBadRequest, w.get("/api/chat"+bad).Status, bad)
	}
	require.Equal(t, "GET, POST", w.do(t.Context(), http.MethodPut, "/api/chat", "").Header.Get("Allow"))
}

// The chats of others do not exist.
func TestTranscriptsOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann"
	chat := w.chat("", "my secret").Header.Get("Chat-Id")
	upload := w.uploaded(picture(t))
	for _, who := range []string{"acme bob librarian ops", "globex ann ops"} {
		w.as = who
		want := w.get("/api/chat/" + missing)
		require.Equal(t, http.StatusNotFound, want.Status)
		for _, id := range []string{chat, upload, chat + ".1", strings.ToUpper(chat), "x", "%2e%2e%2f" + chat, chat + "%00"} {
			require.Equal(t, want, w.get("/api/chat/"+id), id)
		}
		require.NotContains(t, w.get("/api/chat").Body, "secret")
		require.Empty(t, w.get("/api/chat?cursor=" + chat).json(t)["chats"])
	}
	w.as = "acme ann"
	require.Equal(t, http.StatusNotFound, w.get("/api/chat/"+upload).Status, "an upload is not a chat")
}

// Logs from before the event had the number of turns are still read.
func TestTheChatEventOfOlderLogs(t *testing.T) {
	t.Parallel()
	fold := server.Events().New()
	for value, want := range map[string]string{
		`"0199a1b2"`:                           `{"type":"chat","chat_id":"0199a1b2"}`,
		`{"chat_id":"0199a1b2","turns":0}`:     `{"type":"chat","chat_id":"0199a1b2","turns":0}`,
		`{"chat_id":"0199a1b2","turns":12345}`: `{"type":"chat","chat_id":"0199a1b2","turns":12345}`,
	} {
		frames, err := fold(replay.Event{ID: "000000000001.0001", Data: json.RawMessage(`{"type":"custom","name":"chat","value":` + value + `}`)})
		require.NoError(t, err)
		require.Len(t, frames, 1)
		require.JSONEq(t, want, string(frames[0].Data))
	}
}
