package signin

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/scope/oidc"
)

// serveToken answers with the token of the person, which is refreshed if it is about to expire.
func (s *Service) serveToken(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := s.withClient(r.Context())
	defer cancel()
	refresh := readCookie(r, refreshCookie)
	if raw := readCookie(r, idCookie); raw != "" {
		id, err := s.verifyToken(ctx, raw)
		if errors.Is(err, oidc.ErrUnavailable) {
			writeUnavailable(w)
			return
		}
		if err == nil && (refresh == "" || time.Until(id.expires) > spare) {
			writeToken(w, id)
			return
		}
	}
	if refresh == "" {
		s.rejectSession(w)
		return
	}
	t, err := s.client("").TokenSource(ctx, &oauth2.Token{RefreshToken: refresh}).Token()
	if isFinal(err) {
		s.o.Log.InfoContext(ctx, "the issuer does not renew a session", "err", err)
		s.rejectSession(w)
		return
	}
	if err != nil {
		s.o.Log.WarnContext(ctx, "renew a session", "err", err)
		writeUnavailable(w)
		return
	}
	id, err := s.verify(ctx, t)
	if err == nil && !keepTokens(w, id, t.RefreshToken, isSecure(r.Header.Get("Origin"))) {
		err = errTooLong
	}
	switch {
	case errors.Is(err, oidc.ErrUnavailable):
		writeUnavailable(w)
	case err != nil:
		s.o.Log.WarnContext(ctx, "renew a session", "err", err)
		s.rejectSession(w)
	default:
		writeToken(w, id)
	}
}

var errTooLong = fmt.Errorf("the tokens are longer than a cookie of %d bytes", maxCookie)

// isFinal reports whether the issuer has rejected a refresh token, so that it need not be tried again. The error's text
// does not have the token.
func isFinal(err error) bool {
	rejected, ok := errors.AsType[*oauth2.RetrieveError](err)
	return ok && rejected.Response.StatusCode < http.StatusInternalServerError &&
		rejected.Response.StatusCode != http.StatusTooManyRequests
}

func (s *Service) rejectSession(w http.ResponseWriter) {
	dropTokens(w)
	httpapi.NewProblem(http.StatusUnauthorized, "Your sign-in has ended. Please sign in again.").Write(w)
}

func writeToken(w http.ResponseWriter, id verified) {
	roles := id.identity.Groups
	if roles == nil {
		roles = []string{}
	}
	_ = httpapi.WriteJSON(w, map[string]any{
		"token": id.token, "expires_at": id.expires.UTC().Format(time.RFC3339),
		"tenant": id.identity.User.TenantID(), "user": id.identity.User.UserID(), "name": id.name, "roles": roles,
	})
}

func writeUnavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	const detail = "The issuer could not be reached, so the sign-in could not be renewed."
	httpapi.NewProblem(http.StatusServiceUnavailable, detail).Write(w)
}
