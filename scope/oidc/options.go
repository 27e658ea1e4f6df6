package oidc

import (
	"net/http"
	"slices"
	"time"

	"github.com/carrel-go/carrel/scope"
)

const (
	// MaxToken is the longest token that is looked at, in bytes.
	MaxToken = 8 << 10

	// DefaultLeeway is how far the issuer's clock may be ahead of ours.
	DefaultLeeway = time.Minute

	// MaxLeeway is the most that Options.Leeway may say.
	MaxLeeway = 5 * time.Minute
)

// TokenUse is the value of the claim token_use, by which Cognito tells its
// tokens apart.
type TokenUse string

const (
	IDToken     TokenUse = "id"     // its audience is in aud
	AccessToken TokenUse = "access" // its audience is in client_id, and in aud too where it has one
)

// Options configure a [Verifier]. Nil is valid.
type Options struct {
	// Audiences are accepted besides the one given to New. Default: none.
	Audiences []string

	// TokenUse are the kinds of Cognito tokens that are accepted. A token must
	// then name its use, and its audience is looked for where tokens of that use
	// have it. Default: token_use is not looked at and aud must be there; for
	// NewCognito IDToken and AccessToken.
	TokenUse []TokenUse

	// TenantClaim names the claim that holds the tenant's id. Its value decides
	// whose data is touched: no user may be able to write it.
	// Default: "custom:tenant_id".
	TenantClaim string

	// UserClaim names the claim that holds the user's id, one that is never
	// given to another user again. Default: "sub".
	UserClaim string

	// EncodeIDs sends both ids through scope.EncodeID, for issuers whose ids are
	// outside the grammar of scopes ("auth0|42"). It cannot be changed later:
	// the same user would have another scope. Default: ids are taken as they
	// stand, and one outside the grammar is refused.
	EncodeIDs bool

	// GroupsClaim names the claim that lists the user's groups: an array of
	// strings, or a string, which is one group whatever characters it has.
	// A missing claim and null mean no groups. Default: "cognito:groups".
	GroupsClaim string

	// TenantGroups are the groups whose members may act on their whole tenant:
	// their Identity.Tenant is set. Default: none.
	TenantGroups []string

	// Leeway is how far in the future a token's nbf and iat may lie, up to
	// MaxLeeway. There is none for exp. Default: DefaultLeeway.
	Leeway time.Duration

	// KeySet is the URL of the issuer's key set, https or on loopback. With it
	// no discovery takes place. Default: the jwks_uri of the issuer's
	// configuration, which is read once by New.
	KeySet string

	// Client fetches the configuration and the keys. It is copied, with cookies
	// and redirects switched off. Default: a client of its own, over
	// http.DefaultTransport.
	Client *http.Client

	// Anonymous is who a request without any Authorization header is for
	// Middleware. A request with a bad token is refused all the same.
	// Default: such a request is refused.
	Anonymous *Identity

	// Audit is told by Middleware of every request that it refuses, with the
	// error that Verify returned, or ErrNoToken; nobody is known yet, so the
	// Refusal's Scope is the zero one. Default: nobody is told.
	Audit scope.Auditor
}

// settle copies o with its defaults filled in, and checks it.
func (o *Options) settle() (Options, error) {
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
		return s, invalid("one claim for tenant and user: %q", s.UserClaim)
	}
	if s.Leeway == 0 {
		s.Leeway = DefaultLeeway
	}
	if s.Leeway < 0 || s.Leeway > MaxLeeway {
		return s, invalid("a leeway of %v; up to %v is possible", s.Leeway, MaxLeeway)
	}
	if slices.Contains(s.Audiences, "") {
		return s, invalid("an empty audience")
	}
	if slices.Contains(s.TenantGroups, "") {
		return s, invalid("an empty group")
	}
	for _, use := range s.TokenUse {
		if use != IDToken && use != AccessToken {
			return s, invalid("token use %q", use)
		}
	}
	if s.Anonymous != nil {
		if reason := s.Anonymous.check(); reason != "" {
			return s, invalid("Options.Anonymous: %s", reason)
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
