package oidctest

import (
	"cmp"
	"crypto/rsa"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	defaultClientID = "test-client"
	defaultLife     = time.Hour
	codeLife        = time.Minute
	refreshLife     = 24 * time.Hour
)

// Options configures an [Issuer]. Nil means the defaults.
type Options struct {
	// URL is the issuer's URL and the iss of its tokens: https, or http on loopback, without a query, a fragment and a
	// final slash. The caller serves Handler below its path. If empty, the Issuer listens on a free loopback port.
	URL string

	// ClientID is the only client, and the audience of tokens. Default: "test-client".
	ClientID string

	// Life is the lifetime of a token in whole seconds, at least 1s. Default: 1 hour.
	Life time.Duration

	// Key signs the tokens. It must have at least 2,048 bits. If nil, New generates one, which takes some tenths of a
	// second.
	Key *rsa.PrivateKey

	// Users are the people whom the authorize page offers. Default: ann of the tenant acme, and eve of the tenant
	// globex.
	Users []User
}

// User is a person that the authorize page offers to sign in as.
type User struct {
	Name   string         // unique, shown on the page
	Claims map[string]any // the user's claims in both tokens; sub is required
}

// Issuer issues tokens. It is safe for concurrent use.
type Issuer struct {
	url      *url.URL
	clientID string
	life     time.Duration
	users    []User
	routes   http.Handler
	server   *http.Server // nil if the caller serves Handler
	served   sync.WaitGroup

	codes, refreshes grants

	mu   sync.Mutex
	keys []signingKey // the last one signs
}

// New returns an Issuer. Without Options.URL, it listens until Close. It returns an error if an option is invalid.
func New(o *Options) (*Issuer, error) {
	var opt Options
	if o != nil {
		opt = *o
	}
	i := &Issuer{
		clientID: cmp.Or(opt.ClientID, defaultClientID), life: cmp.Or(opt.Life, defaultLife).Truncate(time.Second),
		codes: grants{life: codeLife}, refreshes: grants{life: refreshLife},
	}
	if i.life <= 0 {
		return nil, fmt.Errorf("oidctest: invalid Options.Life %v: must be at least 1s", opt.Life)
	}
	var err error
	if i.users, err = checkUsers(opt.Users); err != nil {
		return nil, err
	}
	if err := i.Rotate(opt.Key); err != nil {
		return nil, err
	}
	if opt.URL == "" {
		if err := i.listenLoopback(); err != nil {
			return nil, err
		}
		return i, nil
	}
	if i.url, err = checkURL(opt.URL); err != nil {
		return nil, err
	}
	i.routes = i.newRoutes()
	return i, nil
}

func checkUsers(users []User) ([]User, error) {
	if users == nil {
		return []User{
			{"ann", map[string]any{"sub": "ann", "custom:tenant_id": "acme"}},
			{"eve", map[string]any{"sub": "eve", "custom:tenant_id": "globex"}},
		}, nil
	}
	users = slices.Clone(users)
	for n, u := range users {
		if sub, ok := u.Claims["sub"].(string); u.Name == "" || !ok || sub == "" {
			return nil, fmt.Errorf("oidctest: invalid user %q: a name and the claim sub are required", u.Name)
		}
		if slices.ContainsFunc(users[:n], func(other User) bool { return other.Name == u.Name }) {
			return nil, fmt.Errorf("oidctest: invalid user %q: the name is used twice", u.Name)
		}
		users[n].Claims = maps.Clone(u.Claims)
	}
	return users, nil
}

func checkURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(raw, "?#") || strings.HasSuffix(raw, "/") {
		return nil, fmt.Errorf("oidctest: invalid Options.URL %q: must be absolute, without query, fragment and final slash",
			raw)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, fmt.Errorf("oidctest: invalid Options.URL %q: must be https, or http on loopback", raw)
	}
	return u, nil
}

// listenLoopback serves the issuer on a free loopback port.
func (i *Issuer) listenLoopback() error {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a loopback address is not looked up
	if err != nil {
		return fmt.Errorf("oidctest: %w", err)
	}
	i.url = &url.URL{Scheme: "http", Host: l.Addr().String()}
	i.routes = i.newRoutes()
	i.server = &http.Server{Handler: i.Handler(), ReadTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	i.served.Go(func() { _ = i.server.Serve(l) }) // until Close
	return nil
}

// URL returns the issuer's URL.
func (i *Issuer) URL() string { return i.url.String() }

// ClientID returns the client's id, which is the audience of tokens.
func (i *Issuer) ClientID() string { return i.clientID }

// Token returns a signed token with these claims. It adds iss, aud, iat and exp unless claims has them. A nil value
// leaves a claim out.
func (i *Issuer) Token(claims map[string]any) (string, error) {
	now := time.Now().Truncate(time.Second)
	all := jwt.MapClaims{"iss": i.URL(), "aud": i.clientID, "iat": now.Unix(), "exp": now.Add(i.life).Unix()}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	i.mu.Lock()
	key := i.keys[len(i.keys)-1]
	i.mu.Unlock()
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, all)
	t.Header["kid"] = key.public.Kid
	signed, err := t.SignedString(key.private)
	if err != nil {
		return "", fmt.Errorf("oidctest: sign the token: %w", err)
	}
	return signed, nil
}

// Close stops listening. Issuers whose Handler the caller serves need not be closed.
func (i *Issuer) Close() error {
	if i.server == nil {
		return nil
	}
	err := i.server.Close()
	i.served.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("oidctest: close: %w", err)
	}
	return nil
}
