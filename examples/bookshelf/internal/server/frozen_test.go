package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdaurl"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
)

// chatRequests are a message to each kind of chat.
var chatRequests = map[string]string{
	"/api/chat": `{"message":"hello"}`,
	"/api/chat/agui": `{"threadId":"t","runId":"r","tools":[],"context":[],
		"messages":[{"id":"m","role":"user","content":"hello"}]}`,
	"/api/chat/aisdk": `{"id":"c","trigger":"submit-message",
		"messages":[{"id":"m","role":"user","parts":[{"type":"text","text":"hello"}]}]}`,
}

// invoke sends a request to the server as a function of AWS Lambda, whose responses cannot flush.
func (w *world) invoke(drain context.Context, path, body string) *events.LambdaFunctionURLStreamingResponse {
	w.t.Helper()
	var q events.LambdaFunctionURLRequest
	q.RawPath, q.Body, q.RequestContext.HTTP.Method, q.RequestContext.DomainName = path, body, http.MethodPost, "localhost"
	q.Headers = map[string]string{
		"authorization": "acme ann", "content-type": "application/json", "accept": "application/json, text/event-stream",
	}
	res, err := lambdaurl.Wrap(http.HandlerFunc(func(res http.ResponseWriter, r *http.Request) {
		defer func() { _ = recover() }() // an aborted response
		w.srv.ServeHTTP(res, r.WithContext(server.WithDrain(r.Context(), drain)))
	}))(w.t.Context(), &q)
	require.NoError(w.t, err)
	return res
}

func newUnbufferedWorld(t *testing.T) *world {
	w := newWorld(t)
	o := w.options
	o.Unbuffered = true
	w.open(o)
	return w
}

func TestFunctionStreamsEachKindOfChat(t *testing.T) {
	t.Parallel()
	for path, body := range chatRequests {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			res := newUnbufferedWorld(t).invoke(t.Context(), path, body)
			text, err := io.ReadAll(res)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, res.StatusCode, "%s", text)
			require.Contains(t, string(text), `"delta":"ok"`)
		})
	}
}

func TestDrainOfARequestEndsItsStream(t *testing.T) {
	t.Parallel()
	for path, body := range chatRequests {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			w := newUnbufferedWorld(t)
			started, until := make(chan struct{}), make(chan struct{})
			defer close(until)
			w.model.then(hold(started, until))
			drain, end := context.WithCancel(t.Context())
			defer end()
			res := w.invoke(drain, path, body)
			<-started
			end()
			text, err := io.ReadAll(res)
			require.NoError(t, err)
			require.NotContains(t, string(text), `"finish"`, "the run has not ended")
		})
	}
}

func TestFunctionServesMCP(t *testing.T) {
	t.Parallel()
	for method, params := range map[string]map[string]any{
		"tools/list": {}, "tools/call": {"name": "list_books", "arguments": map[string]any{}},
	} {
		w := newUnbufferedWorld(t)
		params, err := json.Marshal(params)
		require.NoError(t, err)
		res := w.invoke(t.Context(), "/mcp", fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params))
		text, err := io.ReadAll(res)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, res.StatusCode, "%s", text)
		require.Contains(t, string(text), "books", method)
	}
}
