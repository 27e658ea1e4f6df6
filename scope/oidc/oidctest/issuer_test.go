package oidctest_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/oidc/oidctest"
)

const issuerURL = "http://127.0.0.1:8080/issuer"

// Generating a key takes long, so tests share them.
var (
	keyA = sync.OnceValue(func() *rsa.PrivateKey { return must.Get(rsa.GenerateKey(rand.Reader, 2048)) })
	keyB = sync.OnceValue(func() *rsa.PrivateKey { return must.Get(rsa.GenerateKey(rand.Reader, 2048)) })
)

// newIssuer returns an issuer that does not listen, unless o says otherwise.
func newIssuer(t *testing.T, o oidctest.Options) *oidctest.Issuer {
	t.Helper()
	o.Key = keyA()
	i, err := oidctest.New(&o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, i.Close()) })
	return i
}

func verifier(t *testing.T, i *oidctest.Issuer, o oidc.Options) *oidc.Verifier {
	t.Helper()
	o.Client = i.Client()
	v, err := oidc.New(t.Context(), i.URL(), i.ClientID(), &o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	return v
}

func ann() map[string]any { return map[string]any{"sub": "ann", "custom:tenant_id": "acme"} }

func TestTokensHaveTheirClaimsAndDefaults(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, oidctest.Options{URL: issuerURL, ClientID: "app"})
	v := verifier(t, i, oidc.Options{})
	id, err := v.Verify(t.Context(), must.Get(i.Token(ann())))
	require.NoError(t, err)
	require.Equal(t, "t#acme#u#ann", id.User.Partition())

	for claim, value := range map[string]any{
		"iss": "https://elsewhere.example", "aud": nil, "exp": time.Now().Add(-time.Second).Unix(), "sub": nil,
	} {
		claims := ann()
		claims[claim] = value
		_, err := v.Verify(t.Context(), must.Get(i.Token(claims)))
		require.ErrorIs(t, err, oidc.ErrToken, claim)
	}
	_, err = i.Token(map[string]any{"sub": func() {}})
	require.ErrorContains(t, err, "sign the token")
}

func TestTokensExpireAfterTheirLife(t *testing.T) {
	t.Parallel()
	keyA()
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, oidctest.Options{URL: issuerURL, Life: 90*time.Second + time.Millisecond})
		v := verifier(t, i, oidc.Options{})
		token := must.Get(i.Token(ann()))
		time.Sleep(90*time.Second - time.Nanosecond)
		_, err := v.Verify(t.Context(), token)
		require.NoError(t, err)
		time.Sleep(time.Nanosecond)
		_, err = v.Verify(t.Context(), token)
		require.ErrorIs(t, err, oidc.ErrToken)
	})
}

func TestRotatedKeysArePublishedUntilTheyAreWithdrawn(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, oidctest.Options{URL: issuerURL})
	before := must.Get(i.Token(ann()))
	require.NoError(t, i.Rotate(keyB()))
	after := must.Get(i.Token(ann()))
	both := verifier(t, i, oidc.Options{})
	for _, token := range []string{before, after} {
		_, err := both.Verify(t.Context(), token)
		require.NoError(t, err)
	}
	i.Withdraw()
	last := verifier(t, i, oidc.Options{})
	_, err := last.Verify(t.Context(), after)
	require.NoError(t, err)
	_, err = last.Verify(t.Context(), before)
	require.ErrorIs(t, err, oidc.ErrToken)

	require.NoError(t, i.Rotate(keyA()))
	require.NoError(t, i.Rotate(keyA()), "a key is published once")
	require.Len(t, keySet(t, i), 2)
	_, err = verifier(t, i, oidc.Options{}).Verify(t.Context(), before)
	require.NoError(t, err, "a key has one id")
	for range 3 {
		require.NoError(t, i.Rotate(nil))
	}
	require.Len(t, keySet(t, i), 4)
}

func TestKeySetHoldsOnlyPublicMembers(t *testing.T) {
	t.Parallel()
	for _, key := range keySet(t, newIssuer(t, oidctest.Options{URL: issuerURL})) {
		require.Len(t, key, 6)
		for _, member := range []string{"kty", "use", "alg", "kid", "n", "e"} {
			require.NotEmpty(t, key[member])
		}
	}
}

func keySet(t *testing.T, i *oidctest.Issuer) []map[string]string {
	t.Helper()
	res, err := i.Client().Get(i.URL() + "/.well-known/jwks.json")
	require.NoError(t, err)
	defer res.Body.Close()
	var set struct{ Keys []map[string]string }
	require.NoError(t, json.NewDecoder(res.Body).Decode(&set))
	return set.Keys
}

func TestHandlerServesBelowThePathOfItsURL(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	i := newIssuer(t, oidctest.Options{URL: server.URL + "/issuer"})
	mux.Handle("/issuer/", i.Handler())
	v, err := oidc.New(t.Context(), i.URL(), i.ClientID(), nil)
	require.NoError(t, err)
	defer v.Close()
	_, err = v.Verify(t.Context(), must.Get(i.Token(ann())))
	require.NoError(t, err)
}

func TestHandlerAnswersOnlyThisMachine(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, oidctest.Options{URL: issuerURL})
	for _, c := range []struct {
		from, host string
		want       int
	}{
		{"127.0.0.1:1", "127.0.0.1:8080", http.StatusOK},
		{"[::1]:1", "127.0.0.1:8080", http.StatusOK},
		{"192.0.2.1:1", "127.0.0.1:8080", http.StatusForbidden},
		{"127.0.0.1:1", "issuer.example", http.StatusForbidden}, // a name that was rebound to loopback
		{"127.0.0.1:1", "127.0.0.1", http.StatusForbidden},
		{"", "127.0.0.1:8080", http.StatusForbidden},
	} {
		r := httptest.NewRequest(http.MethodGet, "/issuer/.well-known/jwks.json", nil)
		r.RemoteAddr, r.Host = c.from, c.host
		w := httptest.NewRecorder()
		i.Handler().ServeHTTP(w, r)
		require.Equal(t, c.want, w.Code, "from %q to %q", c.from, c.host)
	}
	_, err := i.Client().Get("http://127.0.0.1:8081/issuer/.well-known/jwks.json")
	require.ErrorContains(t, err, "is not the issuer")
}

func TestNewRejectsInvalidOptions(t *testing.T) {
	t.Parallel()
	weak := must.Get(rsa.GenerateKey(rand.Reader, 1024))
	for name, o := range map[string]oidctest.Options{
		"a path":              {URL: "/issuer"},
		"a final slash":       {URL: issuerURL + "/"},
		"a query":             {URL: issuerURL + "?x=1"},
		"a fragment":          {URL: issuerURL + "#x"},
		"a user":              {URL: "http://u@127.0.0.1"},
		"http elsewhere":      {URL: "http://issuer.example"},
		"a life below 1s":     {Life: time.Second - 1},
		"a negative life":     {Life: -time.Hour},
		"a weak key":          {Key: weak},
		"a user without name": {Users: []oidctest.User{{Claims: ann()}}},
		"a user without sub":  {Users: []oidctest.User{{Name: "ann", Claims: map[string]any{"sub": 7}}}},
		"a user twice":        {Users: []oidctest.User{{Name: "ann", Claims: ann()}, {Name: "ann", Claims: ann()}}},
	} {
		i, err := oidctest.New(&o)
		require.ErrorContains(t, err, "oidctest: invalid ", name)
		require.Nil(t, i, name)
	}
}

func TestClosedIssuerDoesNotListen(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, oidctest.Options{})
	require.True(t, strings.HasPrefix(i.URL(), "http://127.0.0.1:"))
	res, err := http.Get(i.URL() + "/.well-known/jwks.json")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.NoError(t, i.Close())
	_, err = http.Get(i.URL() + "/.well-known/jwks.json")
	require.Error(t, err)
}
