package mcp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/mcp"
)

type benchArgs struct {
	Title string `json:"title"`
	Limit int    `json:"limit"`
}

// benchSet has as many tools as a large application, one of which is called.
func benchSet() tools.Set {
	var all []*tools.Tool
	for _, name := range strings.Fields("find a b c d e f g h i j k l m n o p q r s") {
		all = append(all, tools.Must(tools.New(name, "Does it.", func(_ context.Context, _ *tools.Call, in benchArgs) (benchArgs, error) {
			return in, nil
		})))
	}
	return tools.Of(all...)
}

const (
	benchCall = `{"title":"Emma","limit":3}`
	benchBody = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find","arguments":` + benchCall + `,"_meta":{` +
		`"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
)

// newBenchCall returns a function that makes one call through a handler.
func newBenchCall(h http.Handler, caller scope.Scope) func() string {
	ctx := scope.NewContext(context.Background(), caller)
	return func() string {
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/mcp", strings.NewReader(benchBody))
		setHeaders(r, "2026-07-28")
		r.Header.Set("Mcp-Method", "tools/call")
		r.Header.Set("Mcp-Name", "find")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
}

// newBareServer returns the SDK's own handler over the same tools, without scopes or limits.
func newBareServer() http.Handler {
	s := sdk.NewServer(&sdk.Implementation{Name: "bare", Version: "v0"}, nil)
	for _, name := range strings.Fields("find a b c d e f g h i j k l m n o p q r s") {
		sdk.AddTool(s, &sdk.Tool{Name: name}, func(_ context.Context, _ *sdk.CallToolRequest, in benchArgs) (*sdk.CallToolResult, benchArgs, error) {
			return nil, in, nil
		})
	}
	return sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return s }, &sdk.StreamableHTTPOptions{Stateless: true})
}

// maxOverhead is the largest promised cost of a call beyond that of its tool, with the transport, and maxRatio that in
// relation to the SDK's own server.
const (
	maxOverhead = 100 * time.Microsecond
	maxRatio    = 0.9
)

// BenchmarkCall measures a call through the handler, through the SDK's own server and of the tool alone, in turns. It
// fails if the quietest calls cost more than is promised. The SDK answers a call in several goroutines. With several
// processors, waking idle ones adds about a quarter to the time and varies with the machine, so the benchmark uses one.
func BenchmarkCall(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	b.ReportAllocs()
	caller := must.Get(must.Get(scope.Tenant("acme")).User("u1"))
	set := benchSet()
	tool, _ := must.Get(set.Resolve(b.Context(), caller, nil)).Lookup("find")
	ours := newBenchCall(must.Get(mcp.Serve(set, nil)), caller)
	theirs := newBenchCall(newBareServer(), caller)
	require.Contains(b, ours(), `"structuredContent":{"title":"Emma","limit":3}`)
	require.Contains(b, theirs(), `"structuredContent":{"limit":3,"title":"Emma"}`)
	var took [3][]time.Duration
	for b.Loop() {
		for i, f := range []func(){
			func() { ours() },
			func() { theirs() },
			func() {
				_ = must.Get(tool.Call(b.Context(), tools.NewCall(tools.CallOptions{Scope: caller, Args: []byte(benchCall)})))
			},
		} {
			began := time.Now()
			f()
			took[i] = append(took[i], time.Since(began))
		}
	}
	var quiet [3]time.Duration // the tenth percentile: a busy machine slows most of the others
	for i, all := range took {
		slices.Sort(all)
		quiet[i] = all[len(all)/10]
	}
	b.ReportMetric(float64(quiet[0]-quiet[2])/1e3, "µs-over-tool")
	b.ReportMetric(float64(quiet[0])/float64(quiet[1]), "x-sdk")
	if len(took[0]) > 1000 {
		require.Less(b, quiet[0]-quiet[2], maxOverhead)
		require.Less(b, float64(quiet[0]), maxRatio*float64(quiet[1]))
	}
}
