package issuer

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
)

// RoleOps is the only role. It may see the work of its whole tenant.
const RoleOps = "ops"

const (
	// DefaultAudience is the default audience of tokens.
	DefaultAudience = "bookshelf"

	// DefaultLife is the default lifetime of a token.
	DefaultLife = time.Hour
)

// Options configures an [Issuer]. Nil means the defaults.
type Options struct {
	Audience string        // audience of the tokens; default: DefaultAudience
	Life     time.Duration // lifetime of a token, in whole seconds; default: DefaultLife
}

// Issuer makes tokens for made-up users. It is safe for concurrent use.
type Issuer struct {
	url      *url.URL
	audience string
	life     time.Duration
	key      *rsa.PrivateKey
	public   publicKey
}

// Open returns the issuer whose key is in the directory dir, in a file that only its owner may read. If the file does
// not exist, Open makes a key, which takes some tenths of a second. issuerURL is the tokens' iss and the base of
// [Issuer.Handler]. It must be absolute, without a final slash.
func Open(dir, issuerURL string, o *Options) (*Issuer, error) {
	u, err := url.Parse(issuerURL)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(issuerURL, "/") {
		return nil, fmt.Errorf("issuer: open: invalid URL %q: must be absolute, without query, fragment and final slash", issuerURL)
	}
	i := &Issuer{url: u, audience: DefaultAudience, life: DefaultLife}
	if o != nil {
		if o.Audience != "" {
			i.audience = o.Audience
		}
		if o.Life != 0 {
			i.life = o.Life
		}
	}
	if i.life < time.Second {
		return nil, fmt.Errorf("issuer: open: invalid life %v: must be at least 1s", i.life)
	}
	if i.key, err = openKey(dir); err != nil {
		return nil, fmt.Errorf("issuer: open: %w", err)
	}
	i.public = public(&i.key.PublicKey)
	return i, nil
}

// Token returns a token for a user of a tenant and its expiry. Invalid ids return the error of [scope.Tenant] or
// [scope.Scope.User]. Unknown or repeated roles return a *[RoleError].
func (i *Issuer) Token(tenant, user string, roles []string) (string, time.Time, error) {
	t, err := scope.Tenant(tenant)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("issuer: token: %w", err)
	}
	if _, err := t.User(user); err != nil {
		return "", time.Time{}, fmt.Errorf("issuer: token: %w", err)
	}
	for n, role := range roles {
		if role != RoleOps {
			return "", time.Time{}, &RoleError{role, "does not exist"}
		}
		if slices.Contains(roles[:n], role) {
			return "", time.Time{}, &RoleError{role, "is repeated"}
		}
	}
	now := time.Now().Truncate(time.Second)
	expires := now.Add(i.life.Truncate(time.Second)).UTC()
	claims := jwt.MapClaims{
		"iss": i.url.String(), "aud": i.audience, "token_use": "id", "sub": user, "custom:tenant_id": tenant,
		"iat": now.Unix(), "exp": expires.Unix(),
	}
	if len(roles) > 0 {
		claims["cognito:groups"] = roles
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = i.public.Kid
	signed, err := token.SignedString(i.key)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("issuer: token: %w", err)
	}
	return signed, expires, nil
}

// Verifier returns the verifier of this issuer's tokens. Of o, it uses the options of a service: Anonymous and Audit. It
// reads the configuration and the keys from [Issuer.Handler] without a connection, so it can be made before the server
// listens.
func (i *Issuer) Verifier(ctx context.Context, o *oidc.Options) (*oidc.Verifier, error) {
	var with oidc.Options
	if o != nil {
		with = *o
	}
	with.TokenUse = []oidc.TokenUse{oidc.IDToken}
	with.TenantGroups = []string{RoleOps}
	with.Client = &http.Client{Transport: &inProcess{host: i.url.Host, handler: i.Handler()}}
	return oidc.New(ctx, i.url.String(), i.audience, &with)
}

// Handler serves the issuer's configuration (OpenID Connect Discovery 1.0 section 4) and its key set, below the path
// of its URL.
func (i *Issuer) Handler() http.Handler {
	keys := i.url.String() + "/.well-known/jwks.json"
	mux := http.NewServeMux()
	mux.Handle("GET "+i.url.Path+"/.well-known/openid-configuration", document(map[string]any{
		"issuer":                                i.url.String(),
		"jwks_uri":                              keys,
		"response_types_supported":              []string{"id_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{jwt.SigningMethodRS256.Alg()},
	}))
	mux.Handle("GET "+i.url.Path+"/.well-known/jwks.json", document(map[string]any{"keys": []publicKey{i.public}}))
	return mux
}

func document(v any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_ = json.NewEncoder(w).Encode(v)
	})
}
