package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/oidc/oidctest"
)

// as asks for a token and returns what to send with it.
func (s *shelf) as(tenant, user string, roles ...string) map[string]string {
	s.t.Helper()
	status, v := s.json("POST", "/api/dev/token", map[string]any{"tenant": tenant, "user": user, "roles": roles})
	require.Equal(s.t, http.StatusOK, status, v)
	return map[string]string{"Authorization": "Bearer " + v["token"].(string)}
}

// Two tenants and three users on one server, with real tokens: see the server's own tests for every path.
func TestTokensBoundWhatIsSeen(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), nil)
	ann, bob, eve := s.as("acme", "ann"), s.as("acme", "bob"), s.as("globex", "ann")
	ops := s.as("acme", "carol", "ops")
	status, text := s.do("GET", s.url+"/api/upload/presigned?filename=cover.png", "", nil, ann)
	require.Equal(t, http.StatusOK, status, text)
	var grant map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &grant))
	require.Contains(t, grant["key"], "tenant=acme/user=ann/")
	path := s.url + "/api/ops/files/" + grant["session_id"].(string)
	for _, c := range []struct {
		who  map[string]string
		want int
	}{{ann, 200}, {bob, 404}, {eve, 404}, {ops, 200}, {s.as("globex", "carol", "ops"), 404}, {nil, 404}} {
		status, text := s.do("GET", path, "", nil, c.who)
		require.Equal(t, c.want, status, text)
	}
	for _, c := range []struct {
		who  map[string]string
		want int
	}{{ann, 409}, {bob, 404}, {eve, 404}, {ops, 404}, {nil, 404}} { // 409: the file has not arrived
		for path, body := range map[string]string{
			"/api/metadata/extract": `{"session_id":%q}`,
			"/api/metadata/accept":  `{"session_id":%q,"metadata":{"title":"x"}}`,
		} {
			status, text := s.do("POST", s.url+path, "application/json", fmt.Appendf(nil, body, grant["session_id"]), c.who)
			require.Equal(t, c.want, status, "%s %s", path, text)
		}
	}
	s.do("GET", s.url+"/api/upload/presigned?filename=2.png", "", nil, ann)
	_, text = s.do("GET", s.url+"/api/ops/files?limit=1", "", nil, ann)
	var page map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &page))
	for _, who := range []map[string]string{bob, eve, ops, nil} {
		status, _ := s.do("GET", s.url+"/api/ops/files?limit=1&cursor="+page["next"].(string), "", nil, who)
		require.Equal(t, http.StatusBadRequest, status, "another's cursor")
	}
	_, text = s.do("GET", s.url+"/api/ops/counts", "", nil, eve)
	require.Contains(t, text, `"all":0`)

	s.stop()
	s.app = nil
	addr := strings.TrimPrefix(s.url, "http://")
	a, err := start(t.Context(), config{
		addr: addr, data: s.dir, model: "m", landing: "carrel-landing", raw: "carrel-raw", table: "carrel",
		getenv: func(string) string { return "" }, log: slog.New(slog.DiscardHandler), pace: -1,
	})
	require.NoError(t, err)
	s.app = a
	status, _ = s.do("GET", path, "", nil, ann)
	require.Equal(t, http.StatusOK, status, "a token outlives a restart")

	own := readKey(t, filepath.Join(s.dir, "issuer.pem"))
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	kid := ann["Authorization"]
	change := func(key any, method jwt.SigningMethod, claims jwt.MapClaims, header map[string]any) string {
		return "Bearer " + resign(t, strings.TrimPrefix(kid, "Bearer "), key, method, claims, header)
	}
	require.Equal(t, http.StatusOK, s.status(path, change(own, jwt.SigningMethodRS256, nil, nil)), "the test's own way to sign is right")
	for name, value := range map[string]string{
		"another key":       change(other, jwt.SigningMethodRS256, nil, nil),
		"a key of its own":  change(other, jwt.SigningMethodRS256, nil, map[string]any{"jku": "http://127.0.0.1:1/keys"}),
		"the public key":    change([]byte("public"), jwt.SigningMethodHS256, nil, nil),
		"none":              change(jwt.UnsafeAllowNoneSignatureType, jwt.SigningMethodNone, nil, nil),
		"expired":           change(own, jwt.SigningMethodRS256, jwt.MapClaims{"exp": time.Now().Add(-time.Minute).Unix()}, nil),
		"without an end":    change(own, jwt.SigningMethodRS256, jwt.MapClaims{"exp": nil}, nil),
		"another issuer":    change(own, jwt.SigningMethodRS256, jwt.MapClaims{"iss": "https://issuer.example"}, nil),
		"another audience":  change(own, jwt.SigningMethodRS256, jwt.MapClaims{"aud": "somebody"}, nil),
		"no tenant":         change(own, jwt.SigningMethodRS256, jwt.MapClaims{"custom:tenant_id": nil}, nil),
		"an empty tenant":   change(own, jwt.SigningMethodRS256, jwt.MapClaims{"custom:tenant_id": ""}, nil),
		"a list of tenants": change(own, jwt.SigningMethodRS256, jwt.MapClaims{"custom:tenant_id": []string{"acme"}}, nil),
		"a spaced tenant":   change(own, jwt.SigningMethodRS256, jwt.MapClaims{"custom:tenant_id": "acme "}, nil),
		"a cut signature":   ann["Authorization"][:len(ann["Authorization"])-4],
		"oversized":         "Bearer " + strings.Repeat("x", 9000),
		"no bearer":         "Basic YW5uOmFubg==",
		"empty":             "Bearer ",
	} {
		for _, path := range []string{"/api/ops/files", "/api/upload/presigned?filename=a.png", "/api/nothing"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
			require.NoError(t, err)
			req.Header.Set("Authorization", value)
			res, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			res.Body.Close()
			require.Equal(t, http.StatusUnauthorized, res.StatusCode, "%s %s", name, path)
			require.Contains(t, res.Header.Get("WWW-Authenticate"), "Bearer")
		}
	}
	// RFC 6750 allows any number of spaces, RFC 9110 any case of the scheme.
	token := strings.TrimPrefix(ann["Authorization"], "Bearer ")
	for _, prefix := range []string{"Bearer ", "bearer ", "Bearer  ", "BEARER    "} {
		require.Equal(t, http.StatusOK, s.status(path, prefix+token), prefix)
	}
}

// status returns the status code of a GET with this Authorization.
func (s *shelf) status(target, authorization string) int {
	s.t.Helper()
	status, _ := s.do("GET", target, "", nil, map[string]string{"Authorization": authorization})
	return status
}

func readKey(t *testing.T, path string) *rsa.PrivateKey {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	key, err := jwt.ParseRSAPrivateKeyFromPEM(b)
	require.NoError(t, err)
	return key
}

// resign makes another token of one: with other claims (nil takes one out) and headers, and signed anew.
func resign(t *testing.T, token string, key any, method jwt.SigningMethod, claims jwt.MapClaims, header map[string]any) string {
	t.Helper()
	old, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
	require.NoError(t, err)
	all := old.Claims.(jwt.MapClaims)
	for k, v := range claims {
		if all[k] = v; v == nil {
			delete(all, k)
		}
	}
	fresh := jwt.NewWithClaims(method, all)
	fresh.Header["kid"] = old.Header["kid"]
	for k, v := range header {
		fresh.Header[k] = v
	}
	signed, err := fresh.SignedString(key)
	require.NoError(t, err)
	return signed
}

// With an issuer of somebody else's, its tokens alone let in, and the server makes none itself.
func TestAnIssuerElsewhere(t *testing.T) {
	t.Parallel()
	var handler http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	iss, err := oidctest.New(&oidctest.Options{URL: srv.URL + "/pool", ClientID: "app"})
	require.NoError(t, err)
	handler = iss.Handler()
	token := func(i *oidctest.Issuer, roles ...string) map[string]string {
		text, err := i.Token(map[string]any{
			"token_use": "id", "sub": "ann", "custom:tenant_id": "acme", "cognito:groups": roles,
		})
		require.NoError(t, err)
		return map[string]string{"Authorization": "Bearer " + text}
	}
	other, err := oidctest.New(&oidctest.Options{URL: srv.URL + "/pool", ClientID: "app"}) // with another key
	require.NoError(t, err)
	for name, change := range map[string]func(*config){
		"an audience":      func(c *config) { c.audience = "app" },
		"a Cognito client": func(c *config) { c.client = "app" },
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := impatient(t, t.TempDir(), func(c *config) {
				c.issuer = srv.URL + "/pool"
				change(c)
			})
			for _, c := range []struct {
				who  map[string]string
				want int
			}{
				{nil, 401}, {token(iss), 200}, {token(iss, "ops"), 200}, {token(other), 401},
				{map[string]string{"Authorization": "Bearer x"}, 401},
			} {
				status, text := s.do("GET", s.url+"/api/ops/files", "", nil, c.who)
				require.Equal(t, c.want, status, text)
			}
			status, _ := s.do("POST", s.url+"/api/dev/token", "application/json", []byte(`{"tenant":"acme","user":"ann"}`), nil)
			require.Equal(t, http.StatusUnauthorized, status)
			status, _ = s.do("POST", s.url+"/api/dev/token", "application/json", []byte(`{"tenant":"acme","user":"ann"}`), token(iss))
			require.Equal(t, http.StatusNotFound, status)
			status, _ = s.do("GET", s.url+"/issuer/.well-known/jwks.json", "", nil, nil)
			require.Equal(t, http.StatusNotFound, status)
			status, _ = s.do("GET", s.url+"/health", "", nil, nil)
			require.Equal(t, http.StatusOK, status)
		})
	}
}
