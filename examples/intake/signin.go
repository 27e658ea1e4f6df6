package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"github.com/carrel-go/carrel/examples/intake/internal/server"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/oidc/oidctest"
)

// signIn configures authentication. With an issuer, every request needs one of its tokens. Without one, everybody on
// this machine may connect, as any made-up user.
func (a *app) signIn(
	ctx context.Context, c config, dir string, audit scope.Auditor, o *server.Options,
) error {
	var verifier *oidc.Verifier
	var err error
	if c.issuer != "" {
		verifier, err = c.verifier(ctx, audit)
	} else {
		verifier, err = madeUp(ctx, dir, audit, o)
	}
	if err != nil {
		return err
	}
	a.onClose(func(context.Context) error { return verifier.Close() })
	o.SignIn = verifier.Middleware
	return nil
}

// verifier returns the verifier of the configured issuer.
func (c config) verifier(ctx context.Context, audit scope.Auditor) (*oidc.Verifier, error) {
	o := &oidc.Options{TenantClaim: c.tenantClaim, Audit: audit}
	if c.client != "" { // Cognito's access tokens have the client id in another claim
		o.TokenUse = []oidc.TokenUse{oidc.IDToken, oidc.AccessToken}
		return oidc.New(ctx, c.issuer, c.client, o)
	}
	return oidc.New(ctx, c.issuer, c.audience, o)
}

// madeUp returns the verifier of an issuer within the program. Its key is stored in dir, so that people stay signed in
// over a restart.
func madeUp(ctx context.Context, dir string, audit scope.Auditor, o *server.Options) (*oidc.Verifier, error) {
	key, err := issuerKey(dir)
	if err != nil {
		return nil, err
	}
	issuer, err := oidctest.New(&oidctest.Options{
		URL: "http://localhost/intake", ClientID: "intake", Key: key, // only this process reads its configuration
	})
	if err != nil {
		return nil, err
	}
	tenant, err := scope.Tenant("demo")
	if err != nil {
		return nil, err
	}
	user, err := tenant.User("anonymous")
	if err != nil {
		return nil, err
	}
	shared, err := tenant.Shared()
	if err != nil {
		return nil, err
	}
	o.Token = tokenHandler(issuer)
	return oidc.New(ctx, issuer.URL(), issuer.ClientID(), &oidc.Options{
		TokenUse: []oidc.TokenUse{oidc.IDToken}, Client: issuer.Client(), Audit: audit,
		Anonymous: &oidc.Identity{User: user, Shared: shared},
	})
}

// issuerKey returns the key in dir, which it makes on the first use. Without dir, with -aws, it returns nil.
func issuerKey(dir string) (*rsa.PrivateKey, error) {
	if dir == "" {
		return nil, nil
	}
	path := filepath.Join(dir, "issuer.key")
	der, err := loadPrivate(path, func() ([]byte, error) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		return x509.MarshalPKCS8PrivateKey(key)
	})
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s is not a private RSA key: remove it", path)
	}
	return key, nil
}

const tokenLife = time.Hour

// tokenHandler answers POST {"tenant", "user", "roles"?} with {"token", "expires_at"}.
func tokenHandler(issuer *oidctest.Issuer) http.Handler {
	return &httpapi.Endpoint{
		Methods: []string{http.MethodPost},
		Answer: func(w http.ResponseWriter, r *http.Request) error {
			token, expires, err := grantToken(issuer, w, r)
			if err != nil {
				return err
			}
			return httpapi.WriteJSON(w, map[string]string{"token": token, "expires_at": expires.Format(time.RFC3339)})
		},
	}
}

func grantToken(issuer *oidctest.Issuer, w http.ResponseWriter, r *http.Request) (string, time.Time, error) {
	var tenant, user string
	var roles []string
	fields := map[string]any{"tenant": &tenant, "user": &user, "roles": &roles}
	if err := httpapi.ReadFields(w, r, 4<<10, fields); err != nil {
		return "", time.Time{}, err
	}
	reject := func(detail string) (string, time.Time, error) {
		return "", time.Time{}, httpapi.NewProblem(http.StatusBadRequest, detail)
	}
	if slices.ContainsFunc(roles, func(role string) bool { return role != server.RoleSteward }) {
		return reject("The only role is " + server.RoleSteward + ".")
	}
	of, err := scope.Tenant(tenant)
	if err == nil {
		_, err = of.User(user)
	}
	if err != nil {
		return reject("The tenant and the user must have letters, digits, - and _ only.")
	}
	expires := time.Now().Truncate(time.Second).Add(tokenLife).UTC()
	token, err := issuer.Token(map[string]any{
		"token_use": "id", "sub": user, "custom:tenant_id": tenant, "exp": expires.Unix(), "cognito:groups": roles,
	})
	return token, expires, err
}
