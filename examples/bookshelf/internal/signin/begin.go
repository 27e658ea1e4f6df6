package signin

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/internal/strictjson"
)

// start answers with the URL at which the issuer signs the person in.
func (s *Service) start(w http.ResponseWriter, r *http.Request) {
	if s.at.Authorize == "" || s.at.Token == "" {
		httpapi.NewProblem(http.StatusNotImplemented,
			"The issuer does not have a page to sign in at. Send its tokens with each request.").Write(w)
		return
	}
	origin, err := parseOrigin(r.Header.Get("Origin"))
	if err != nil {
		httpapi.NewProblem(http.StatusBadRequest, "The request must come from a page of this server.").Write(w)
		return
	}
	path, err := readReturn(w, r)
	if err != nil {
		const detail = "The body must be a JSON object with return, a path of this server."
		httpapi.NewProblem(http.StatusBadRequest, detail).Write(w)
		return
	}
	p := pending{
		Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Redirect: origin + "/sign-in/callback", Return: path,
	}
	state := rand.Text()
	if err := keepPending(w, r, state, p); err != nil {
		httpapi.NewProblem(http.StatusInternalServerError, "Internal error. Try again.").Write(w)
		return
	}
	to := s.client(p.Redirect).AuthCodeURL(state, oauth2.S256ChallengeOption(p.Verifier),
		oauth2.SetAuthURLParam("nonce", p.Nonce))
	_ = httpapi.WriteJSON(w, map[string]string{"url": to})
}

// readReturn returns the path in the body {"return": path}.
func readReturn(w http.ResponseWriter, r *http.Request) (string, error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return "", err
	}
	v, err := strictjson.ParseObject(b)
	if err != nil {
		return "", err
	}
	var body struct {
		Return string `json:"return"`
	}
	if err := v.Decode(&body); err != nil {
		return "", err
	}
	if !isPath(body.Return) {
		return "", errors.New("return is not a path of this server")
	}
	return body.Return, nil
}

// isPath reports whether s is a path of this server, with an optional query and fragment. A browser reads // and /\ as
// the name of another server.
func isPath(s string) bool {
	if len(s) > maxReturn || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.Contains(s, `\`) {
		return false
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "" && u.Host == "" && u.User == nil
}

// parseOrigin accepts the Origin of a page: scheme://host, with an optional port.
func parseOrigin(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || s != u.Scheme+"://"+u.Host {
		return "", fmt.Errorf("invalid origin %.200q", s)
	}
	return s, nil
}
