package table_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

func TestAboveWidensToTheOwnUserAndTenantOnly(t *testing.T) {
	t.Parallel()
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	user, err := tenant.User("u1")
	require.NoError(t, err)
	session, err := user.NewSession()
	require.NoError(t, err)
	shared, err := tenant.Shared()
	require.NoError(t, err)
	tb, err := table.New(table.NewMemory(nil), nil)
	require.NoError(t, err)
	sys := tb.System()
	for _, c := range []struct {
		below scope.Scope
		level scope.Level
		want  scope.Scope
	}{
		{session, scope.UserLevel, user}, {session, scope.TenantLevel, tenant}, {user, scope.UserLevel, user},
		{user, scope.TenantLevel, tenant}, {tenant, scope.TenantLevel, tenant}, {shared, scope.TenantLevel, tenant},
		{session.ReadOnly(), scope.UserLevel, user.ReadOnly()},
	} {
		v, err := sys.Above(c.below, c.level)
		require.NoError(t, err, "%s of %s", c.level, c.below)
		assert.Equal(t, c.want, v.Scope())
	}
	for _, c := range []struct {
		below scope.Scope
		level scope.Level
	}{
		{scope.Scope{}, scope.TenantLevel}, {tenant, scope.UserLevel}, {shared, scope.UserLevel}, {session, scope.SessionLevel},
		{session, scope.SharedLevel}, {session, scope.None}, {session, scope.Level(9)},
	} {
		_, err := sys.Above(c.below, c.level)
		require.ErrorIs(t, err, scope.ErrDenied, "%s of %s", c.level, c.below)
	}
	_, err = (*table.System)(nil).Above(session, scope.UserLevel)
	require.ErrorIs(t, err, scope.ErrDenied)
}
