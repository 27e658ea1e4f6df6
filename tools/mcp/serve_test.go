package mcp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/mcp"
)

func TestEachCallerSeesTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tools.Of(newTool(t, "whoami", whoami)), nil)
	for _, tenant := range []string{"acme", "globex"} {
		session := w.connect(w.token(tenant, "u1"), nil)
		res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "whoami"})
		require.NoError(t, err)
		require.Equal(t, "tenant="+tenant+"/user=u1/", text(t, res))
		require.False(t, res.IsError)
	}
}

func TestCallersInParallelDoNotMix(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tools.Of(newTool(t, "whoami", whoami)), nil)
	var all sync.WaitGroup
	for _, user := range []string{"u1", "u2", "u3", "u4"} {
		session := w.connect(w.token("acme", user), nil)
		for range 3 {
			all.Go(func() {
				for range 10 {
					res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "whoami"})
					if err != nil || text(t, res) != "tenant=acme/user="+user+"/" {
						t.Errorf("%s: %v, %v", user, res, err)
					}
				}
			})
		}
	}
	all.Wait()
}

func TestRequestWithoutAScopeIsRejected(t *testing.T) {
	t.Parallel()
	h, err := mcp.Serve(tools.Of(newTool(t, "whoami", whoami)), nil)
	require.NoError(t, err)
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami"}}`
	require.Equal(t, http.StatusUnauthorized, post(h, body, nil).Code)
	require.Equal(t, http.StatusUnauthorized, post(h, body, new(scope.Scope)).Code, "the zero scope")
	caller := userScope(t, "acme", "u1")
	w := post(h, body, &caller)
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "tenant=acme/user=u1/")
}

func TestToolsDependOnTheRolesOfTheToken(t *testing.T) {
	t.Parallel()
	all := tools.Of(newTool(t, "read", whoami), newTool(t, "share", whoami))
	set := tools.Dynamic(func(ctx context.Context, _ scope.Scope, _ *tools.State) (tools.Set, error) {
		id, err := oidc.FromContext(ctx)
		if err != nil {
			return tools.Set{}, err
		}
		return all.Filter(func(s tools.Spec) bool { return s.Name == "read" || slices.Contains(id.Groups, "librarian") }), nil
	})
	w := newWorld(t, set, nil)
	for role, want := range map[string][]string{"reader": {"read"}, "librarian": {"read", "share"}} {
		session := w.connect(w.token("acme", "u1", role), nil)
		var names []string
		for tool, err := range session.Tools(t.Context(), nil) {
			require.NoError(t, err)
			names = append(names, tool.Name)
		}
		require.Equal(t, want, names)
		_, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "share"})
		if role == "librarian" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, `unknown tool "share"`)
		}
	}
}

func TestListHasSchemasAndAnnotations(t *testing.T) {
	t.Parallel()
	type in struct {
		Title string `json:"title" jsonschema:"as printed"`
	}
	set := tools.Of(newTool(t, "find", func(context.Context, *tools.Call, in) (string, error) { return "", nil }))
	w := newWorld(t, set, &mcp.ServeOptions{Annotate: func(s tools.Spec) *sdk.ToolAnnotations {
		return &sdk.ToolAnnotations{ReadOnlyHint: s.Name == "find"}
	}})
	list, err := w.connect(w.token("acme", "u1"), nil).ListTools(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "private", list.CacheScope)
	require.Len(t, list.Tools, 1)
	require.Equal(t, "Does find.", list.Tools[0].Description)
	require.True(t, list.Tools[0].Annotations.ReadOnlyHint)
	require.Equal(t, map[string]any{
		"type": "object", "additionalProperties": false, "required": []any{"title"},
		"properties": map[string]any{"title": map[string]any{"type": "string", "description": "as printed"}},
	}, list.Tools[0].InputSchema)
}

// A client learns what it can correct, and never a cause.
func TestFailuresDoNotTellCauses(t *testing.T) {
	t.Parallel()
	type in struct {
		Year int `json:"year" min:"1450"`
	}
	cause := errors.New("arn:aws:s3:::secret")
	fails := func(err error) func(context.Context, *tools.Call, in) (string, error) {
		return func(context.Context, *tools.Call, in) (string, error) { return "", err }
	}
	w := newWorld(t, tools.Of(
		newTool(t, "broken", fails(cause)),
		newTool(t, "fatal", fails(tools.Fatal(cause))),
		newTool(t, "spoken", fails(&tools.FatalError{Message: "The catalogue is closed.", Err: cause})),
		newTool(t, "correct", fails(tools.Correct("year must be odd"))),
		newTool(t, "pending", fails(&tools.PendingError{Reason: "The library is closed."})),
		newTool(t, "panics", func(context.Context, *tools.Call, in) (string, error) { panic(cause) }),
	), nil)
	session := w.connect(w.token("acme", "u1"), nil)
	for _, c := range []struct {
		name string
		args any
		want string
	}{
		{"broken", in{1500}, "The tool failed."},
		{"fatal", in{1500}, "The tool failed."},
		{"panics", in{1500}, "The tool failed."},
		{"spoken", in{1500}, "The catalogue is closed."},
		{"correct", in{1500}, "year must be odd"},
		{"pending", in{1500}, "Not run: The library is closed."},
		{"broken", in{1}, "the arguments do not fit: year: must be at least 1450, not 1"},
		{"broken", map[string]any{"year": 1500, "tenant": "globex"}, `the arguments do not fit: tenant: is not known here; the names are ["year"]`},
		{"broken", nil, "the arguments do not fit: year: is missing"},
		{"broken", []int{1}, "the arguments do not fit: must be an object, not an array"},
	} {
		res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: c.name, Arguments: c.args})
		require.NoError(t, err, c.name)
		require.True(t, res.IsError, c.name)
		require.Equal(t, c.want, text(t, res))
	}
}

func TestPanicOfTheHostIsAnInternalError(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tools.Of(newTool(t, "whoami", whoami)), &mcp.ServeOptions{
		Shared: func(context.Context) scope.Scope { panic("secret") },
	})
	session := w.connect(w.token("acme", "u1"), nil)
	_, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "whoami"})
	require.ErrorContains(t, err, "The server failed.")
	require.NotContains(t, err.Error(), "secret")
}

func TestSharedScopeIsOfTheCallersTenantAndReadOnly(t *testing.T) {
	t.Parallel()
	shared := func(_ context.Context, c *tools.Call, _ none) (string, error) {
		return c.Shared().String(), c.Shared().Require()
	}
	foreign, err := scope.Tenant("globex")
	require.NoError(t, err)
	foreign, err = foreign.Shared()
	require.NoError(t, err)
	for _, f := range []func(context.Context) scope.Scope{
		func(ctx context.Context) scope.Scope { id, _ := oidc.FromContext(ctx); return id.Shared },
		func(context.Context) scope.Scope { return foreign },
		nil,
	} {
		w := newWorld(t, tools.Of(newTool(t, "shared", shared)), &mcp.ServeOptions{Shared: f})
		res, err := w.connect(w.token("acme", "u1"), nil).CallTool(t.Context(), &sdk.CallToolParams{Name: "shared"})
		require.NoError(t, err)
		if res.IsError {
			require.Equal(t, "The tool failed.", text(t, res))
		} else {
			require.Equal(t, "tenant=acme/shared/", text(t, res))
		}
	}
}

// blocking is a tool that waits until its context ends or it is let go.
type blocking struct{ entered, ended, release chan struct{} }

func newBlocking() blocking {
	return blocking{make(chan struct{}, 100), make(chan struct{}, 100), make(chan struct{})}
}

func (b blocking) call(ctx context.Context, _ *tools.Call, _ none) (string, error) {
	b.entered <- struct{}{}
	defer func() { b.ended <- struct{}{} }()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-b.release:
		return "released", nil
	}
}

// The connection is the only way to cancel a call without a session, so a client that goes away cancels it.
func TestClientThatGoesAwayCancelsItsCall(t *testing.T) {
	t.Parallel()
	b := newBlocking()
	w := newWorld(t, tools.Of(newTool(t, "wait", b.call)), nil)
	for _, version := range []string{"2026-07-28", "2025-11-25", "2025-06-18"} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			res, err := http.DefaultClient.Do(w.request(ctx, version, "wait"))
			if err == nil {
				_, err = io.Copy(io.Discard, res.Body)
			}
			done <- err
		}()
		<-b.entered
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		<-b.ended
	}
}

func TestCallEndsAtItsTimeout(t *testing.T) {
	t.Parallel()
	b := newBlocking()
	w := newWorld(t, tools.Of(newTool(t, "wait", b.call)), &mcp.ServeOptions{Timeout: 20 * time.Millisecond})
	res, err := w.connect(w.token("acme", "u1"), nil).CallTool(t.Context(), &sdk.CallToolParams{Name: "wait"})
	require.NoError(t, err)
	require.True(t, res.IsError)
	require.Equal(t, "The tool did not finish within 20ms. Whether it has had an effect is not known.", text(t, res))
}

// One user's load does not reach the limit of another, and one tenant's not that of another.
func TestCallsInFlightAreLimited(t *testing.T) {
	t.Parallel()
	b := newBlocking()
	w := newWorld(t, tools.Of(newTool(t, "wait", b.call), newTool(t, "whoami", whoami)), &mcp.ServeOptions{UserCalls: 2, TenantCalls: 3})
	var all sync.WaitGroup
	// A call that has just been answered may still hold its place for a moment.
	begin := func(tenant, user string) {
		all.Go(func() {
			for status := http.StatusTooManyRequests; status == http.StatusTooManyRequests; {
				res, err := http.DefaultClient.Do(w.requestOf(t.Context(), w.token(tenant, user), "2026-07-28", "wait"))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				status = res.StatusCode
			}
		})
		<-b.entered
	}
	status := func(tenant, user string) int {
		res, err := http.DefaultClient.Do(w.requestOf(t.Context(), w.token(tenant, user), "2026-07-28", "whoami"))
		require.NoError(t, err)
		_ = res.Body.Close()
		return res.StatusCode
	}
	begin("acme", "u1")
	begin("acme", "u1")
	require.Equal(t, http.StatusTooManyRequests, status("acme", "u1"))
	require.Equal(t, http.StatusOK, status("acme", "u2"))
	begin("acme", "u2")
	require.Equal(t, http.StatusTooManyRequests, status("acme", "u3"), "of the tenant")
	require.Equal(t, http.StatusOK, status("globex", "u1"))
	close(b.release)
	all.Wait()
	require.Eventually(t, func() bool { return status("acme", "u1") == http.StatusOK }, time.Minute, time.Millisecond)
}

func TestBodiesAndBatchesAreLimited(t *testing.T) {
	t.Parallel()
	h, err := mcp.Serve(tools.Of(newTool(t, "whoami", whoami)), &mcp.ServeOptions{MaxBody: 1000})
	require.NoError(t, err)
	caller := userScope(t, "acme", "u1")
	one := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami"}}`
	require.Equal(t, http.StatusOK, post(h, one, &caller).Code)
	require.Equal(t, http.StatusRequestEntityTooLarge, post(h, one+strings.Repeat(" ", 1000), &caller).Code)
	require.Equal(t, http.StatusBadRequest, post(h, " \n["+one+"]", &caller).Code)
	require.Equal(t, http.StatusBadRequest, post(h, "", &caller).Code)
}

func TestServeRejectsInvalidOptions(t *testing.T) {
	t.Parallel()
	whoami := newTool(t, "whoami", whoami)
	for name, o := range map[string]*mcp.ServeOptions{
		"negative limit": {UserCalls: -1},
		"MayDecide":      {MayDecide: denyAll},
	} {
		_, err := mcp.Serve(tools.Of(whoami), o)
		require.ErrorContains(t, err, "mcp: serve: ", name)
	}
	_, err := mcp.Serve(tools.Of(whoami, whoami), nil)
	require.ErrorContains(t, err, `two tools are named "whoami"`)
}

// Tools of a Set and of Features live together, and a caller cannot replace one by the other.
func TestFeaturesAreServedBesideTheSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tools.Of(newTool(t, "whoami", whoami)), &mcp.ServeOptions{Features: func(s *sdk.Server) {
		for _, name := range []string{"whoami", "raw"} {
			sdk.AddTool(s, &sdk.Tool{Name: name}, func(ctx context.Context, _ *sdk.CallToolRequest, _ any) (*sdk.CallToolResult, any, error) {
				caller, err := scope.FromContext(ctx)
				return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: name + " of " + caller.UserID()}}}, nil, err
			})
		}
		s.AddPrompt(&sdk.Prompt{Name: "greet"}, func(context.Context, *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
			return nil, errors.New("arn:aws:s3:::secret")
		})
	}})
	session := w.connect(w.token("acme", "u1"), nil)
	list, err := session.ListTools(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, list.Tools, 2)
	for name, want := range map[string]string{"raw": "raw of u1", "whoami": "tenant=acme/user=u1/"} {
		res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: name})
		require.NoError(t, err)
		require.Equal(t, want, text(t, res))
	}
	prompts, err := session.ListPrompts(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, prompts.Prompts, 1)
	_, err = session.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: "greet"})
	require.ErrorContains(t, err, "The server failed.")
	require.NotContains(t, err.Error(), "secret")
}
