package oidc

import (
	"context"

	"github.com/carrel-go/carrel/scope"
)

// Identity is the holder of a verified token, as the scopes in which they may act.
// The scopes are of one tenant. The zero Identity denies everything.
type Identity struct {
	User   scope.Scope // the user's own data
	Shared scope.Scope // the data that all users of the tenant share

	// Tenant is the whole tenant if the token has one of Options.TenantGroups.
	// Otherwise it is the zero Scope, which denies everything.
	Tenant scope.Scope

	// Groups are the token's groups, unchanged, or nil.
	Groups []string
}

// checkScopes returns why the scopes of id are invalid, or "".
func (id Identity) checkScopes() string {
	tenant := id.User.TenantID()
	switch {
	case id.User.Level() != scope.UserLevel:
		return "User is not the scope of a user"
	case id.Shared != (scope.Scope{}) && (id.Shared.Level() != scope.SharedLevel || id.Shared.TenantID() != tenant):
		return "Shared is not the shared scope of the user's tenant"
	case id.Tenant != (scope.Scope{}) && (id.Tenant.Level() != scope.TenantLevel || id.Tenant.TenantID() != tenant):
		return "Tenant is not the user's tenant"
	}
	return ""
}

type contextKey struct{}

// NewContext returns a context that carries id, and its User as the Scope that
// [scope.FromContext] returns. If the scopes of id are not those of one user and one
// tenant, it carries the zero Identity instead.
func NewContext(ctx context.Context, id Identity) context.Context {
	if id.checkScopes() != "" {
		id = Identity{}
	}
	return scope.NewContext(context.WithValue(ctx, contextKey{}, id), id.User)
}

// FromContext returns the Identity in the context. It returns
// [scope.ErrDenied] for a context without an Identity or without its user.
func FromContext(ctx context.Context) (Identity, error) {
	id, _ := ctx.Value(contextKey{}).(Identity)
	if id.User.Level() != scope.UserLevel {
		return Identity{}, errNoIdentity
	}
	return id, nil
}
