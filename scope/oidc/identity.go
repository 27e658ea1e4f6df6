package oidc

import (
	"context"

	"github.com/carrel-go/carrel/scope"
)

// Identity is who a verified token speaks for, as the scopes in which they may
// act. The scopes are of one tenant. The zero Identity may do nothing.
type Identity struct {
	User   scope.Scope // the user's own data
	Shared scope.Scope // what all users of the tenant share

	// Tenant is the whole tenant where the token has one of
	// Options.TenantGroups, and otherwise the zero Scope, which denies everything.
	Tenant scope.Scope

	// Groups are those that the token names, unchanged; nil if it names none.
	Groups []string
}

// check returns why id could not be anybody's, or "".
func (id Identity) check() string {
	tenant := id.User.TenantID()
	switch {
	case id.User.Level() != scope.UserLevel:
		return "User is not the scope of a user"
	case id.Shared != (scope.Scope{}) && (id.Shared.Level() != scope.SharedLevel || id.Shared.TenantID() != tenant):
		return "Shared is not what the user's tenant shares"
	case id.Tenant != (scope.Scope{}) && (id.Tenant.Level() != scope.TenantLevel || id.Tenant.TenantID() != tenant):
		return "Tenant is not the user's tenant"
	}
	return ""
}

type contextKey struct{}

// NewContext returns a context that carries id, and its User as the Scope that
// [scope.FromContext] returns.
func NewContext(ctx context.Context, id Identity) context.Context {
	return scope.NewContext(context.WithValue(ctx, contextKey{}, id), id.User)
}

// FromContext returns the Identity that the context carries. It fails closed:
// where there is none, or one without a user, the error is [ErrNoIdentity].
func FromContext(ctx context.Context) (Identity, error) {
	id, _ := ctx.Value(contextKey{}).(Identity)
	if id.User.Level() != scope.UserLevel {
		return Identity{}, ErrNoIdentity
	}
	return id, nil
}
