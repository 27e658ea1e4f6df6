package signin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/signin"
)

func TestASignInLeadsBackAndGivesPagesAToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Hour, nil)
	b := w.browse(t)
	status, v := b.post("/api/sign-in/token", "{}")
	require.Equal(t, http.StatusUnauthorized, status, v)
	require.JSONEq(t, `{"kind":"issuer","issuer":"https://issuer.example/pool"}`, b.config())

	at := b.begin("/ops?status=failed#x")
	q := mustQuery(t, at)
	require.Equal(t, "app", q.Get("client_id"))
	require.Equal(t, "openid", q.Get("scope"))
	require.Equal(t, "S256", q.Get("code_challenge_method"))
	require.Equal(t, w.server.URL+"/sign-in/callback", q.Get("redirect_uri"))
	require.GreaterOrEqual(t, len(q.Get("state")), 26)
	require.GreaterOrEqual(t, len(q.Get("nonce")), 26)
	require.Equal(t, "/ops?status=failed#x", b.come(b.authorize(at, "ann")))

	for range 2 { // of two pages
		status, v = b.post("/api/sign-in/token", "{}")
		require.Equal(t, http.StatusOK, status, v)
		require.Equal(t, "acme", v["tenant"])
		require.Equal(t, "u1", v["user"])
		require.Equal(t, "ann@acme.example", v["name"])
		require.Equal(t, []any{"ops"}, v["roles"])
		require.Len(t, strings.Split(v["token"].(string), "."), 3)
	}
	require.JSONEq(t, `{"kind":"issuer","issuer":"https://issuer.example/pool","session":true}`, b.config())
	require.Empty(t, b.cookies("/"), "no page and no other request has a token")
	require.Empty(t, b.cookies("/api/ops/files"))
	require.ElementsMatch(t, []string{"signin_id", "signin_refresh"}, b.cookies("/api/sign-in/token"))
	require.Empty(t, b.cookies("/sign-in/callback"), "the sign-in is no longer pending")
}

func TestCookiesOfASession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Hour, nil)
	b := w.browse(t)
	res := b.send(http.MethodGet, b.authorize(b.begin("/"), "ann"), "", "")
	found := 0
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 {
			continue
		}
		found++
		require.True(t, c.HttpOnly, c.Name)
		require.Equal(t, http.SameSiteStrictMode, c.SameSite, c.Name)
		require.Equal(t, "/api/sign-in", c.Path, c.Name)
		require.False(t, c.Secure, "plain http on loopback")
	}
	require.Equal(t, 2, found)
	r := httptest.NewRequest(http.MethodPost, "/sign-in/start", strings.NewReader(`{"return":"/"}`))
	r.Header.Set("Origin", "https://books.example")
	answer := httptest.NewRecorder()
	w.server.Config.Handler.ServeHTTP(answer, r)
	require.Equal(t, http.StatusOK, answer.Code)
	require.True(t, answer.Result().Cookies()[0].Secure, "https")
	require.Equal(t, http.SameSiteLaxMode, answer.Result().Cookies()[0].SameSite)
}

func TestTheCallbackRejectsWhatThisBrowserDidNotBegin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Hour, nil)
	ann, eve := w.browse(t), w.browse(t)
	callback := w.server.URL + "/sign-in/callback"

	foreign := eve.authorize(eve.begin("/"), "bob") // Eve's own code and state, in Ann's browser
	require.Equal(t, "/sign-in#again", ann.come(foreign))

	own := mustQuery(t, ann.begin("/"))
	injected := url.Values{"state": {own.Get("state")}, "code": {mustQuery(t, foreign).Get("code")}}
	require.Equal(t, "/sign-in#failed", ann.come(callback+"?"+injected.Encode()), "Eve's code does not fit Ann's code_verifier")
	require.Equal(t, "/sign-in#again", ann.come(callback+"?"+injected.Encode()), "a state is used once")

	for query, want := range map[string]string{
		"":                           "again",
		"state=":                     "again",
		"state=x&code=y":             "again",
		"state=%zz":                  "again",
		"error=access_denied":        "again",
		"state=STATE&state=x&code=y": "again",
		"state=STATE":                "denied",
		"state=STATE&error=access_denied&error_description=%3Cscript%3E": "denied",
		"state=STATE&code=unknown":                                       "failed",
		"state=STATE&code=x&iss=https%3A%2F%2Fid.example":                "failed",
	} {
		query = strings.ReplaceAll(query, "STATE", mustQuery(t, ann.begin("/")).Get("state"))
		require.Equal(t, "/sign-in#"+want, ann.come(callback+"?"+query), query)
	}
	status, _ := ann.post("/api/sign-in/token", "{}")
	require.Equal(t, http.StatusUnauthorized, status)
	require.Equal(t, "/sign-in#failed", eve.come(foreign), "the code has been spent")
}

func TestATokenWithAnotherNonceIsRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Hour, nil)
	b := w.browse(t)
	at := b.begin("/")
	other := mustQuery(t, at)
	other.Set("nonce", "of-another-request")
	to := b.authorize(strings.Split(at, "?")[0]+"?"+other.Encode(), "ann")
	require.Equal(t, "/sign-in#failed", b.come(to))
}

func TestAnAccountWithoutATenantIsExplained(t *testing.T) {
	t.Parallel()
	b := newWorld(t, time.Hour, nil).browse(t)
	require.Equal(t, "/sign-in#refused", b.come(b.authorize(b.begin("/"), "nobody")))
	require.Empty(t, b.cookies("/api/sign-in/token"))
}

func TestARefreshTokenIsRotated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Minute, nil) // about to expire at once
	b := w.browse(t)
	b.signIn("ann")
	u, err := url.Parse(w.server.URL + "/api/sign-in/token")
	require.NoError(t, err)
	refresh := func() string {
		for _, c := range b.client.Jar.Cookies(u) {
			if c.Name == "signin_refresh" {
				return c.Value
			}
		}
		return ""
	}
	first := refresh()
	status, v := b.post("/api/sign-in/token", "{}")
	require.Equal(t, http.StatusOK, status, v)
	require.NotEmpty(t, refresh())
	require.NotEqual(t, first, refresh())

	w.down.Store(true)
	kept := refresh()
	status, v = b.post("/api/sign-in/token", "{}")
	require.Equal(t, http.StatusServiceUnavailable, status, v)
	require.Equal(t, kept, refresh(), "the session outlives an outage of the issuer")
	w.down.Store(false)
	status, _ = b.post("/api/sign-in/token", "{}")
	require.Equal(t, http.StatusOK, status)

	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "signin_refresh", Value: first, Path: "/api/sign-in"}})
	status, _ = b.post("/api/sign-in/token", "{}")
	require.Equal(t, http.StatusUnauthorized, status, "a refresh token is used once")
	require.Empty(t, b.cookies("/api/sign-in/token"), "a session that has ended leaves nothing behind")
}

func TestSignOutEndsTheSessionHereAndAtTheIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Hour, nil)
	b := w.browse(t)
	b.signIn("ann")
	status, v := b.post("/api/sign-in/end", "{}")
	require.Equal(t, http.StatusOK, status)
	require.Empty(t, b.cookies("/api/sign-in/token"))
	q := mustQuery(t, v["url"].(string))
	require.Equal(t, w.server.URL+"/sign-in", q.Get("post_logout_redirect_uri"))
	require.NotEmpty(t, q.Get("id_token_hint"))
	require.Equal(t, w.server.URL+"/sign-in", b.come(v["url"].(string)), "the issuer leads back")
	status, _ = b.post("/api/sign-in/token", "{}")
	require.Equal(t, http.StatusUnauthorized, status)
	status, _ = b.post("/api/sign-in/end", "{}")
	require.Equal(t, http.StatusOK, status, "twice")

	pool := newWorld(t, time.Hour, func(o *signin.Options) { o.Cognito = true })
	c := pool.browse(t)
	c.signIn("ann")
	_, v = c.post("/api/sign-in/end", "{}")
	q = mustQuery(t, v["url"].(string))
	require.Equal(t, url.Values{"client_id": {"app"}, "logout_uri": {pool.server.URL + "/sign-in"}}, q, "Cognito's parameters")
}

func TestSignInsReturnToThisServerOnly(t *testing.T) {
	t.Parallel()
	b := newWorld(t, time.Hour, nil).browse(t)
	for _, path := range []string{"/", "/ops?status=failed&q=%C3%A9#01a2", "/a//b", "/#//x"} {
		status, v := b.post("/sign-in/start", fmt.Sprintf(`{"return":%q}`, path))
		require.Equal(t, http.StatusOK, status, "%s %v", path, v)
	}
	for _, path := range []string{
		"", "ops", "//elsewhere.example", `/\elsewhere.example`, `\\elsewhere.example`, "https://elsewhere.example/",
		"javascript:alert(1)", "/a\nSet-Cookie: x=y", "/\t/elsewhere.example", " /", "/" + strings.Repeat("x", 1024), "/%zz",
	} {
		status, _ := b.post("/sign-in/start", fmt.Sprintf(`{"return":%q}`, path))
		require.Equal(t, http.StatusBadRequest, status, "%q", path)
	}
	for _, body := range []string{"", "{", "[]", "{}", `{"return":1}`, `{"Return":"/"}`, `{"return":"/","x":1}`, `{"return":"/","return":"/x"}`} {
		status, _ := b.post("/sign-in/start", body)
		require.Equal(t, http.StatusBadRequest, status, body)
	}
	for _, origin := range []string{"", "null", "ftp://books.example", "https://books.example/x", "https://u@books.example"} {
		r := httptest.NewRequest(http.MethodPost, "/sign-in/start", strings.NewReader(`{"return":"/"}`))
		r.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		b.w.server.Config.Handler.ServeHTTP(w, r)
		require.Equal(t, http.StatusBadRequest, w.Code, origin)
	}
}

func TestABrowserKeepsFewPendingSignIns(t *testing.T) {
	t.Parallel()
	b := newWorld(t, time.Hour, nil).browse(t)
	for range 40 {
		b.begin("/")
		require.LessOrEqual(t, len(b.cookies("/sign-in/callback")), 10)
	}
	require.Equal(t, "/", b.come(b.authorize(b.begin("/"), "ann")), "the newest one works")
}

func TestAnIssuerWithoutPagesIsExplained(t *testing.T) {
	t.Parallel()
	b := newWorld(t, time.Hour, func(o *signin.Options) { o.Offline = true }).browse(t)
	status, v := b.post("/sign-in/start", `{"return":"/"}`)
	require.Equal(t, http.StatusNotImplemented, status)
	require.Contains(t, v["detail"], "does not have a page")
	status, _ = b.post("/api/sign-in/token", "{}")
	require.Equal(t, http.StatusUnauthorized, status)
}

func TestConfigurationsThatNewRejects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Hour, nil)
	var answer func(http.ResponseWriter)
	fake := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { answer(rw) }))
	t.Cleanup(fake.Close)
	verifier := w.verifier
	for name, body := range map[string]string{
		"not JSON":             "<html>",
		"another issuer":       `{"issuer":"https://id.example"}`,
		"http elsewhere":       `{"issuer":"ISSUER","authorization_endpoint":"http://id.example/authorize"}`,
		"not a URL":            `{"issuer":"ISSUER","token_endpoint":"token"}`,
		"script":               `{"issuer":"ISSUER","end_session_endpoint":"javascript:alert(1)"}`,
		"a user in a URL":      `{"issuer":"ISSUER","token_endpoint":"https://a:b@id.example/token"}`,
		"longer than anything": `{"issuer":"ISSUER","x":"` + strings.Repeat("x", 300<<10) + `"}`,
	} {
		answer = func(rw http.ResponseWriter) { _, _ = rw.Write([]byte(strings.ReplaceAll(body, "ISSUER", fake.URL))) }
		_, err := signin.New(t.Context(), signin.Options{Issuer: fake.URL, ClientID: "app", Verifier: verifier})
		require.Error(t, err, name)
	}
	answer = func(rw http.ResponseWriter) {
		rw.Header().Set("Location", "https://id.example/")
		rw.WriteHeader(http.StatusFound)
	}
	_, err := signin.New(t.Context(), signin.Options{Issuer: fake.URL, ClientID: "app", Verifier: verifier})
	require.ErrorContains(t, err, "status 302")
	_, err = signin.New(t.Context(), signin.Options{Issuer: fake.URL, ClientID: "app"})
	require.ErrorContains(t, err, "required")
}

func mustQuery(t *testing.T, raw string) url.Values {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	return u.Query()
}
