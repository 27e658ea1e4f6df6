package mcp_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
	"github.com/carrel-go/carrel/tools/mcp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// newGoldenServer has a tool of each kind of answer, and an object.
func newGoldenServer(t testing.TB, caller scope.Scope) http.Handler {
	t.Helper()
	bucket := must.Get(object.New(object.NewMemory(), "carrel-raw", nil))
	root := must.Get(bucket.In(caller))
	_, _, err := root.Put(context.Background(), must.Get(root.Ref("notes é.txt")), strings.NewReader("Notes."), &object.PutOptions{Type: "text/plain"})
	require.NoError(t, err)
	approvals := must.Get(approval.New(must.Get(table.New(table.NewMemory(nil), nil)), nil))
	find := func(_ context.Context, _ *tools.Call, in lendArgs) (lendArgs, error) { return in, nil }
	return must.Get(mcp.Serve(tools.Of(
		must.Get(tools.New("find", "Finds a book.", find)),
		must.Get(tools.New("list", "Lists books.", func(context.Context, *tools.Call, none) ([]string, error) { return []string{"Emma"}, nil })),
		must.Get(tools.New("say", "Says it.", func(context.Context, *tools.Call, none) (string, error) { return "a < b", nil })),
		must.Get(tools.New("lend", "Lends a book.", find, approvals.Require(nil))),
	), &mcp.ServeOptions{Objects: bucket, Approvals: approvals, MayDecide: owner}))
}

// The random parts of an answer.
var random = regexp.MustCompile(`[0-9a-f]{64}\.[A-Z2-7]{26}|"lastModified":"[^"]*"`)

// TestWire compares answers with golden ones, in the newest version of the protocol and in an older one.
func TestWire(t *testing.T) {
	t.Parallel()
	caller := userScope(t, "acme", "u1")
	h := newGoldenServer(t, caller)
	var got strings.Builder
	for _, version := range []string{"2026-07-28", "2025-11-25"} {
		for _, m := range []struct{ method, name, params string }{
			{"tools/list", "", ``},
			{"tools/call", "find", `"name":"find","arguments":{"book":"Emma"}`},
			{"tools/call", "find", `"name":"find","arguments":{"tenant":"globex"}`},
			{"tools/call", "list", `"name":"list"`},
			{"tools/call", "say", `"name":"say","arguments":{}`},
			{"tools/call", "lend", `"name":"lend","arguments":{"book":"Emma"}`},
			{"tools/call", "steal", `"name":"steal"`},
			{"resources/list", "", ``},
			{"resources/read", "object://own/notes%20%C3%A9.txt", `"uri":"object://own/notes%20%C3%A9.txt"`},
			{"resources/read", "object://shared/x", `"uri":"object://shared/x"`},
		} {
			params := m.params
			if version >= "2026-07-28" {
				meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"` + version + `","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}`
				params = strings.TrimPrefix(params+","+meta, ",")
			}
			body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{%s}}`, m.method, params)
			r := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", strings.NewReader(body))
			setHeaders(r, version)
			r.Header.Set("Mcp-Method", m.method)
			if m.name != "" {
				r.Header.Set("Mcp-Name", m.name)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r.WithContext(scope.NewContext(r.Context(), caller)))
			answer := strings.TrimSpace(strings.TrimPrefix(w.Body.String(), "event: message\ndata: "))
			fmt.Fprintf(&got, "%s %s {%s}\n%d %s\n", version, m.method, m.params, w.Code, random.ReplaceAllString(answer, "RANDOM"))
		}
	}
	const golden = "testdata/wire.txt"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(got.String()), 0o600))
	}
	require.Equal(t, string(must.Get(os.ReadFile(golden))), got.String())
}

// FuzzRequest sends any method and parameters. Each message gets an answer, and none tells of another caller.
func FuzzRequest(f *testing.F) {
	tenant := must.Get(scope.Tenant("acme"))
	caller := must.Get(tenant.User("u1"))
	h := newGoldenServer(f, must.Get(tenant.User("victim")))
	for _, m := range [][2]string{
		{"resources/read", `{"uri":"object://own/notes%20%C3%A9.txt"}`},
		{"resources/read", `{"uri":"object://session/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b/../notes é.txt"}`},
		{"resources/list", `{"cursor":"object:b2JqZWN0Oi8vb3duLw"}`},
		{"tools/call", `{"name":"lend","arguments":{"book":"x"},"requestState":"x","inputResponses":{"approval":{"action":"accept"}}}`},
		{"prompts/get", `{"name":"x"}`}, {"completion/complete", `{}`}, {"logging/setLevel", `{"level":"debug"}`}, {"ping", `null`},
		{"initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}`},
	} {
		f.Add(m[0], m[1])
	}
	f.Fuzz(func(t *testing.T, method, params string) {
		name := must.Get(jsonString(method))
		body := post(h, `{"jsonrpc":"2.0","id":1,"method":`+name+`,"params":`+params+`}`, &caller).Body.String()
		require.NotEmpty(t, body)
		require.NotContains(t, body, "Notes.")
		require.NotContains(t, body, "victim")
	})
}
