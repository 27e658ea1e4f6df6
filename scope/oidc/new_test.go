package oidc_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
)

func clientOf(t http.RoundTripper) *http.Client { return &http.Client{Transport: t} }

// hanging is an issuer that never answers.
func hanging() http.RoundTripper { return roundTripper(hang) }

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestNewRejectsInvalidArguments(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	try := func(issuer, audience string, o oidc.Options) error {
		o.Client = clientOf(i)
		_, err := oidc.New(t.Context(), issuer, audience, &o)
		return err
	}
	for _, bad := range []string{
		"", "issuer.example", "/issuer", "http://issuer.example", "http://10.0.0.1", "http://localhost.example", "ftp://localhost",
		"https://", "https:issuer.example", "https://user@issuer.example", "https://issuer.example/#x", "https://issuer.example#",
		"https://issuer.example?x=1", "https://issuer.example?", "https://issuer.example/\x00",
	} {
		require.ErrorIs(t, try(bad, client, oidc.Options{}), oidc.ErrInvalid, bad)
	}
	require.ErrorIs(t, try(issuerURL, "", oidc.Options{}), oidc.ErrInvalid)
	acme, globex := must(scope.Tenant("acme")), must(scope.Tenant("globex"))
	user := must(acme.User("u1"))
	for name, o := range map[string]oidc.Options{
		"empty audience":        {Audiences: []string{"x", ""}},
		"empty group":           {TenantGroups: []string{""}},
		"unknown use":           {TokenUse: []oidc.TokenUse{"refresh"}},
		"one claim":             {TenantClaim: "sub"},
		"negative leeway":       {Leeway: -1},
		"too much leeway":       {Leeway: oidc.MaxLeeway + 1},
		"key set without https": {KeySet: "http://issuer.example/keys"},
		"anonymous nobody":      {Anonymous: &oidc.Identity{}},
		"anonymous tenant":      {Anonymous: &oidc.Identity{User: acme}},
		"anonymous, elsewhere":  {Anonymous: &oidc.Identity{User: user, Tenant: globex}},
		"anonymous, shares":     {Anonymous: &oidc.Identity{User: user, Shared: must(globex.Shared())}},
		"anonymous, shares all": {Anonymous: &oidc.Identity{User: user, Shared: acme}},
	} {
		require.ErrorIs(t, try(issuerURL, client, o), oidc.ErrInvalid, name)
	}
	require.Empty(t, i.gets, "nothing is fetched for it")
	require.NoError(t, try(issuerURL, client, oidc.Options{}))
}

func TestDiscoveryIsBoundToTheIssuer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config any
		want   error
	}{
		"another issuer":     {map[string]any{"issuer": "https://evil.example", "jwks_uri": keysURL}, oidc.ErrInvalid},
		"a slash more":       {map[string]any{"issuer": issuerURL + "/", "jwks_uri": keysURL}, oidc.ErrInvalid},
		"no issuer":          {map[string]any{"jwks_uri": keysURL}, oidc.ErrInvalid},
		"no key set":         {map[string]any{"issuer": issuerURL}, oidc.ErrInvalid},
		"key set by http":    {map[string]any{"issuer": issuerURL, "jwks_uri": "http://issuer.example/keys"}, oidc.ErrInvalid},
		"key set inside":     {map[string]any{"issuer": issuerURL, "jwks_uri": "http://127.0.0.1/keys"}, oidc.ErrInvalid},
		"key set in a file":  {map[string]any{"issuer": issuerURL, "jwks_uri": "file:///etc/passwd"}, oidc.ErrInvalid},
		"key set not there":  {map[string]any{"issuer": issuerURL, "jwks_uri": issuerURL + "/nothing"}, oidc.ErrUnavailable},
		"no JSON":            {"<html>", oidc.ErrUnavailable},
		"too long":           {strings.Repeat(" ", 1<<20) + "{}", oidc.ErrUnavailable},
		"no configuration":   {nil, oidc.ErrUnavailable},
		"elsewhere, by path": {map[string]any{"issuer": issuerURL + "/../evil", "jwks_uri": keysURL}, oidc.ErrInvalid},
	} {
		i := newIssuer()
		i.page(configURL, c.config)
		_, err := oidc.New(t.Context(), issuerURL, client, &oidc.Options{Client: clientOf(i)})
		require.ErrorIs(t, err, c.want, name)
	}
}

// observed passes requests to the issuer and keeps their cookies.
type observed struct {
	*issuer
	cookies []string
}

func (o *observed) RoundTrip(r *http.Request) (*http.Response, error) {
	o.cookies = append(o.cookies, r.Header["Cookie"]...)
	return o.issuer.RoundTrip(r)
}

func TestCookiesOfTheClientAreNotSent(t *testing.T) {
	t.Parallel()
	jar := must(cookiejar.New(nil))
	jar.SetCookies(must(url.Parse(issuerURL)), []*http.Cookie{{Name: "session", Value: "secret"}})
	o := &observed{issuer: newIssuer()}
	c := &http.Client{Transport: o, Jar: jar}
	v, err := oidc.New(t.Context(), issuerURL, client, &oidc.Options{Client: c})
	require.NoError(t, err)
	require.NoError(t, v.Close())
	require.Empty(t, o.cookies)
	require.NotNil(t, c.Jar, "the caller's client is not changed")
}

// Over real connections: http on loopback is an issuer, and nobody is sent elsewhere.
func TestIssuerOnLoopbackMayUseHTTP(t *testing.T) {
	t.Parallel()
	var elsewhere string
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.HandleFunc("GET /pool/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, server.URL+"/pool", server.URL+"/pool/keys")
	})
	mux.HandleFunc("GET /pool/keys", func(w http.ResponseWriter, r *http.Request) {
		if elsewhere != "" {
			http.Redirect(w, r, elsewhere, http.StatusFound)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{public(kidA(), keyA())}})
	})
	mux.HandleFunc("GET /evil", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{public(kidA(), keyB())}})
	})

	v, err := oidc.New(t.Context(), server.URL+"/pool", client, nil)
	require.NoError(t, err)
	defer v.Close()
	id, err := v.Verify(t.Context(), sign(payload(map[string]any{"iss": server.URL + "/pool"}), nil))
	require.NoError(t, err)
	require.Equal(t, "acme", id.User.TenantID())

	elsewhere = server.URL + "/evil"
	_, err = oidc.New(t.Context(), server.URL+"/pool", client, nil)
	require.ErrorIs(t, err, oidc.ErrUnavailable)
	require.ErrorContains(t, err, "302")
	_, err = oidc.New(t.Context(), server.URL+"/pool", client, &oidc.Options{KeySet: server.URL + "/evil"})
	require.NoError(t, err, "but the configuration may name another place")
}

func TestNewCognitoUsesTheIssuerOfThePool(t *testing.T) {
	t.Parallel()
	for pool, issuer := range map[string]string{
		"eu-central-1_AbCdEf123": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf123",
		"us-gov-west-1_x":        "https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_x",
		"cn-north-1_Ab":          "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Ab",
	} {
		i := newIssuer()
		i.page(issuer+"/.well-known/openid-configuration", map[string]any{"issuer": issuer, "jwks_uri": issuer + "/.well-known/jwks.json"})
		i.page(issuer+"/.well-known/jwks.json", map[string]any{"keys": []any{public(kidA(), keyA())}})
		v, err := oidc.NewCognito(t.Context(), pool, client, &oidc.Options{Client: clientOf(i)})
		require.NoError(t, err)
		access := map[string]any{"iss": issuer, "token_use": "access", "aud": nil, "client_id": client}
		_, err = v.Verify(t.Context(), sign(payload(access), nil))
		require.NoError(t, err)
		_, err = v.Verify(t.Context(), sign(payload(map[string]any{"iss": issuer, "token_use": "id"}), nil))
		require.NoError(t, err)
		require.Equal(t, oidc.WrongIssuer, refusal(t, v, sign(payload(map[string]any{"token_use": "id"}), nil)).Reason)
		require.NoError(t, v.Close())
	}
	for _, pool := range []string{
		"", "eu-central-1", "_x", "eu-central-1_", "evil.example/eu-central-1_x", "eu-central-1_x/..", "eu-central-1_x?", "EU-central-1_x",
		"eu-central-1_x\n", "eu-central-1.evil_x", "eu-central-1@evil_x",
	} {
		_, err := oidc.NewCognito(t.Context(), pool, client, &oidc.Options{Client: clientOf(hanging())})
		require.ErrorIs(t, err, oidc.ErrInvalid, pool)
	}
}
