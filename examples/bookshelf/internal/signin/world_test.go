package signin_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/signin"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/oidc/oidctest"
)

// world is an issuer, and a server at which people sign in.
type world struct {
	issuer   *oidctest.Issuer
	verifier *oidc.Verifier
	server   *httptest.Server
	down     atomic.Bool // the issuer does not answer
}

// RoundTrip reaches the issuer without a connection, and everything else as usual.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "issuer.example" {
		return http.DefaultTransport.RoundTrip(r)
	}
	if w.down.Load() {
		return nil, io.ErrUnexpectedEOF
	}
	return w.issuer.Client().Transport.RoundTrip(r)
}

func newWorld(t *testing.T, life time.Duration, change func(*signin.Options)) *world {
	t.Helper()
	w := &world{}
	var err error
	w.issuer, err = oidctest.New(&oidctest.Options{
		URL: "https://issuer.example/pool", ClientID: "app", Life: life, Users: []oidctest.User{
			{Name: "ann", Claims: map[string]any{
				"sub": "u1", "custom:tenant_id": "acme", "cognito:groups": []string{"ops"}, "email": "ann@acme.example",
			}},
			{Name: "bob", Claims: map[string]any{"sub": "u2", "custom:tenant_id": "globex"}},
			{Name: "nobody", Claims: map[string]any{"sub": "u3"}},
		},
	})
	require.NoError(t, err)
	v, err := oidc.New(t.Context(), w.issuer.URL(), "app", &oidc.Options{Client: &http.Client{Transport: w}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	w.verifier = v
	o := signin.Options{Issuer: w.issuer.URL(), ClientID: "app", Verifier: v, Client: &http.Client{Transport: w}}
	if change != nil {
		change(&o)
	}
	s, err := signin.New(t.Context(), o)
	require.NoError(t, err)
	w.server = httptest.NewServer(s)
	t.Cleanup(w.server.Close)
	return w
}

// browser keeps cookies as a browser does, and does not follow redirects.
type browser struct {
	t      *testing.T
	w      *world
	client *http.Client
}

func (w *world) browse(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{t, w, &http.Client{
		Transport: w, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (b *browser) send(method, target, media, body string) *http.Response {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, target, strings.NewReader(body))
	require.NoError(b.t, err)
	req.Header.Set("Content-Type", media)
	if method != http.MethodGet {
		req.Header.Set("Origin", b.w.server.URL)
	}
	if strings.HasPrefix(target, "https://issuer.example") {
		req.Header.Del("Origin")
	}
	res, err := b.client.Do(req)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// post sends a page's request and returns the status and the JSON of the answer.
func (b *browser) post(path, body string) (int, map[string]any) {
	b.t.Helper()
	res := b.send(http.MethodPost, b.w.server.URL+path, "application/json", body)
	var v map[string]any
	require.NoError(b.t, json.NewDecoder(res.Body).Decode(&v))
	require.Equal(b.t, "no-store", res.Header.Get("Cache-Control"))
	return res.StatusCode, v
}

// begin begins a sign-in that returns to path, and returns the issuer's URL.
func (b *browser) begin(path string) string {
	b.t.Helper()
	status, v := b.post("/sign-in/start", `{"return":"`+path+`"}`)
	require.Equal(b.t, http.StatusOK, status, v)
	return v["url"].(string)
}

// authorize signs in on the issuer's page and returns the URL to which that leads.
func (b *browser) authorize(at, user string) string {
	b.t.Helper()
	form := url.Values{"user": {user}}.Encode()
	res := b.send(http.MethodPost, at, "application/x-www-form-urlencoded", form)
	require.Equal(b.t, http.StatusSeeOther, res.StatusCode)
	return res.Header.Get("Location")
}

// come follows a redirect back to the server, and returns where that leads.
func (b *browser) come(to string) string {
	b.t.Helper()
	res := b.send(http.MethodGet, to, "", "")
	require.Equal(b.t, http.StatusSeeOther, res.StatusCode)
	return res.Header.Get("Location")
}

func (b *browser) signIn(user string) {
	b.t.Helper()
	require.Equal(b.t, "/", b.come(b.authorize(b.begin("/"), user)))
}

// cookies returns the names of the cookies that the browser sends with a path.
func (b *browser) cookies(path string) []string {
	b.t.Helper()
	u, err := url.Parse(b.w.server.URL + path)
	require.NoError(b.t, err)
	var names []string
	for _, c := range b.client.Jar.Cookies(u) {
		names = append(names, c.Name)
	}
	return names
}

func (b *browser) config() string {
	b.t.Helper()
	body, err := io.ReadAll(b.send(http.MethodGet, b.w.server.URL+"/api/sign-in", "", "").Body)
	require.NoError(b.t, err)
	return string(body)
}
