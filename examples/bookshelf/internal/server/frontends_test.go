package server_test

import (
	"encoding/json"
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
	require.Equal(t, resumed.frames(t), w.agui("r2", "", yes).frames(t), "again")

	require.Equal(t, "success", w.agui("r3", "hello", "").last(t)["outcome"].(map[string]any)["type"])
	require.Equal(t, http.StatusUnprocessableEntity, w.agui("r3", "another", "").Status)
	require.Equal(t, http.StatusRequestEntityTooLarge, w.agui("r4", strings.Repeat("x", 4001), "").Status)
	require.Equal(t, http.StatusBadRequest, w.agui("", "hello", "").Status)
	require.Equal(t, http.StatusMethodNotAllowed, w.get("/api/chat/agui").Status)
}

// aisdk sends a request of the AI SDK in the chat "c/1", with one message.
func (w *world) aisdk(id, role, part string) reply {
	return w.do(w.t.Context(), http.MethodPost, "/api/chat/aisdk", fmt.Sprintf(
		`{"id":"c/1","trigger":"submit-message","messages":[{"id":%q,"role":%q,"parts":[%s]}]}`, id, role, part))
}

// chunk returns the only chunk of a type in a stream of the AI SDK.
func chunk(t *testing.T, r reply, kind string) map[string]any {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(r.Body) {
		data, _ := strings.CutPrefix(strings.TrimSpace(line), "data: ")
		if strings.HasPrefix(data, `{"type":"`+kind+`"`) {
			var v map[string]any
			require.NoError(t, json.Unmarshal([]byte(data), &v))
			found = append(found, v)
		}
	}
	require.Len(t, found, 1, "%s in %s", kind, r.Body)
	return found[0]
}

func TestAISDK(t *testing.T) {
	t.Parallel()
	const stream = "/api/chat/aisdk/c%2F1/stream"
	w := newWorld(t)
	w.as = "acme ann librarian"
	require.Equal(t, http.StatusNoContent, w.get(stream).Status)
	id := w.accepted(map[string]any{"title": "Emma"})
	w.model.then(share(id, 1)...)
	asked := w.aisdk("m1", "user", `{"type":"text","text":"share Emma"}`)
	require.Equal(t, "tool-calls", chunk(t, asked, "finish")["finishReason"])
	request := chunk(t, asked, "tool-approval-request")
	require.Equal(t, "Share version 1 of “Emma” with all colleagues.", request["reason"])

	message := chunk(t, asked, "start")["messageId"].(string)
	yes := fmt.Sprintf(`{"type":"tool-share_book","state":"approval-responded","approval":{"id":%q,"approved":true}}`, request["approvalId"])
	w.as = "acme ann"
	require.Equal(t, http.StatusForbidden, w.aisdk(message, "assistant", yes).Status, "ann has lost the role")
	w.as = "acme bob librarian"
	require.Equal(t, http.StatusNotFound, w.aisdk(message, "assistant", yes).Status, "the chat is another one")
	require.Equal(t, http.StatusNoContent, w.get(stream).Status)
	w.as = "acme ann librarian"
	unknown := strings.Replace(yes, request["approvalId"].(string), strings.Repeat("0", 64), 1)
	require.Equal(t, http.StatusConflict, w.aisdk(message, "assistant", unknown).Status)
	resumed := w.aisdk(message, "assistant", yes)
	require.Equal(t, message, chunk(t, resumed, "start")["messageId"])
	require.Equal(t, request["toolCallId"], chunk(t, resumed, "tool-output-available")["toolCallId"])
	require.Equal(t, "stop", chunk(t, resumed, "finish")["finishReason"])
	require.InDelta(t, 1, w.get("/api/bookshelf/overview").json(t)["shared"], 0)
	require.Equal(t, resumed.frames(t), w.aisdk(message, "assistant", yes).frames(t), "again")
	whole := w.get(stream)
	require.Equal(t, request, chunk(t, whole, "tool-approval-request"))
	require.Equal(t, "stop", chunk(t, whole, "finish")["finishReason"])

	hello := `{"type":"text","text":"hello"}`
	require.Equal(t, "stop", chunk(t, w.aisdk("m2", "user", hello), "finish")["finishReason"])
	require.Equal(t, http.StatusUnprocessableEntity, w.aisdk("m2", "user", `{"type":"text","text":"another"}`).Status)
	require.Equal(t, http.StatusBadRequest, w.aisdk("", "user", hello).Status)
	require.Equal(t, http.StatusMethodNotAllowed, w.get("/api/chat/aisdk").Status)
}
