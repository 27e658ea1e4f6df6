package main

import (
	"context"
	"net"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/devtoken"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/signin"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
)

// signIn configures authentication. With an issuer, every request needs one of its tokens. Without one, everybody on
// this machine may connect, as any user.
func (a *app) signIn(ctx context.Context, c config, dir string, addr net.Addr, audit scope.Auditor,
	o *server.Options) error {
	var verifier *oidc.Verifier
	var err error
	if c.issuer != "" {
		verifier, err = c.verifier(ctx, audit)
	} else {
		verifier, err = own(ctx, dir, addr, audit, o)
	}
	if err != nil {
		return err
	}
	a.onClose(func(context.Context) error { return verifier.Close() })
	o.SignIn = verifier.Middleware
	return nil
}

// own opens an issuer for made-up users and returns its verifier.
func own(ctx context.Context, dir string, addr net.Addr, audit scope.Auditor,
	o *server.Options) (*oidc.Verifier, error) {
	iss, err := devtoken.Open(dir, "http://"+addr.String()+"/issuer")
	if err != nil {
		return nil, err
	}
	anonymous, err := anonymous()
	if err != nil {
		return nil, err
	}
	o.Token, o.Issuer, o.SignInPaths = devtoken.Handler(iss), iss.Handler(), signin.Choice(anonymous)
	return oidc.New(ctx, iss.URL(), iss.ClientID(), &oidc.Options{
		TokenUse: []oidc.TokenUse{oidc.IDToken}, TenantGroups: []string{devtoken.RoleOps},
		Client: iss.Client(), Anonymous: &anonymous, Audit: audit,
	})
}

// verifier returns the verifier of the configured issuer.
func (c config) verifier(ctx context.Context, audit scope.Auditor) (*oidc.Verifier, error) {
	o := &oidc.Options{TenantClaim: c.tenantClaim, TenantGroups: []string{devtoken.RoleOps}, Audit: audit}
	if c.client != "" { // Cognito's access tokens have the client id in another claim
		o.TokenUse = []oidc.TokenUse{oidc.IDToken, oidc.AccessToken}
		return oidc.New(ctx, c.issuer, c.client, o)
	}
	return oidc.New(ctx, c.issuer, c.audience, o)
}

// anonymous is the identity of requests without a token.
func anonymous() (oidc.Identity, error) {
	tenant, err := scope.Tenant("demo")
	if err != nil {
		return oidc.Identity{}, err
	}
	user, err := tenant.User("anonymous")
	if err != nil {
		return oidc.Identity{}, err
	}
	shared, err := tenant.Shared()
	return oidc.Identity{User: user, Shared: shared}, err
}
