package oidc

import (
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/carrel-go/carrel/scope"
)

const (
	maxToken      = 8 << 10 // bytes
	defaultLeeway = time.Minute
	maxLeeway     = 5 * time.Minute
)

// TokenUse is a value of Cognito's claim token_use.
type TokenUse string

const (
	IDToken     TokenUse = "id"     // its audience is in aud
	AccessToken TokenUse = "access" // its audience is in client_id, and in aud if it has one
)

// Options configures a [Verifier]. Nil is valid.
type Options struct {
	// Audiences are accepted in addition to the one passed to New. Default: none.
	Audiences []string

	// TokenUse are the accepted kinds of Cognito tokens. If set, a token must have
	// token_use, and its audience is read from the claim of that kind. If empty,
	// token_use is ignored and aud is required. Default for NewCognito: IDToken and
	// AccessToken.
	TokenUse []TokenUse

	// TenantClaim is the claim with the tenant's id. It decides which data a request
	// may access, so users must not be able to write it.
	// Default: "custom:tenant_id".
	TenantClaim string

	// UserClaim is the claim with the user's id, which must never be reused for
	// another user. Default: "sub".
	UserClaim string

	// EncodeIDs encodes both ids with scope.EncodeID, for issuers whose ids are
	// outside the grammar of scopes ("auth0|42"). Do not change it later, since a
	// user would get another scope. If false, ids are used unchanged, and an id
	// outside the grammar is rejected.
	EncodeIDs bool

	// GroupsClaim is the claim with the user's groups: an array of strings, or one
	// string for one group. The claim may be missing or null. Default:
	// "cognito:groups".
	GroupsClaim string

	// TenantGroups are the groups whose members may act on their whole tenant, by
	// Identity.Tenant. Default: none.
	TenantGroups []string

	// Leeway is how far in the future a token's nbf and iat may be, at most 5
	// minutes. It does not apply to exp. Default: 1 minute.
	Leeway time.Duration

	// KeySet is the URL of the issuer's key set, https or on loopback. If empty, New
	// reads it from the issuer's configuration.
	KeySet string

	// Client fetches the configuration and the keys. It is copied, and cookies and
	// redirects are disabled. If nil, http.DefaultTransport is used.
	Client *http.Client

	// Anonymous is the identity of a request without an Authorization header, for
	// Middleware. If nil, such a request is rejected. A request with an invalid token
	// is always rejected.
	Anonymous *Identity

	// Audit receives every request that Middleware rejects, with the error of Verify
	// or ErrNoToken, and the zero Scope. If nil, Logger receives them.
	Audit scope.Auditor

	// Logger receives a record at level Warn for each request that Middleware rejects,
	// except for a missing token. It names the claim, but not its value. If nil,
	// slog.Default is used; use slog.DiscardHandler for no log. Audit replaces it.
	Logger *slog.Logger
}

// withDefaults returns a checked copy of o with its defaults.
func (o *Options) withDefaults() (Options, error) {
	var s Options
	if o != nil {
		s = *o
	}
	for _, d := range []struct {
		field *string
		value string
	}{
		{&s.TenantClaim, "custom:tenant_id"},
		{&s.UserClaim, "sub"},
		{&s.GroupsClaim, "cognito:groups"},
	} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if s.TenantClaim == s.UserClaim {
		return s, invalidf("claim %q: must not be both tenant and user", s.UserClaim)
	}
	if s.Leeway == 0 {
		s.Leeway = defaultLeeway
	}
	if s.Leeway < 0 || s.Leeway > maxLeeway {
		return s, invalidf("leeway %v: must be 0 to %v", s.Leeway, maxLeeway)
	}
	if slices.Contains(s.Audiences, "") {
		return s, invalidf("audience: must not be empty")
	}
	if slices.Contains(s.TenantGroups, "") {
		return s, invalidf("group: must not be empty")
	}
	for _, use := range s.TokenUse {
		if use != IDToken && use != AccessToken {
			return s, invalidf("token use %q: must be id or access", use)
		}
	}
	if s.Logger == nil {
		s.Logger = slog.Default() //nolint:forbidigo // documented in Options.Logger
	}
	if s.Anonymous != nil {
		if reason := s.Anonymous.checkScopes(); reason != "" {
			return s, invalidf("Options.Anonymous: %s", reason)
		}
		id := *s.Anonymous
		id.Groups = slices.Clone(id.Groups)
		s.Anonymous = &id
	}
	s.Audiences = slices.Clone(s.Audiences)
	s.TokenUse = slices.Clone(s.TokenUse)
	s.TenantGroups = slices.Clone(s.TenantGroups)
	return s, nil
}
