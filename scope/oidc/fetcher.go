package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// FetchTimeout bounds one fetch of the issuer's configuration or keys.
	FetchTimeout = 5 * time.Second

	// maxDocument is the longest configuration or key set, in bytes.
	maxDocument = 256 << 10
)

// fetcher reads small documents over HTTP.
type fetcher struct{ client http.Client }

func newFetcher(c *http.Client) *fetcher {
	f := &fetcher{}
	if c != nil {
		f.client = *c
	}
	f.client.Jar = nil
	// A document that lies elsewhere than where the issuer says is not the issuer's.
	f.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return f
}

func (f *fetcher) get(ctx context.Context, uri string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, FetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return nil, unavailable("%w", err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, unavailable("%w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, unavailable("get %q: status %d", uri, resp.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil {
		return nil, unavailable("get %q: %w", uri, err)
	}
	if len(b) > maxDocument {
		return nil, unavailable("get %q: longer than %d bytes", uri, maxDocument)
	}
	return b, nil
}

// discover returns the URL of the issuer's key set from its configuration
// (OpenID Connect Discovery 1.0 section 4).
func discover(ctx context.Context, f *fetcher, base *url.URL, issuer string) (string, error) {
	at := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	b, err := f.get(ctx, at)
	if err != nil {
		return "", err
	}
	var doc struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return "", unavailable("%q is no configuration: %w", at, err)
	}
	if doc.Issuer != issuer {
		return "", fmt.Errorf("%w: %q is the configuration of the issuer %.200q", ErrInvalid, at, doc.Issuer)
	}
	keys, err := checkURL("the issuer's jwks_uri", doc.JWKSURI)
	if err != nil {
		return "", err
	}
	if keys.Scheme == "http" && base.Scheme != "http" {
		return "", invalid("the issuer's jwks_uri %.200q is not https", doc.JWKSURI)
	}
	return doc.JWKSURI, nil
}

// checkURL lets through an absolute https URL, or an http one on loopback.
func checkURL(what, raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Opaque != "" {
		return nil, invalid("%s %.200q is not an absolute URL", what, raw)
	}
	if u.User != nil || u.Fragment != "" || strings.Contains(raw, "#") {
		return nil, invalid("the URL of %s has a user or a fragment", what)
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && loopback(u.Hostname()):
	default:
		return nil, invalid("%s %.200q is neither https nor on loopback", what, raw)
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
