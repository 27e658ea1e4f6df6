package oidctest

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"time"
)

// maxBody is the longest form in bytes.
const maxBody = 16 << 10

// serveToken exchanges a code or a refresh token for tokens (RFC 6749 sections 4.1.3 and 6).
func (i *Issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	refuse := func(code, text string) {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": code, "error_description": text})
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil || isRepeated(r.PostForm) {
		refuse("invalid_request", "the form is malformed, too long or has a parameter twice")
		return
	}
	form := r.PostForm
	if form.Get("client_id") != i.clientID {
		refuse("invalid_client", "the client_id is unknown")
		return
	}
	var g grant
	var ok bool
	switch form.Get("grant_type") {
	case "authorization_code":
		sum := sha256.Sum256([]byte(form.Get("code_verifier")))
		g, ok = i.codes.take(form.Get("code"))
		ok = ok && g.redirect == form.Get("redirect_uri") && g.challenge == base64.RawURLEncoding.EncodeToString(sum[:])
	case "refresh_token":
		g, ok = i.refreshes.take(form.Get("refresh_token"))
	default:
		refuse("unsupported_grant_type", "grant_type must be authorization_code or refresh_token")
		return
	}
	if !ok {
		refuse("invalid_grant", "the grant is unknown, used, expired, or of another redirect_uri or code_verifier")
		return
	}
	answer, err := i.issueTokens(g)
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// issueTokens returns the token response of a grant (OpenID Connect Core 1.0 section 3.1.3.3).
func (i *Issuer) issueTokens(g grant) (map[string]any, error) {
	sign := func(more map[string]any) (string, error) {
		claims := maps.Clone(g.claims)
		maps.Copy(claims, more)
		return i.Token(claims)
	}
	id := map[string]any{"token_use": "id"}
	if g.nonce != "" {
		id["nonce"] = g.nonce
	}
	idToken, err := sign(id)
	if err != nil {
		return nil, err
	}
	access, err := sign(map[string]any{"token_use": "access", "client_id": i.clientID, "scope": "openid"})
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"access_token": access, "id_token": idToken, "refresh_token": i.refreshes.put(grant{claims: g.claims}),
		"token_type": "Bearer", "expires_in": int(i.life / time.Second), "scope": "openid",
	}, nil
}

// endSession revokes the refresh tokens of the user whom the id_token_hint names, and redirects (OpenID Connect
// RP-Initiated Logout 1.0).
func (i *Issuer) endSession(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	claims, err := i.parseToken(q.Get("id_token_hint"))
	if err != nil {
		http.Error(w, "The id_token_hint must be a token of this issuer.", http.StatusBadRequest)
		return
	}
	after := q.Get("post_logout_redirect_uri")
	redirect, valid := parseRedirect(after)
	if after != "" && !valid {
		http.Error(w, "The post_logout_redirect_uri must be a loopback URL without a fragment.", http.StatusBadRequest)
		return
	}
	i.refreshes.revoke(claims["sub"])
	if after == "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("Signed out.\n"))
		return
	}
	authorization{redirect: redirect, state: q.Get("state")}.answer(w, url.Values{})
}
