package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/scope/oidc"
)

const (
	issuerTime = 10 * time.Second // for one request to the issuer
	spare      = 2 * time.Minute  // life that a token must have left, if it can be refreshed
	maxBody    = 4 << 10
	maxReturn  = 1 << 10
)

// Options configures a [Service]. Every field without a default is required.
type Options struct {
	Issuer   string         // its URL
	ClientID string         // of a public client
	Verifier *oidc.Verifier // of the issuer's ID tokens for that client
	Cognito  bool           // the issuer is a user pool of Cognito, whose sign-out has other parameters
	Offline  bool           // the issuer's configuration is not read, so people cannot sign in from a page
	Client   *http.Client   // sends requests to the issuer. Default: a client with a timeout.
	Log      *slog.Logger   // receives why a sign-in has failed. If nil, nothing is logged.
}

// Service signs people in. It is safe for concurrent use.
type Service struct {
	o   Options
	at  endpoints
	mux *http.ServeMux
}

// New returns a service with the endpoints in the issuer's configuration. It returns an error if that cannot be read.
// An issuer without an authorization endpoint is valid: people cannot sign in at it from a page.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Verifier == nil || o.ClientID == "" {
		return nil, errors.New("signin: Options.Verifier and ClientID are required")
	}
	client := newClient(o.Client)
	o.Client = &client
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{o: o, mux: http.NewServeMux()}
	if !o.Offline {
		var err error
		if s.at, err = discover(ctx, o.Client, o.Issuer); err != nil {
			return nil, fmt.Errorf("signin: read the issuer's configuration: %w", err)
		}
	}
	s.mux.HandleFunc("/", serveUnknown)
	for _, p := range []struct {
		method, path string
		answer       http.HandlerFunc
	}{
		{http.MethodGet, configPath, s.serveConfig},
		{http.MethodPost, "/sign-in/start", s.start},
		{http.MethodPost, configPath + "/token", s.serveToken},
		{http.MethodPost, configPath + "/end", s.end},
		{http.MethodGet, "/sign-in/callback", s.finish},
	} {
		s.mux.HandleFunc(p.path, allowMethod(p.method, p.answer))
	}
	return s, nil
}

// ServeHTTP implements [http.Handler].
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// serveConfig answers how people sign in, and whether this browser has a session, so that a page without one does not
// ask for a token.
func (s *Service) serveConfig(w http.ResponseWriter, r *http.Request) {
	has := readCookie(r, idCookie) != "" || readCookie(r, refreshCookie) != ""
	_ = httpapi.WriteJSON(w, config{Kind: "issuer", Issuer: s.o.Issuer, Session: has})
}

// client returns the client of the issuer. Refresh tokens of many issuers require the scope offline_access.
func (s *Service) client(redirect string) *oauth2.Config {
	scopes := []string{"openid"}
	if slices.Contains(s.at.Scopes, "offline_access") {
		scopes = append(scopes, "offline_access")
	}
	return &oauth2.Config{
		ClientID: s.o.ClientID, RedirectURL: redirect, Scopes: scopes,
		Endpoint: oauth2.Endpoint{AuthURL: s.at.Authorize, TokenURL: s.at.Token, AuthStyle: oauth2.AuthStyleInParams},
	}
}

// withClient returns the context of requests to the issuer. They continue if the browser disconnects, since a refresh
// token may be used once only.
func (s *Service) withClient(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = context.WithValue(context.WithoutCancel(ctx), oauth2.HTTPClient, s.o.Client)
	return context.WithTimeout(ctx, issuerTime)
}

// newClient returns a copy of a client, or of a new one, which does not follow redirects.
func newClient(base *http.Client) http.Client {
	var client http.Client
	if base != nil {
		client = *base
	}
	client.Timeout, client.Jar = issuerTime, nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}
