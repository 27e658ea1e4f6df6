package devtoken

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc/oidctest"
)

const (
	// RoleOps may see the work of its whole tenant.
	RoleOps = "ops"
	// RoleLibrarian may share books with its whole tenant.
	RoleLibrarian = "librarian"

	clientID = "bookshelf"
	life     = time.Hour // of a token
)

// Open returns the issuer whose key is in the directory dir, in a file that only its owner may read. If the file does
// not exist, Open makes a key, which takes some tenths of a second. The issuer's URL must be absolute, without a final
// slash.
func Open(dir, issuerURL string) (*oidctest.Issuer, error) {
	if issuerURL == "" { // oidctest would listen by itself
		return nil, errors.New("devtoken: open: the issuer's URL must not be empty")
	}
	key, err := openKey(dir)
	if err != nil {
		return nil, fmt.Errorf("devtoken: open: %w", err)
	}
	return oidctest.New(&oidctest.Options{URL: issuerURL, ClientID: clientID, Life: life, Key: key, Users: people()})
}

// people are those whom the issuer's page offers.
func people() []oidctest.User {
	var users []oidctest.User
	for _, p := range []struct{ tenant, name, role string }{
		{"acme", "ann", ""}, {"acme", "lee", RoleLibrarian}, {"acme", "oda", RoleOps}, {"globex", "bob", ""},
	} {
		claims := map[string]any{"sub": p.name, "custom:tenant_id": p.tenant}
		if p.role != "" {
			claims["cognito:groups"] = []string{p.role}
		}
		users = append(users, oidctest.User{Name: p.tenant + "/" + p.name, Claims: claims})
	}
	return users
}

// Issue returns a token for a user of a tenant and its expiry. Invalid ids return the error of [scope.Tenant] or
// [scope.Scope.User]. Unknown or repeated roles return a *[RoleError].
func Issue(i *oidctest.Issuer, tenant, user string, roles []string) (string, time.Time, error) {
	t, err := scope.Tenant(tenant)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("devtoken: %w", err)
	}
	if _, err := t.User(user); err != nil {
		return "", time.Time{}, fmt.Errorf("devtoken: %w", err)
	}
	for n, role := range roles {
		if role != RoleOps && role != RoleLibrarian {
			return "", time.Time{}, &RoleError{role, "does not exist"}
		}
		if slices.Contains(roles[:n], role) {
			return "", time.Time{}, &RoleError{role, "is repeated"}
		}
	}
	expires := time.Now().Truncate(time.Second).Add(life).UTC()
	claims := map[string]any{"token_use": "id", "sub": user, "custom:tenant_id": tenant, "exp": expires.Unix()}
	if len(roles) > 0 {
		claims["cognito:groups"] = roles
	}
	token, err := i.Token(claims)
	return token, expires, err
}
