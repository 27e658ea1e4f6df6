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
)

const (
	issuerURL = "https://issuer.example"
	client    = "bookshelf"
	configURL = issuerURL + "/.well-known/openid-configuration"
	keysURL   = issuerURL + "/keys"
)

// Keys are made once: that takes long.
var (
	keyA    = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })
	keyB    = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })
	weakKey = sync.OnceValue(func() *rsa.PrivateKey { return newKey(1024) })
)

func newKey(bits int) *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, bits)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// issuer is an OpenID Connect issuer behind an http.RoundTripper.
type issuer struct {
	mu    sync.Mutex
	pages map[string]any // by URL; a string is sent verbatim
	down  error
	gate  chan struct{} // where there is one, key sets are answered once it is closed
	gets  map[string]int
}

func newIssuer() *issuer {
	i := &issuer{gets: map[string]int{}, pages: map[string]any{
		configURL: map[string]any{"issuer": issuerURL, "jwks_uri": keysURL},
	}}
	i.publish(public("a", keyA()))
	return i
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
	page, ok, down, gate := i.pages[url], i.pages[url] != nil, i.down, i.gate
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
	status := http.StatusOK
	var body string
	switch p := page.(type) {
	case string:
		body = p
	default:
		body = string(must(json.Marshal(p)))
	}
	if !ok {
		status = http.StatusNotFound
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
	return signWith(jwt.SigningMethodRS256, "a", keyA(), c, headers)
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
