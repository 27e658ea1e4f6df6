package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/table"
)

// Old chats leave nothing to read; the conversation about an upload stays as long as its record.
func TestOldChatsAreForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.history = must.Get(history.New(w.table, &history.Options{Retention: time.Hour}))
	w.options.History = w.history
	w.open(w.options)
	upload := w.accepted(map[string]any{"title": "Emma"})
	w.model.then(say("Hello."), say("Hello."))
	old, recent := w.chat("", "old").Header.Get("Chat-Id"), w.chat("", "recent").Header.Get("Chat-Id")
	for _, id := range []string{upload, old} { // both were used two hours ago
		view := must.Get(w.table.In(w.session(id)))
		marker := must.Get(view.Get(t.Context(), "history"))
		marker.Index[0].Sort = time.Now().Add(-2 * time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
		must.Get(view.Put(t.Context(), marker, table.Version(marker.Version)))
	}
	clean := func() { require.NoError(t, w.history.Clean(t.Context(), w.table.System(), w.srv.ForgetChat)) }
	before := w.turns(upload)
	clean()
	require.Equal(t, before, w.turns(upload))
	require.Positive(t, before)
	require.Zero(t, w.turns(old))
	require.Equal(t, 1, w.turns(recent))
	chats := w.get("/api/chat").json(t)["chats"].([]any)
	require.Len(t, chats, 1)
	require.Equal(t, recent, chats[0].(map[string]any)["chat_id"])

	w.model.then(say("Hello again."))
	require.Equal(t, http.StatusOK, w.chat(old, "are you there?").Status, "its run is still known")
	require.Equal(t, []string{"user are you there?", "assistant Hello again."}, w.transcript(old, "").texts())
	require.Len(t, w.get("/api/chat").json(t)["chats"], 2)
}
