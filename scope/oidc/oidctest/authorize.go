package oidctest

import (
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxQuery is the longest query of an authorization request in bytes.
const maxQuery = 4 << 10

// authorization is an accepted authorization request.
type authorization struct {
	redirect                *url.URL
	state, nonce, challenge string
}

var usersPage = template.Must(template.New("users").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Test sign-in</title>
<h1>Test sign-in</h1>
<p>This issuer is for tests and development. It does not check who you are.</p>
<form method="post">
{{range .}}<button name="user" value="{{.Name}}">{{.Name}}</button>
{{end}}</form>
</html>
`))

func (i *Issuer) showUsers(w http.ResponseWriter, r *http.Request) {
	if _, ok := i.acceptAuthorization(w, r); !ok {
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	_ = usersPage.Execute(w, i.users)
}

// authorizeUser redirects with a code for the user whom the page's form names.
func (i *Issuer) authorizeUser(w http.ResponseWriter, r *http.Request) {
	a, ok := i.acceptAuthorization(w, r)
	if !ok {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	name := r.PostFormValue("user")
	n := slices.IndexFunc(i.users, func(u User) bool { return u.Name == name })
	if n < 0 {
		http.Error(w, "The form field user must name one of the users.", http.StatusBadRequest)
		return
	}
	code := i.codes.put(grant{
		claims: i.users[n].Claims, nonce: a.nonce, challenge: a.challenge, redirect: a.redirect.String(),
	})
	a.answer(w, url.Values{"code": {code}})
}

// acceptAuthorization checks an authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3). If it is invalid,
// acceptAuthorization answers it: at the redirect URI if that is valid, and otherwise itself.
func (i *Issuer) acceptAuthorization(w http.ResponseWriter, r *http.Request) (authorization, bool) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	redirect, valid := parseRedirect(q.Get("redirect_uri"))
	switch {
	case err != nil || len(r.URL.RawQuery) > maxQuery || isRepeated(q):
		http.Error(w, "The query is malformed, too long or has a parameter twice.", http.StatusBadRequest)
		return authorization{}, false
	case q.Get("client_id") != i.clientID:
		http.Error(w, "The client_id is unknown.", http.StatusBadRequest)
		return authorization{}, false
	case !valid:
		http.Error(w, "The redirect_uri must be a loopback URL without a fragment.", http.StatusBadRequest)
		return authorization{}, false
	}
	a := authorization{redirect, q.Get("state"), q.Get("nonce"), q.Get("code_challenge")}
	refuse := func(code, text string) (authorization, bool) {
		a.answer(w, url.Values{"error": {code}, "error_description": {text}})
		return authorization{}, false
	}
	digest, err := base64.RawURLEncoding.DecodeString(a.challenge)
	switch {
	case q.Get("response_type") != "code":
		return refuse("unsupported_response_type", "response_type must be code")
	case !slices.Contains(strings.Fields(q.Get("scope")), "openid"):
		return refuse("invalid_scope", "scope must contain openid")
	case q.Get("code_challenge_method") != "S256" || err != nil || len(digest) != 32:
		return refuse("invalid_request", "PKCE is required: code_challenge with code_challenge_method S256")
	case q.Get("prompt") == "none":
		return refuse("login_required", "the issuer does not have a session")
	}
	return a, true
}

// answer redirects the browser to the client with these parameters and the state.
func (a authorization) answer(w http.ResponseWriter, with url.Values) {
	target := *a.redirect
	q := target.Query()
	if a.state != "" {
		q.Set("state", a.state)
	}
	for name, values := range with {
		q[name] = values
	}
	target.RawQuery = q.Encode()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", target.String())
	w.WriteHeader(http.StatusSeeOther)
}

// parseRedirect accepts an absolute URL on a loopback address without a fragment.
func parseRedirect(raw string) (*url.URL, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || strings.Contains(raw, "#") {
		return nil, false
	}
	return u, isLoopback(u.Hostname())
}

// isRepeated reports whether a parameter has more than one value.
func isRepeated(q url.Values) bool {
	for _, values := range q {
		if len(values) > 1 {
			return true
		}
	}
	return false
}
