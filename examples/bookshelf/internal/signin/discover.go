package signin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

const maxDocument = 256 << 10 // bytes

// endpoints are the parts of an issuer's configuration that a client needs (OpenID Connect Discovery 1.0 section 3).
type endpoints struct {
	Issuer    string   `json:"issuer"`
	Authorize string   `json:"authorization_endpoint"`
	Token     string   `json:"token_endpoint"`
	End       string   `json:"end_session_endpoint"`
	Revoke    string   `json:"revocation_endpoint"`
	Scopes    []string `json:"scopes_supported"`
}

// CheckIssuer returns an error if the issuer's configuration cannot be read.
func CheckIssuer(ctx context.Context, issuer string) error {
	client := newClient(nil)
	_, err := discover(ctx, &client, issuer)
	return err
}

// discover reads the issuer's configuration.
func discover(ctx context.Context, client *http.Client, issuer string) (endpoints, error) {
	ctx, cancel := context.WithTimeout(ctx, issuerTime)
	defer cancel()
	at := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return endpoints{}, err
	}
	res, err := client.Do(req)
	if err != nil {
		return endpoints{}, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return endpoints{}, fmt.Errorf("get %q: status %d", at, res.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxDocument+1))
	if err != nil {
		return endpoints{}, err
	}
	if len(b) > maxDocument {
		return endpoints{}, fmt.Errorf("get %q: longer than %d bytes", at, maxDocument)
	}
	var e endpoints
	if err := json.Unmarshal(b, &e); err != nil {
		return endpoints{}, fmt.Errorf("%q is not a configuration: %w", at, err)
	}
	return e, e.check(issuer)
}

// check rejects endpoints that are not https, or http on loopback. Missing ones are valid.
func (e endpoints) check(issuer string) error {
	if e.Issuer != issuer {
		return fmt.Errorf("invalid issuer %.200q in the configuration: must be %q", e.Issuer, issuer)
	}
	for _, raw := range []string{e.Authorize, e.Token, e.End, e.Revoke} {
		u, err := url.Parse(raw)
		if raw != "" && (err != nil || u.User != nil || u.Fragment != "" || u.Hostname() == "" ||
			u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname()))) {
			return fmt.Errorf("invalid endpoint %.200q in the configuration: must be https, or http on loopback", raw)
		}
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
