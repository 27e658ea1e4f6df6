package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
)

// asCaller sends the Authorization of signIn.
type asCaller struct{ who string }

func (a asCaller) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", a.who)
	return http.DefaultTransport.RoundTrip(r)
}

// connect returns an MCP session of the caller, who answers each question with yes.
func (w *world) connect(who string) *sdk.ClientSession {
	w.t.Helper()
	srv := httptest.NewServer(w.srv)
	w.t.Cleanup(srv.Close)
	client := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "v1"}, &sdk.ClientOptions{
		ElicitationHandler: func(_ context.Context, r *sdk.ElicitRequest) (*sdk.ElicitResult, error) {
			require.Contains(w.t, r.Params.Message, "Share version 1 of")
			return &sdk.ElicitResult{Action: "accept", Content: map[string]any{"approve": true}}, nil
		},
	})
	session, err := client.Connect(w.t.Context(), &sdk.StreamableClientTransport{
		Endpoint: srv.URL + "/mcp", HTTPClient: &http.Client{Transport: asCaller{who}}, DisableStandaloneSSE: true,
	}, nil)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = session.Close() })
	return session
}

func (w *world) callMCP(s *sdk.ClientSession, tool string, args map[string]any) string {
	w.t.Helper()
	res, err := s.CallTool(w.t.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
	require.NoError(w.t, err)
	require.False(w.t, res.IsError, res.Content)
	return res.Content[0].(*sdk.TextContent).Text
}

func TestCallersOfMCPSeeTheirOwnBooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := map[string]string{}
	for _, who := range []string{"acme ann librarian", "acme bob", "globex ann"} {
		w.as = who
		ids[who] = w.accepted(map[string]any{"title": "Emma of " + strings.Join(strings.Fields(who)[:2], " ")})
	}
	for who, id := range ids {
		session := w.connect(who)
		list := w.callMCP(session, "list_books", map[string]any{})
		for other, foreign := range ids {
			if other == who {
				require.Contains(t, list, id)
			} else {
				require.NotContains(t, list, foreign)
			}
		}
		var uris []string
		for r, err := range session.Resources(t.Context(), nil) {
			require.NoError(t, err)
			uris = append(uris, r.URI)
		}
		require.Equal(t, []string{"object://session/" + id + "/metadata.json"}, uris)
		res, err := session.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uris[0]})
		require.NoError(t, err)
		require.Contains(t, res.Contents[0].Text, "Emma of "+strings.Join(strings.Fields(who)[:2], " "))
		for _, foreign := range ids {
			if foreign != id {
				_, err := session.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: "object://session/" + foreign + "/metadata.json"})
				require.ErrorContains(t, err, "Resource not found")
				res := must.Get(session.CallTool(t.Context(), &sdk.CallToolParams{Name: "read_book", Arguments: map[string]any{"book_id": foreign}}))
				require.True(t, res.IsError)
			}
		}
	}
}

// Only librarians have the tool that shares, and a call of it is made once its person has approved it.
func TestLibrariansShareOverMCP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as = "acme ann librarian"
	id := w.accepted(map[string]any{"title": "Emma"})
	reader := w.connect("acme bob")
	share := &sdk.CallToolParams{Name: "share_book", Arguments: map[string]any{"book_id": id, "version": 1}}
	for tool, err := range reader.Tools(t.Context(), nil) {
		require.NoError(t, err)
		require.NotEqual(t, "share_book", tool.Name)
		require.True(t, tool.Annotations.ReadOnlyHint)
	}
	_, err := reader.CallTool(t.Context(), share)
	require.ErrorContains(t, err, "unknown tool")
	require.NotContains(t, w.callMCP(reader, "list_books", map[string]any{}), id)

	require.Contains(t, w.callMCP(w.connect(w.as), "share_book", share.Arguments.(map[string]any)), `"shared_version":1`)
	require.Contains(t, w.callMCP(reader, "list_books", map[string]any{}), id)
	require.NotContains(t, w.callMCP(w.connect("globex bob"), "list_books", map[string]any{}), id)
}

func TestMCPIsGuardedLikeTheAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	send := func(change func(*http.Request)) int {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		change(r)
		rec := httptest.NewRecorder()
		w.srv.ServeHTTP(rec, r)
		return rec.Code
	}
	require.Equal(t, http.StatusOK, send(func(*http.Request) {}))
	require.Equal(t, http.StatusMisdirectedRequest, send(func(r *http.Request) { r.Host = "attacker.example" }))
	require.Equal(t, http.StatusForbidden, send(func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }))
	require.Equal(t, http.StatusForbidden, send(func(r *http.Request) { r.Header.Set("Origin", "https://attacker.example") }))
	require.Equal(t, http.StatusMethodNotAllowed, send(func(r *http.Request) { r.Method = http.MethodGet }))
}
