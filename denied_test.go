package carrel_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
	"github.com/carrel-go/carrel/scope/oidc"
)

// An operation under a scope, and the levels that allow it. Its other arguments
// are invalid where they can be: the scope is checked first.
type operation struct {
	call   func(context.Context, scope.Scope) error
	levels []scope.Level
}

var (
	anyLevel   = []scope.Level{scope.TenantLevel, scope.SharedLevel, scope.UserLevel, scope.SessionLevel}
	onlyTenant = []scope.Level{scope.TenantLevel}
	onlyUser   = []scope.Level{scope.UserLevel}
	ofSessions = []scope.Level{scope.SessionLevel}
	lists      = []scope.Level{scope.TenantLevel, scope.UserLevel}
	hasFiles   = []scope.Level{scope.SharedLevel, scope.UserLevel, scope.SessionLevel}
)

// A zero scope, and a scope of a level that does not allow the operation, are
// scope.ErrDenied in every package; a scope of another level is scope.ErrLevel,
// too.
func TestScopesThatDeny(t *testing.T) {
	t.Parallel()
	scopes := scopesOfEachLevel(t)
	for _, group := range []map[string]operation{
		scopeOperations(), storeOperations(t), presignOperations(t), credentialOperations(t), trackingOperations(t), toolOperations(t),
	} {
		for name, op := range group {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				allowed := map[scope.Level]bool{}
				for _, l := range op.levels {
					allowed[l] = true
				}
				for level, s := range scopes {
					err := op.call(t.Context(), s)
					if allowed[level] {
						require.NotErrorIs(t, err, scope.ErrDenied, level)
						continue
					}
					require.ErrorIs(t, err, scope.ErrDenied, level)
					if level != scope.None {
						require.ErrorIs(t, err, scope.ErrLevel, level)
					}
				}
			})
		}
	}
}

func scopesOfEachLevel(t *testing.T) map[scope.Level]scope.Scope {
	t.Helper()
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	shared, err := tenant.Shared()
	require.NoError(t, err)
	user, err := tenant.User("u1")
	require.NoError(t, err)
	session, err := user.NewSession()
	require.NoError(t, err)
	return map[scope.Level]scope.Scope{
		scope.None: {}, scope.TenantLevel: tenant, scope.SharedLevel: shared, scope.UserLevel: user, scope.SessionLevel: session,
	}
}

// An address that was not made by a Bucket does not have a scope.
func TestTheZeroAddrIsDenied(t *testing.T) {
	t.Parallel()
	d, err := s3object.New(s3Client(), "carrel-raw", nil)
	require.NoError(t, err)
	_, _, err = d.Open(t.Context(), object.Addr{}, object.Range{})
	require.ErrorIs(t, err, scope.ErrDenied)
	_, err = d.Put(t.Context(), object.Addr{}, strings.NewReader("x"), object.PutOptions{})
	require.ErrorIs(t, err, scope.ErrDenied)
	_, err = d.Stat(t.Context(), object.Addr{})
	require.ErrorIs(t, err, scope.ErrDenied)
	require.ErrorIs(t, d.Delete(t.Context(), object.Addr{}), scope.ErrDenied)
}

// An identity without a user does not have a scope.
func TestTheZeroIdentityIsDenied(t *testing.T) {
	t.Parallel()
	_, err := oidc.FromContext(t.Context())
	require.ErrorIs(t, err, scope.ErrDenied)
	_, err = oidc.FromContext(oidc.NewContext(t.Context(), oidc.Identity{}))
	require.ErrorIs(t, err, scope.ErrDenied)
}
