package oidc_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/oidc/oidctest"
)

const (
	issuerURL = "https://issuer.example"
	client    = "bookshelf"
	configURL = issuerURL + "/.well-known/openid-configuration"
	keysURL   = issuerURL + "/.well-known/jwks.json"
)

// Keys are made once: that takes long.
var (
	keyA    = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })
	keyB    = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })
	weakKey = sync.OnceValue(func() *rsa.PrivateKey { return newKey(1024) })
)

// honest is the issuer whose answers issuer distorts. It signs with keyA.
var honest = sync.OnceValue(func() *oidctest.Issuer {
	return must(oidctest.New(&oidctest.Options{URL: issuerURL, ClientID: client, Key: keyA()}))
})

// kidA is the id under which honest publishes its key.
var kidA = sync.OnceValue(func() string {
	token, _, err := jwt.NewParser().ParseUnverified(must(honest().Token(nil)), jwt.MapClaims{})
	return must(token, err).Header["kid"].(string)
})

func newKey(bits int) *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, bits)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// issuer is honest behind an http.RoundTripper that counts and delays requests, fails, and replaces answers.
type issuer struct {
	mu    sync.Mutex
	pages map[string]any // by URL, instead of honest's: a string is sent verbatim, and nil is 404
	down  error
	gate  chan struct{} // where there is one, key sets are answered once it is closed
	gets  map[string]int
}

func newIssuer() *issuer {
	honest()
	return &issuer{gets: map[string]int{}, pages: map[string]any{}}
}

func (i *issuer) publish(keys ...map[string]any) { i.page(keysURL, map[string]any{"keys": keys}) }

func (i *issuer) page(url string, v any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.pages[url] = v
}

func (i *issuer) fail(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down = err
}

func (i *issuer) fetches() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.gets[keysURL]
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	i.mu.Lock()
	url := r.URL.String()
	i.gets[url]++
	page, replaced := i.pages[url]
	down, gate := i.down, i.gate
	i.mu.Unlock()
	if gate != nil && url == keysURL {
		select {
		case <-gate:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if down != nil {
		return nil, down
	}
	if !replaced {
		return honest().Client().Transport.RoundTrip(r)
	}
	status := http.StatusOK
	var body string
	switch p := page.(type) {
	case nil:
		status = http.StatusNotFound
	case string:
		body = p
	default:
		body = string(must(json.Marshal(p)))
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// public is a key as a key set has it.
func public(kid string, k *rsa.PrivateKey) map[string]any {
	return map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid,
		"n": base64.RawURLEncoding.EncodeToString(k.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.E)).Bytes()),
	}
}

// payload is that of a good token, with changes; nil takes a claim away.
func payload(changes map[string]any) jwt.MapClaims {
	now := time.Now()
	c := jwt.MapClaims{
		"iss": issuerURL, "aud": client, "sub": "u1", "custom:tenant_id": "acme",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	for name, value := range changes {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	return c
}

// sign makes a token under key a, with further headers; nil takes one away.
func sign(c jwt.Claims, headers map[string]any) string {
	return signWith(jwt.SigningMethodRS256, kidA(), keyA(), c, headers)
}

func signWith(m jwt.SigningMethod, kid string, key any, c jwt.Claims, headers map[string]any) string {
	t := jwt.NewWithClaims(m, c)
	t.Header["kid"] = kid
	for name, value := range headers {
		if t.Header[name] = value; value == nil {
			delete(t.Header, name)
		}
	}
	return must(t.SignedString(key))
}

// signRaw signs a payload that is perhaps no JSON.
func signRaw(payload string) string {
	head, _, _ := strings.Cut(sign(jwt.MapClaims{}, nil), ".")
	text := head + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	return text + "." + base64.RawURLEncoding.EncodeToString(must(jwt.SigningMethodRS256.Sign(text, keyA())))
}

func verifier(t testing.TB, i *issuer, o *oidc.Options) *oidc.Verifier {
	t.Helper()
	var with oidc.Options
	if o != nil {
		with = *o
	}
	with.Client = &http.Client{Transport: i}
	v, err := oidc.New(t.Context(), issuerURL, client, &with)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	return v
}

// refusal returns what v has against the token, and checks that it says nothing of it.
func refusal(t *testing.T, v *oidc.Verifier, token string) *oidc.TokenError {
	t.Helper()
	id, err := v.Verify(context.Background(), token)
	require.ErrorIs(t, err, oidc.ErrToken)
	require.Equal(t, oidc.Identity{}, id)
	e, ok := errors.AsType[*oidc.TokenError](err)
	require.True(t, ok)
	for part := range strings.SplitSeq(token, ".") {
		require.False(t, len(part) > 3 && strings.Contains(err.Error(), part), "%v echoes the token", err)
	}
	return e
}
