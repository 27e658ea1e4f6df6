package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
)

// post sends a message of an older version to a handler, with the scope in its context.
func post(h http.Handler, body string, caller *scope.Scope) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", strings.NewReader(body))
	setHeaders(r, "2025-06-18")
	if caller != nil {
		r = r.WithContext(scope.NewContext(r.Context(), *caller))
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func setHeaders(r *http.Request, version string) {
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("Mcp-Protocol-Version", version)
}

// request returns a call of a tool as it is on the wire.
func (w *world) request(ctx context.Context, version, tool string) *http.Request {
	return w.requestOf(ctx, w.token("acme", "u1"), version, tool)
}

func (w *world) requestOf(ctx context.Context, token, version, tool string) *http.Request {
	params := map[string]any{"name": tool}
	if version >= "2026-07-28" {
		params["_meta"] = map[string]any{
			"io.modelcontextprotocol/protocolVersion":    version,
			"io.modelcontextprotocol/clientCapabilities": map[string]any{},
		}
	}
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":%s}`, must.Get(json.Marshal(params)))
	r := must.Get(http.NewRequestWithContext(ctx, http.MethodPost, w.url, strings.NewReader(body)))
	setHeaders(r, version)
	r.Header.Set("Mcp-Method", "tools/call")
	r.Header.Set("Mcp-Name", tool)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

func jsonString(s string) (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}
