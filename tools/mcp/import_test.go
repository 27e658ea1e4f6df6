package mcp_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/mcp"
)

type cityArgs struct {
	City string `json:"city" jsonschema:"the city"`
}

// newWeather starts a server of the SDK. If it is stateful, it speaks the versions before 2026-07-28 only.
func newWeather(t *testing.T, isStateless bool) *httptest.Server {
	t.Helper()
	s := sdk.NewServer(&sdk.Implementation{Name: "weather", Version: "v1"}, &sdk.ServerOptions{PageSize: 2})
	sdk.AddTool(s, &sdk.Tool{Name: "forecast", Description: "Says what the weather will be."},
		func(_ context.Context, _ *sdk.CallToolRequest, in cityArgs) (*sdk.CallToolResult, map[string]any, error) {
			if in.City == "Atlantis" {
				return nil, nil, errors.New("no such city")
			}
			return nil, map[string]any{"sky": "sunny in " + in.City}, nil
		})
	for _, name := range []string{"a", "b", "c"} {
		sdk.AddTool(s, &sdk.Tool{Name: name}, func(context.Context, *sdk.CallToolRequest, struct{}) (*sdk.CallToolResult, any, error) {
			return &sdk.CallToolResult{Content: []sdk.Content{
				&sdk.TextContent{Text: "one"}, &sdk.ImageContent{MIMEType: "image/png", Data: []byte("\x89PNG")},
				&sdk.AudioContent{MIMEType: "audio/wav", Data: []byte("x")}, &sdk.ResourceLink{URI: "file:///etc/passwd", Name: "x"},
				&sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: "x:", Text: "two"}},
				&sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: "x:", Blob: []byte("x")}},
				&sdk.ImageContent{MIMEType: "image/svg+xml", Data: []byte("<svg/>")},
			}}, nil, nil
		})
	}
	srv := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return s },
		&sdk.StreamableHTTPOptions{Stateless: isStateless}))
	t.Cleanup(srv.Close)
	return srv
}

func importFrom(t *testing.T, url string, o *mcp.ImportOptions) *mcp.Remote {
	t.Helper()
	r, err := mcp.Import(t.Context(), url, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func callTool(t *testing.T, set tools.Set, name, args string) (tools.Result, error) {
	t.Helper()
	caller := userScope(t, "acme", "u1")
	tool, ok := must.Get(set.Resolve(t.Context(), caller, nil)).Lookup(name)
	require.True(t, ok, name)
	return tool.Call(t.Context(), tools.NewCall(tools.CallOptions{Scope: caller, Args: json.RawMessage(args)}))
}

func names(t *testing.T, set tools.Set) (all []string) {
	t.Helper()
	for spec := range must.Get(set.Resolve(t.Context(), userScope(t, "acme", "u1"), nil)).Specs() {
		all = append(all, spec.Name)
	}
	return all
}

func TestImportedToolsAnswer(t *testing.T) {
	t.Parallel()
	for _, isStateless := range []bool{true, false} {
		set := importFrom(t, newWeather(t, isStateless).URL, &mcp.ImportOptions{Name: "weather"}).Tools()
		require.Equal(t, []string{"a", "b", "c", "forecast"}, names(t, set), "of all pages")

		res, err := callTool(t, set, "forecast", `{"city":"Bonn"}`)
		require.NoError(t, err)
		require.JSONEq(t, `{"server":"weather","structured":{"sky":"sunny in Bonn"}}`, string(res.Blocks[0].JSON))
		require.Equal(t, "answer of weather, 57 bytes", res.Summary)
		require.False(t, res.IsError)

		res, err = callTool(t, set, "forecast", `{"city":"Atlantis"}`)
		require.NoError(t, err)
		require.True(t, res.IsError)
		require.JSONEq(t, `{"server":"weather","text":["no such city"]}`, string(res.Blocks[0].JSON))

		_, err = callTool(t, set, "forecast", `{"city":"Bonn","tenant":"globex"}`)
		require.ErrorContains(t, err, "tenant: is not known here")

		res, err = callTool(t, set, "a", `{}`)
		require.NoError(t, err)
		require.JSONEq(t, `{"server":"weather","text":["one","two"],"notes":["a part that is not supported was left out",`+
			`"a link was left out","a file was left out","an image was left out"]}`, string(res.Blocks[0].JSON))
		require.Equal(t, []byte("\x89PNG"), res.Blocks[1].Image.Bytes)
	}
}

func TestImportChoosesAndRenamesTools(t *testing.T) {
	t.Parallel()
	url := newWeather(t, true).URL
	set := importFrom(t, url, &mcp.ImportOptions{Only: []string{"a", "forecast"}, Prefix: "w_"}).Tools()
	require.Equal(t, []string{"w_a", "w_forecast"}, names(t, set))
	_, err := callTool(t, set, "w_forecast", `{"city":"Bonn"}`)
	require.NoError(t, err)

	_, err = mcp.Import(t.Context(), url, &mcp.ImportOptions{Only: []string{"forecast", "missing"}})
	require.ErrorContains(t, err, `the server does not have the tools ["missing"]`)
	for _, endpoint := range []string{"", "weather", "ftp://weather", "http://", "http://a:b@weather", "http://weather/#x", "file:///x"} {
		_, err := mcp.Import(t.Context(), endpoint, nil)
		require.ErrorContains(t, err, "invalid endpoint", endpoint)
	}
	_, err = mcp.Import(t.Context(), url, &mcp.ImportOptions{MaxResult: -1})
	require.ErrorContains(t, err, "invalid negative limit")
}

// A remote tool cannot take the place of a local one.
func TestShadowingNamesAreRejected(t *testing.T) {
	t.Parallel()
	local := tools.Of(newTool(t, "forecast", whoami))
	url := newWeather(t, true).URL
	err := local.With(importFrom(t, url, nil).Tools()).Err()
	require.ErrorContains(t, err, `two tools are named "forecast"`)
	both := local.With(importFrom(t, url, &mcp.ImportOptions{Prefix: "w_"}).Tools())
	require.NoError(t, both.Err())
	require.Equal(t, []string{"forecast", "w_a", "w_b", "w_c", "w_forecast"}, names(t, both))
}

func TestCallsConnectAgain(t *testing.T) {
	t.Parallel()
	first := newWeather(t, false)
	second := newWeather(t, false)
	var mu sync.Mutex
	target := first
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if target == nil {
			panic(http.ErrAbortHandler)
		}
		target.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	become := func(s *httptest.Server) {
		mu.Lock()
		defer mu.Unlock()
		target = s
	}
	set := importFrom(t, proxy.URL, nil).Tools()
	become(second) // which does not know the session
	_, err := callTool(t, set, "forecast", `{"city":"Bonn"}`)
	require.NoError(t, err)
	become(nil)
	_, err = callTool(t, set, "forecast", `{"city":"Bonn"}`)
	require.Error(t, err)
	become(first)
	_, err = callTool(t, set, "forecast", `{"city":"Bonn"}`)
	require.NoError(t, err)
}

func TestClosedRemoteDoesNotCall(t *testing.T) {
	t.Parallel()
	r, err := mcp.Import(t.Context(), newWeather(t, true).URL, nil)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.NoError(t, r.Close())
	_, err = callTool(t, r.Tools(), "forecast", `{"city":"Bonn"}`)
	require.ErrorContains(t, err, "is closed")
}

// The middleware of a host is around the call, as around a local one.
func TestImportedToolsHaveMiddleware(t *testing.T) {
	t.Parallel()
	var seen []string
	set := importFrom(t, newWeather(t, true).URL, &mcp.ImportOptions{Middleware: []tools.Middleware{
		must.Get(tools.Audit(func(_ context.Context, r tools.AuditRecord) { seen = append(seen, r.Tool+" "+r.Outcome) }, nil)),
	}}).Tools()
	_, err := callTool(t, set, "forecast", `{"city":"Bonn"}`)
	require.NoError(t, err)
	require.Equal(t, []string{"forecast ok"}, seen)
}

// A server of this package is imported like any other, with the credentials of the caller.
func TestServedToolsCanBeImported(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tools.Of(newTool(t, "whoami", whoami)), nil)
	remotes := map[string]tools.Set{}
	for _, tenant := range []string{"acme", "globex"} {
		remotes[tenant] = importFrom(t, w.url, &mcp.ImportOptions{Name: "inner", Client: &http.Client{
			Transport: bearer{w.token(tenant, "u1")},
		}}).Tools()
	}
	set := tools.Dynamic(func(_ context.Context, s scope.Scope, _ *tools.State) (tools.Set, error) {
		return remotes[s.TenantID()], nil
	})
	for tenant := range remotes {
		caller := userScope(t, tenant, "u1")
		tool, _ := must.Get(set.Resolve(t.Context(), caller, nil)).Lookup("whoami")
		res, err := tool.Call(t.Context(), tools.NewCall(tools.CallOptions{Scope: caller, Args: []byte(`{}`)}))
		require.NoError(t, err)
		require.Contains(t, string(res.Blocks[0].JSON), "tenant="+tenant+"/")
	}
}
