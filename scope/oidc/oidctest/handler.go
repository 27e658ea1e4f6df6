package oidctest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/golang-jwt/jwt/v5"
)

// Paths below the issuer's URL.
const (
	configPath    = "/.well-known/openid-configuration"
	keysPath      = "/.well-known/jwks.json"
	authorizePath = "/authorize"
	tokenPath     = "/token"
	logoutPath    = "/logout"
)

// Handler serves the issuer's endpoints below the path of its URL. It answers 403 unless the request comes from a
// loopback address to the host of that URL.
func (i *Issuer) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil || !isLoopback(host) || r.Host != i.url.Host {
			http.Error(w, "This test issuer answers only this machine.", http.StatusForbidden)
			return
		}
		i.routes.ServeHTTP(w, r)
	})
}

// Client returns a client that asks the issuer without a connection, so that it works before the program listens and
// under synthetic time. It does not reach other hosts.
func (i *Issuer) Client() *http.Client { return &http.Client{Transport: inProcess{i}} }

type inProcess struct{ issuer *Issuer }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != p.issuer.url.Scheme || r.URL.Host != p.issuer.url.Host {
		return nil, fmt.Errorf("oidctest: %s://%s is not the issuer", r.URL.Scheme, r.URL.Host)
	}
	w := httptest.NewRecorder()
	r = r.Clone(r.Context())
	if r.Body == nil {
		r.Body = http.NoBody
	}
	defer func() { _ = r.Body.Close() }()
	p.issuer.routes.ServeHTTP(w, r)
	res := w.Result()
	res.Request = r
	return res, nil
}

func (i *Issuer) newRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+i.url.Path+configPath, i.serveConfig)
	mux.HandleFunc("GET "+i.url.Path+keysPath, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"keys": i.publishedKeys()})
	})
	mux.HandleFunc("GET "+i.url.Path+authorizePath, i.showUsers)
	mux.Handle("POST "+i.url.Path+authorizePath,
		http.NewCrossOriginProtection().Handler(http.HandlerFunc(i.authorizeUser)))
	mux.HandleFunc("POST "+i.url.Path+tokenPath, i.serveToken)
	mux.HandleFunc("GET "+i.url.Path+logoutPath, i.endSession)
	return mux
}

// serveConfig answers with the issuer's configuration (OpenID Connect Discovery 1.0 section 3).
func (i *Issuer) serveConfig(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                i.URL(),
		"jwks_uri":                              i.URL() + keysPath,
		"authorization_endpoint":                i.URL() + authorizePath,
		"token_endpoint":                        i.URL() + tokenPath,
		"end_session_endpoint":                  i.URL() + logoutPath,
		"response_types_supported":              []string{"code"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token"},
		"code_challenge_methods_supported":      []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"none"},
		"scopes_supported":                      []string{"openid"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{jwt.SigningMethodRS256.Alg()},
	})
}

// writeJSON answers with JSON that pages of any origin may read: nothing here depends on cookies.
func writeJSON(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Access-Control-Allow-Origin", "*")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
