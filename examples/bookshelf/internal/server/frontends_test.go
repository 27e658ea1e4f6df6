package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// agui sends a request of an AG-UI client in the thread "t 1".
func (w *world) agui(run, message, resume string) reply {
	return w.do(w.t.Context(), http.MethodPost, "/api/chat/agui", fmt.Sprintf(
		`{"threadId":"t 1","runId":%q,"messages":[{"id":"m","role":"user","content":%q}],"tools":[],"context":[],"resume":[%s]}`,
		run, message, resume))
}

func TestAGUI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann librarian"
	id := w.accepted(map[string]any{"title": "Emma"})
	w.model.then(share(id, 1)...)
	asked := w.agui("r1", "share Emma", "").last(t)
	require.Equal(t, "RUN_FINISHED", asked["type"])
	outcome := asked["outcome"].(map[string]any)
	require.Equal(t, "interrupt", outcome["type"])
	interrupt := outcome["interrupts"].([]any)[0].(map[string]any)
	require.Equal(t, "Share version 1 of “Emma” with all colleagues.", interrupt["message"])
	require.Equal(t, "interrupted", w.agui("r2", "hello", "").last(t)["code"])

	yes := fmt.Sprintf(`{"interruptId":%q,"status":"resolved","payload":{"approved":true}}`, interrupt["id"])
	w.as = "acme ann"
	require.Equal(t, http.StatusForbidden, w.agui("r2", "", yes).Status, "ann has lost the role")
	w.as = "acme bob librarian"
	require.Equal(t, http.StatusNotFound, w.agui("r2", "", yes).Status, "the thread is another one")
	w.as = "acme ann librarian"
	resumed := w.agui("r2", "", yes)
	require.Contains(t, resumed.Body, `"TOOL_CALL_RESULT"`)
	require.Equal(t, "success", resumed.last(t)["outcome"].(map[string]any)["type"])
	require.InDelta(t, 1, w.get("/api/bookshelf/overview").json(t)["shared"], 0)
	require.Equal(t, resumed.Body, w.agui("r2", "", yes).Body, "again")

	require.Equal(t, "success", w.agui("r3", "hello", "").last(t)["outcome"].(map[string]any)["type"])
	require.Equal(t, http.StatusUnprocessableEntity, w.agui("r3", "another", "").Status)
	require.Equal(t, http.StatusRequestEntityTooLarge, w.agui("r4", strings.Repeat("x", 4001), "").Status)
	require.Equal(t, http.StatusBadRequest, w.agui("", "hello", "").Status)
	require.Equal(t, http.StatusMethodNotAllowed, w.get("/api/chat/agui").Status)
}
