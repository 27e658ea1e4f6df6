package mcp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/oidc/oidctest"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/mcp"
)

// world is a server behind the verifier of an issuer.
type world struct {
	t      *testing.T
	issuer *oidctest.Issuer
	url    string
}

func newWorld(t *testing.T, set tools.Set, o *mcp.ServeOptions) *world {
	t.Helper()
	issuer, err := oidctest.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, issuer.Close()) })
	verifier, err := oidc.New(t.Context(), issuer.URL(), issuer.ClientID(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, verifier.Close()) })
	h, err := mcp.Serve(set, o)
	require.NoError(t, err)
	srv := httptest.NewServer(verifier.Middleware(h))
	t.Cleanup(srv.Close)
	return &world{t, issuer, srv.URL}
}

func (w *world) token(tenant, user string, roles ...string) string {
	w.t.Helper()
	claims := map[string]any{"custom:tenant_id": tenant, "sub": user}
	if roles != nil {
		claims["cognito:groups"] = roles
	}
	token, err := w.issuer.Token(claims)
	require.NoError(w.t, err)
	return token
}

// bearer adds a token to each request.
type bearer struct{ token string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(r)
}

// connect returns a session of the SDK's own client.
func (w *world) connect(token string, o *sdk.ClientOptions) *sdk.ClientSession {
	w.t.Helper()
	client := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "v1"}, o)
	session, err := client.Connect(w.t.Context(), &sdk.StreamableClientTransport{
		Endpoint: w.url, HTTPClient: &http.Client{Transport: bearer{token}}, MaxRetries: -1, DisableStandaloneSSE: true,
	}, nil)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = session.Close() })
	return session
}

// text returns the texts of a result.
func text(t *testing.T, res *sdk.CallToolResult) (s string) {
	t.Helper()
	for _, c := range res.Content {
		s += c.(*sdk.TextContent).Text
	}
	return s
}

func newTool[In, Out any](t *testing.T, name string, f func(context.Context, *tools.Call, In) (Out, error), mw ...tools.Middleware) *tools.Tool {
	t.Helper()
	tool, err := tools.New(name, "Does "+name+".", f, mw...)
	require.NoError(t, err)
	return tool
}

type none struct{}

// whoami returns the scope of the call.
func whoami(_ context.Context, c *tools.Call, _ none) (string, error) { return c.Scope().String(), nil }

func userScope(t *testing.T, tenant, user string) scope.Scope {
	t.Helper()
	s, err := scope.Tenant(tenant)
	require.NoError(t, err)
	u, err := s.User(user)
	require.NoError(t, err)
	return u
}
