package oidc

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	fetchTimeout = 5 * time.Second
	maxDocument  = 256 << 10 // bytes of a configuration or key set
)

// fetcher reads small documents over HTTP.
type fetcher struct{ client http.Client }

func newFetcher(c *http.Client) *fetcher {
	f := &fetcher{}
	if c != nil {
		f.client = *c
	}
	f.client.Jar = nil
	// Only the issuer's own URL can be trusted.
	f.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return f
}

func (f *fetcher) fetchDocument(ctx context.Context, uri string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return nil, unavailablef("%w", err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, unavailablef("%w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, unavailablef("get %q: status %d", uri, resp.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil {
		return nil, unavailablef("get %q: %w", uri, err)
	}
	if len(b) > maxDocument {
		return nil, unavailablef("get %q: longer than %d bytes", uri, maxDocument)
	}
	return b, nil
}

// discoverKeySet returns the URL of the issuer's key set from its configuration
// (OpenID Connect Discovery 1.0 section 4).
func discoverKeySet(ctx context.Context, f *fetcher, base *url.URL, issuer string) (string, error) {
	at := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	b, err := f.fetchDocument(ctx, at)
	if err != nil {
		return "", err
	}
	var doc struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return "", unavailablef("%q is not a configuration: %w", at, err)
	}
	if doc.Issuer != issuer {
		return "", invalidf("issuer %.200q in %q: must be %q", doc.Issuer, at, issuer)
	}
	keys, err := checkURL("jwks_uri", doc.JWKSURI)
	if err != nil {
		return "", err
	}
	if keys.Scheme == "http" && base.Scheme != "http" {
		return "", invalidf("jwks_uri %.200q: must be https", doc.JWKSURI)
	}
	return doc.JWKSURI, nil
}

// checkURL accepts an absolute https URL, or an http one on loopback.
func checkURL(what, raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Opaque != "" {
		return nil, invalidf("%s %.200q: must be an absolute URL", what, raw)
	}
	if u.User != nil || u.Fragment != "" || strings.Contains(raw, "#") {
		return nil, invalidf("%s: must not have a user or a fragment", what)
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && isLoopback(u.Hostname()):
	default:
		return nil, invalidf("%s %.200q: must be https or on loopback", what, raw)
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
