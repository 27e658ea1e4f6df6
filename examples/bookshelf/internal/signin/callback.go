package signin

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/oauth2"

	"github.com/carrel-go/carrel/scope/oidc"
)

// finish exchanges the code of the issuer's redirect for tokens, and leads to the page where the sign-in began.
func (s *Service) finish(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Referrer-Policy", "no-referrer") // the URL has the code
	w.Header().Set("Cache-Control", "no-store")
	q, err := url.ParseQuery(r.URL.RawQuery)
	isRepeated := func(name string) bool { return len(q[name]) > 1 }
	if err != nil || slices.ContainsFunc([]string{"state", "code", "error", "iss"}, isRepeated) {
		s.fail(w, r, "again", errors.New("invalid query"))
		return
	}
	p, ok := takePending(w, r, q.Get("state"))
	switch {
	case !ok:
		s.fail(w, r, "again", errors.New("this browser did not begin it, or more than ten minutes ago"))
		return
	case q.Has("iss") && q.Get("iss") != s.o.Issuer: // RFC 9207
		s.fail(w, r, "failed", fmt.Errorf("answer of another issuer: %.200q", q.Get("iss")))
		return
	case q.Has("error") || q.Get("code") == "":
		s.fail(w, r, "denied", fmt.Errorf("the issuer answers %.80q: %.200q", q.Get("error"), q.Get("error_description")))
		return
	}
	ctx, cancel := s.withClient(r.Context())
	defer cancel()
	t, err := s.client(p.Redirect).Exchange(ctx, q.Get("code"), oauth2.VerifierOption(p.Verifier))
	if err != nil {
		s.fail(w, r, "failed", err)
		return
	}
	id, err := s.verify(ctx, t)
	if err != nil {
		reason := "failed"
		if errors.Is(err, oidc.ErrToken) {
			reason = "refused"
		}
		s.fail(w, r, reason, err)
		return
	}
	if subtle.ConstantTimeCompare([]byte(id.nonce), []byte(p.Nonce)) != 1 {
		s.fail(w, r, "failed", errors.New("the token has another nonce"))
		return
	}
	if !keepTokens(w, id, t.RefreshToken, isSecure(p.Redirect)) {
		s.fail(w, r, "failed", errTooLong)
		return
	}
	redirectTo(w, p.Return)
}

// fail leads to the page that explains why a sign-in has failed.
func (s *Service) fail(w http.ResponseWriter, r *http.Request, reason string, err error) {
	s.o.Log.WarnContext(r.Context(), "sign-in failed", "reason", reason, "err", err)
	redirectTo(w, "/sign-in#"+reason)
}

func redirectTo(w http.ResponseWriter, path string) {
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusSeeOther)
}
