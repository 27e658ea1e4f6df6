package signin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/carrel-go/carrel/httpapi"
)

// end signs the person out here, and answers with the URL that signs out at the issuer.
func (s *Service) end(w http.ResponseWriter, r *http.Request) {
	origin, err := parseOrigin(r.Header.Get("Origin"))
	if err != nil {
		httpapi.NewProblem(http.StatusBadRequest, "The request must come from a page of this server.").Write(w)
		return
	}
	if refresh := readCookie(r, refreshCookie); refresh != "" && s.at.Revoke != "" {
		if err := s.revoke(r.Context(), refresh); err != nil {
			s.o.Log.WarnContext(r.Context(), "revoke a refresh token", "err", err)
		}
	}
	hint := readCookie(r, idCookie)
	dropTokens(w)
	after, to := origin+"/sign-in", "/sign-in"
	if u, err := url.Parse(s.at.End); err == nil && s.at.End != "" {
		q := u.Query()
		q.Set("client_id", s.o.ClientID)
		if s.o.Cognito {
			q.Set("logout_uri", after)
		} else {
			q.Set("post_logout_redirect_uri", after)
			if hint != "" {
				q.Set("id_token_hint", hint)
			}
		}
		u.RawQuery = q.Encode()
		to = u.String()
	}
	_ = httpapi.WriteJSON(w, map[string]string{"url": to})
}

// revoke revokes a refresh token (RFC 7009).
func (s *Service) revoke(ctx context.Context, refresh string) error {
	form := url.Values{"token": {refresh}, "token_type_hint": {"refresh_token"}, "client_id": {s.o.ClientID}}
	ctx, cancel := s.withClient(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.at.Revoke, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := s.o.Client.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxDocument))
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	return nil
}
