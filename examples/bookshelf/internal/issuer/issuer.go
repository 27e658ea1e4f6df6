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

// RoleOps is the one role that there is: it may see the work of its whole tenant.
const RoleOps = "ops"

const (
	// DefaultAudience is the client that tokens are for.
	DefaultAudience = "bookshelf"

	// DefaultLife is how long a token is good for.
	DefaultLife = time.Hour
)

// Options configure an [Issuer]. Nil is valid.
type Options struct {
	Audience string        // the client that tokens are for; default: DefaultAudience
	Life     time.Duration // how long a token is good for, in whole seconds; default: DefaultLife
}

// Issuer makes tokens for made-up users. It is safe for concurrent use.
type Issuer struct {
	url      *url.URL
	audience string
	life     time.Duration
	key      *rsa.PrivateKey
	public   publicKey
}

// Open returns the issuer whose key lies in the directory dir, in a file that only its owner may read; where there is
// none it makes one, which takes some tenths of a second. issuerURL is what tokens have as iss and where [Issuer.Handler]
// is served: absolute, without a slash at its end.
func Open(dir, issuerURL string, o *Options) (*Issuer, error) {
	u, err := url.Parse(issuerURL)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(issuerURL, "/") {
		return nil, fmt.Errorf("issuer: open: %q is not an absolute URL without query, fragment and final slash", issuerURL)
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
		return nil, fmt.Errorf("issuer: open: a life of %v; at least a second is needed", i.life)
	}
	if i.key, err = openKey(dir); err != nil {
		return nil, fmt.Errorf("issuer: open: %w", err)
	}
	i.public = public(&i.key.PublicKey)
	return i, nil
}

// Token returns a token for a user of a tenant, and the moment at which it expires. The ids must be ones that
// [scope.Tenant] and [scope.Scope.User] take, whose error is returned; roles must be known and each there once, or the
// error is a *[RoleError].
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
			return "", time.Time{}, &RoleError{role, "is there twice"}
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

// Verifier returns the verifier of this issuer's tokens, for whose Options o may say what concerns a service: Anonymous,
// Audit. It reads the configuration and the keys from [Issuer.Handler] without a connection, so it can be made before
// the server listens.
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
