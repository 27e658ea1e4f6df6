package openlibrary

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/scope"
)

const (
	host        = "openlibrary.org"
	product     = "carrel-bookshelf"
	requestTime = 8 * time.Second  // of one request
	lookupTime  = 25 * time.Second // of all requests of a look-up, with the wait for their turns
	maxAnswer   = 2 << 20          // bytes of an answer, decompressed
	maxHops     = 3                // redirects of one request

	perSecond = 2 // requests
	atOnce    = 3 // requests in flight
	perTenant = 2 // of them of one tenant
)

// Options configures [New]. Nil means the defaults.
type Options struct {
	// Transport sends the requests. If nil, it is a transport without proxies and with timeouts.
	Transport http.RoundTripper
}

// Client is Open Library as a source of books. It is safe for concurrent use. A process should have only one.
type Client struct {
	http    http.Client
	agent   string // the User-Agent
	slots   *admission.Fair
	rate    *rate.Limiter
	breaker breaker
}

// New returns a client. The contact is an email address or a URL under which the people of Open Library can reach those
// who run the program.
func New(contact string, o *Options) (*Client, error) {
	if !isContact(contact) {
		return nil, fmt.Errorf("openlibrary: invalid contact %q: must be an email address or an http or https URL", contact)
	}
	slots, err := admission.NewFair(atOnce, perTenant)
	if err != nil {
		return nil, fmt.Errorf("openlibrary: %w", err)
	}
	c := &Client{
		agent: product + " (" + contact + ")",
		slots: slots,
		rate:  rate.NewLimiter(perSecond, perSecond),
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.http.Transport = newTransport()
	if o != nil && o.Transport != nil {
		c.http.Transport = o.Transport
	}
	return c, nil
}

// isContact reports whether s can be a contact in a User-Agent.
func isContact(s string) bool {
	if len(s) > 200 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '(' || r == ')' }) {
		return false
	}
	if a, err := mail.ParseAddress(s); err == nil {
		return a.Address == s
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // the environment must not redirect requests
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        atOnce,
		MaxIdleConnsPerHost:    atOnce,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Name implements the source of package booktools.
func (*Client) Name() string { return "Open Library" }

var (
	errNotFound  = errors.New("openlibrary: not found")
	errNotJSON   = errors.New("openlibrary: the answer is not JSON")
	errTooLarge  = fmt.Errorf("openlibrary: the answer has more than %d bytes", maxAnswer)
	errRedirects = errors.New("openlibrary: too many redirects")
)

// get returns the body of the answer to a GET request. It follows redirects within Open Library. It returns errNotFound
// for 404 and 410.
func (c *Client) get(ctx context.Context, s scope.Scope, path string, query url.Values) ([]byte, error) {
	u := &url.URL{Scheme: "https", Host: host, Path: path, RawQuery: query.Encode()}
	for range maxHops + 1 {
		body, location, err := c.send(ctx, s, u)
		if err != nil || location == "" {
			return body, err
		}
		if u, err = followRedirect(u, location); err != nil {
			return nil, err
		}
	}
	return nil, errRedirects
}

// recordPath matches the paths of records.
var recordPath = regexp.MustCompile(`^/(?:books|works|authors)/OL[1-9][0-9]{0,11}[MWA]\.json$`)

// followRedirect returns the target of a redirect: a record of Open Library.
func followRedirect(from *url.URL, location string) (*url.URL, error) {
	to, err := from.Parse(location)
	if err != nil || to.Scheme != "https" || to.Host != host || to.User != nil || to.RawQuery != "" ||
		!recordPath.MatchString(to.EscapedPath()) {
		return nil, fmt.Errorf("openlibrary: redirect from %s to an unexpected place", from.Path)
	}
	return to, nil
}

// send makes one request when it is its turn. It returns the body of the answer or the target of a redirect.
func (c *Client) send(ctx context.Context, s scope.Scope, u *url.URL) (body []byte, location string, err error) {
	if err := c.breaker.check(time.Now()); err != nil {
		return nil, "", err
	}
	release, err := c.slots.Acquire(ctx, s, 1)
	if err != nil {
		return nil, "", err
	}
	defer release()
	if err := c.rate.Wait(ctx); err != nil {
		return nil, "", fmt.Errorf("openlibrary: wait for a turn: %w", err)
	}
	if err := c.breaker.check(time.Now()); err != nil { // another request may have failed meanwhile
		return nil, "", err
	}
	within, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	req, err := http.NewRequestWithContext(within, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, "", fmt.Errorf("openlibrary: %w", err)
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", "application/json")
	res, err := c.http.Do(req)
	if err == nil {
		defer func() { _ = res.Body.Close() }() // only read from
		body, location, err = c.readAnswer(res)
	}
	// A server that sees the client leave may end its answer in an orderly way before the connection is closed.
	if err == nil && within.Err() != nil {
		err = within.Err()
	}
	switch {
	case err == nil || errors.Is(err, errNotFound):
		c.breaker.succeed()
	case ctx.Err() != nil: // says nothing about the service
		err = context.Cause(ctx)
	case errors.Is(err, errTooLarge): // concerns one record only
	default:
		c.breaker.fail(time.Now(), pauseOf(res))
	}
	if err != nil && !errors.Is(err, errNotFound) {
		err = fmt.Errorf("openlibrary: get %s: %w", u.Path, err)
	}
	return body, location, err
}

// readAnswer returns the body of a successful answer, or the target of a redirect.
func (c *Client) readAnswer(res *http.Response) (body []byte, location string, err error) {
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect:
		if location = res.Header.Get("Location"); location == "" {
			return nil, "", fmt.Errorf("status %d without a location", res.StatusCode)
		}
		return nil, location, nil
	case http.StatusNotFound, http.StatusGone:
		return nil, "", errNotFound
	default:
		return nil, "", fmt.Errorf("status %d", res.StatusCode)
	}
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, "", errNotJSON
	}
	if body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer+1)); err != nil {
		return nil, "", err
	}
	if len(body) > maxAnswer {
		return nil, "", errTooLarge
	}
	return body, "", nil
}
