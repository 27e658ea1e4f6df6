package main

import (
	"cmp"
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
	switch {
	case c.issuer != "":
		verifier, err = c.verifier(ctx, audit)
	default:
		verifier, err = own(ctx, c, dir, addr, audit, o)
	}
	if verifier != nil {
		a.onClose(func(context.Context) error { return verifier.Close() })
	}
	if err != nil {
		return err
	}
	o.SignIn = verifier.Middleware
	if c.issuer != "" {
		o.SignInPaths, err = signin.New(ctx, signin.Options{
			Issuer: c.issuer, ClientID: cmp.Or(c.client, c.audience), Verifier: verifier, Cognito: c.client != "",
			Offline: c.issuerKeys != "", Log: c.log,
		})
	}
	return err
}

// own opens an issuer for made-up users and returns its verifier. With -sign-in, people sign in on its pages. Otherwise
// requests without a token are anonymous, and anybody gets any token unless other machines may connect (-lan).
func own(ctx context.Context, c config, dir string, addr net.Addr, audit scope.Auditor,
	o *server.Options) (*oidc.Verifier, error) {
	at := addr.String()
	if c.lan { // nobody needs a token, and the issuer is for this machine only
		at = "127.0.0.1"
	}
	iss, err := devtoken.Open(dir, "http://"+at+"/issuer")
	if err != nil {
		return nil, err
	}
	anonymous, err := anonymous()
	if err != nil {
		return nil, err
	}
	verify := &oidc.Options{
		TokenUse: []oidc.TokenUse{oidc.IDToken}, TenantGroups: []string{devtoken.RoleOps},
		Client: iss.Client(), Audit: audit,
	}
	switch {
	case c.lan:
		verify.Anonymous = &anonymous
		o.SignInPaths = signin.Fixed(anonymous)
	case c.signIn:
		o.Issuer = iss.Handler()
	default:
		verify.Anonymous = &anonymous
		o.Issuer, o.Token, o.SignInPaths = iss.Handler(), devtoken.Handler(iss), signin.Choice(anonymous)
	}
	verifier, err := oidc.New(ctx, iss.URL(), iss.ClientID(), verify)
	if err != nil || !c.signIn {
		return verifier, err
	}
	o.SignInPaths, err = signin.New(ctx, signin.Options{
		Issuer: iss.URL(), ClientID: iss.ClientID(), Verifier: verifier, Client: iss.Client(), Log: c.log,
	})
	return verifier, err
}

// verifier returns the verifier of the configured issuer.
func (c config) verifier(ctx context.Context, audit scope.Auditor) (*oidc.Verifier, error) {
	o := &oidc.Options{
		TenantClaim: c.tenantClaim, TenantGroups: []string{devtoken.RoleOps}, KeySet: c.issuerKeys, Audit: audit,
	}
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
