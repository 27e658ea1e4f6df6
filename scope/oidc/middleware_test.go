package oidc_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
)

// whoami answers with the partition of its caller.
var whoami = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	id := must(oidc.FromContext(r.Context()))
	if s := must(scope.FromContext(r.Context())); s != id.User {
		panic("two users in one context")
	}
	_, _ = w.Write([]byte(id.User.Partition()))
})

func ask(h http.Handler, authorization ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/x?access_token="+sign(payload(nil), nil), nil)
	r.Header["Authorization"] = authorization
	r.Header.Set("X-Tenant-Id", "globex")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// heard is an auditor that keeps why requests were refused.
type heard []error

func (h *heard) Refused(_ context.Context, r scope.Refusal) { *h = append(*h, r.Err) }

func TestMiddlewareRejectsBadCredentials(t *testing.T) {
	t.Parallel()
	var heard heard
	anonymous := oidc.Identity{User: must(must(scope.Tenant("demo")).User("anonymous"))}
	i := newIssuer()
	closed := verifier(t, i, &oidc.Options{Audit: &heard}).Middleware(whoami)
	open := verifier(t, i, &oidc.Options{Audit: &heard, Anonymous: &anonymous}).Middleware(whoami)
	good := sign(payload(nil), nil)

	for _, h := range []http.Handler{closed, open} {
		for _, a := range []string{"Bearer " + good, "bearer " + good, "BEARER " + good, "Bearer  " + good, "bEARER     " + good} {
			w := ask(h, a)
			require.Equal(t, http.StatusOK, w.Code)
			require.Equal(t, "t#acme#u#u1", w.Body.String())
		}
	}
	require.Equal(t, "t#demo#u#anonymous", ask(open).Body.String())
	require.Empty(t, heard)

	const problem = `{"type":"about:blank","title":"Unauthorized","status":401,"detail":%q}` + "\n"
	w := ask(closed)
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.Equal(t, []string{"Bearer"}, w.Header()["Www-Authenticate"], "without a token there is no error code (RFC 6750 section 3.1)")
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.Equal(t, strings.Replace(problem, "%q", `"A bearer token is needed."`, 1), w.Body.String())
	require.ErrorIs(t, heard[0], oidc.ErrNoToken)

	w = ask(closed, "Bearer "+sign(payload(map[string]any{"exp": 1}), nil))
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.Equal(t, `Bearer error="invalid_token", error_description="The token has expired."`, w.Header().Get("WWW-Authenticate"))
	require.Equal(t, strings.Replace(problem, "%q", `"The token has expired."`, 1), w.Body.String())
	require.ErrorIs(t, heard[1], oidc.ErrToken)
	heard = nil

	// A bad credential is never anonymous.
	at := strings.LastIndex(good, ".") + 9
	forged := good[:at] + string("AB"[strings.Count(good[at:at+1], "A")]) + good[at+1:]
	bad := [][]string{
		{""}, {"Bearer"}, {"Bearer "}, {"Bearer   "}, {"Bearer \t" + good}, {"Bearer" + good}, {" Bearer " + good}, {"Bearer " + good + " "}, {"Bearer\t" + good}, {good},
		{"Basic dTE6eA=="}, {"Bearer " + good + ", Bearer " + good}, {"Bearer " + good, "Bearer " + good}, {"Bearer " + good, "Basic x"},
		{`Bearer "` + good + `"`}, {"Bearer " + forged}, {"Bearer " + strings.Repeat("x", 1<<20)},
		{"DPoP " + good}, {"Bearer x\r\nX-Evil: 1"}, {`Bearer ", error_description="<b>`},
	}
	for _, a := range bad {
		for _, h := range []http.Handler{closed, open} {
			w := ask(h, a...)
			require.Equal(t, http.StatusUnauthorized, w.Code, "%.60q", a)
			challenge := w.Header().Get("WWW-Authenticate")
			require.Regexp(t, `^Bearer( error="invalid_token", error_description="The token [a-zA-Z0-9 ]+\.")?$`, challenge)
			require.NotContains(t, w.Body.String(), "evil")
		}
	}
	require.Len(t, heard, 2*len(bad), "each refusal is reported once")
}

func TestMiddlewareAnswers503WithoutKeys(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	h := verifier(t, i, nil).Middleware(whoami)
	i.fail(errors.New("down at 10.0.0.7"))
	w := ask(h, "Bearer "+signB())
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "30", w.Header().Get("Retry-After"))
	require.Empty(t, w.Header().Get("WWW-Authenticate"))
	require.NotContains(t, w.Body.String(), "10.0.0.7")
}

func TestContextFailsClosed(t *testing.T) {
	t.Parallel()
	_, err := oidc.FromContext(t.Context())
	require.ErrorIs(t, err, oidc.ErrNoIdentity)
	tenant := must(scope.Tenant("acme"))
	for _, id := range []oidc.Identity{{}, {User: tenant}, {Tenant: tenant}, {Groups: []string{"ops"}}} {
		_, err := oidc.FromContext(oidc.NewContext(t.Context(), id))
		require.ErrorIs(t, err, oidc.ErrNoIdentity)
	}
	user := must(tenant.User("u1"))
	foreign := must(scope.Tenant("globex"))
	for _, id := range []oidc.Identity{
		{User: user, Tenant: foreign}, {User: user, Shared: must(foreign.Shared())}, {User: user, Shared: user}, {User: user, Tenant: user},
	} {
		ctx := oidc.NewContext(t.Context(), id)
		_, err := oidc.FromContext(ctx)
		require.ErrorIs(t, err, oidc.ErrNoIdentity, "an identity is of one tenant")
		_, err = scope.FromContext(ctx)
		require.ErrorIs(t, err, scope.ErrDenied)
	}
	outer := scope.NewContext(context.Background(), must(must(scope.Tenant("globex")).User("u2")))
	ctx := oidc.NewContext(outer, oidc.Identity{User: user})
	require.Equal(t, user, must(scope.FromContext(ctx)))
	_, err = scope.FromContext(oidc.NewContext(outer, oidc.Identity{}))
	require.ErrorIs(t, err, scope.ErrDenied, "nobody does not inherit somebody's scope")
}

// A handler can change only its copy of the anonymous identity.
func TestAnonymousIsNotShared(t *testing.T) {
	t.Parallel()
	id := oidc.Identity{User: must(must(scope.Tenant("demo")).User("u")), Groups: []string{"readers"}}
	v := verifier(t, newIssuer(), &oidc.Options{Anonymous: &id})
	h := v.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := must(oidc.FromContext(r.Context()))
		_, _ = w.Write([]byte(got.Groups[0]))
		got.Groups[0] = "ops"
	}))
	ask(h)
	require.Equal(t, "readers", ask(h).Body.String())
}

func TestInvalidTokensAreLoggedWithTheirClaim(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var audit heard
	logger := slog.New(slog.NewTextHandler(&log, nil))
	h := verifier(t, newIssuer(), &oidc.Options{Logger: logger}).Middleware(whoami)
	audited := verifier(t, newIssuer(), &oidc.Options{Logger: logger, Audit: &audit}).Middleware(whoami)
	ask(h)
	ask(audited, "Bearer forged")
	require.Len(t, audit, 1)
	require.Empty(t, log.String(), "neither a missing token nor an audited one is logged")
	token := sign(payload(map[string]any{"custom:tenant_id": "acme/../globex"}), nil)
	require.Equal(t, http.StatusUnauthorized, ask(h, "Bearer "+token).Code)
	require.Contains(t, log.String(), "custom:tenant_id")
	require.NotContains(t, log.String(), "globex")
}
