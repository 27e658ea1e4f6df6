package files_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/scope"
)

func TestSharedFilesAreReadOnly(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	r := f.profiled()
	_, err := f.view.Confirm(ctx, f.id, r.Version, files.Statement{})
	require.NoError(t, err)
	reader, err := f.store.Open(f.ann, f.shared.ReadOnly())
	require.NoError(t, err)
	require.False(t, reader.CanShare())
	_, err = reader.Share(ctx, f.id)
	require.ErrorIs(t, err, scope.ErrReadOnly)
	alone, err := f.store.Open(f.ann, scope.Scope{})
	require.NoError(t, err)
	_, err = alone.Share(ctx, f.id)
	require.ErrorIs(t, err, scope.ErrDenied)

	f.driver.more = files.MaxSharedSize
	_, err = f.view.Share(ctx, f.id)
	require.ErrorIs(t, err, files.ErrTooLarge)
	f.driver.more = 0
	shared, err := f.view.Share(ctx, f.id)
	require.NoError(t, err)
	own, err := f.view.Get(ctx, f.id)
	require.NoError(t, err)
	require.False(t, own.Shared)
	require.True(t, own.Copied)
	list, _, err := f.view.ListShared(ctx)
	require.NoError(t, err)
	require.Empty(t, list, "the file is in the list of the user's own")
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	ben, err := tenant.User("ben")
	require.NoError(t, err)
	bens, err := f.store.Open(ben, f.shared.ReadOnly())
	require.NoError(t, err)
	list, _, err = bens.ListShared(ctx)
	require.NoError(t, err)
	require.Len(t, list, 1)
	got, err := bens.Find(ctx, shared.Ref)
	require.NoError(t, err)
	require.Equal(t, "a.csv", got.Name)
	require.Equal(t, kinds.Inventory, got.Kind())
	_, err = bens.Record(ctx, f.id, "run", statement(kinds.Shipments))
	require.ErrorIs(t, err, files.ErrShared)
	_, err = bens.Confirm(ctx, f.id, got.Report.Version, files.Statement{})
	require.ErrorIs(t, err, files.ErrShared)
}

// A view of another person, or an object of another scope, leads to no file.
func TestFilesOfOthers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	own, err := f.view.Get(ctx, f.id)
	require.NoError(t, err)
	for _, who := range [][2]string{{"acme", "eve"}, {"globex", "ann"}} {
		tenant, err := scope.Tenant(who[0])
		require.NoError(t, err)
		user, err := tenant.User(who[1])
		require.NoError(t, err)
		shared, err := tenant.Shared()
		require.NoError(t, err)
		v, err := f.store.Open(user, shared)
		require.NoError(t, err)
		_, err = v.Get(ctx, f.id)
		require.ErrorIs(t, err, files.ErrNotFound)
		_, err = v.Find(ctx, own.Ref)
		require.ErrorIs(t, err, files.ErrNotFound)
		_, err = v.Record(ctx, f.id, "run", statement(kinds.Inventory))
		require.ErrorIs(t, err, files.ErrNotFound)
		_, err = v.Plan(ctx, f.id)
		require.ErrorIs(t, err, files.ErrNotFound)
		_, err = f.store.Open(user, f.shared)
		if who[0] == "globex" {
			require.ErrorIs(t, err, scope.ErrDenied)
		}
	}
	_, err = f.store.Open(f.session, f.shared)
	require.ErrorIs(t, err, scope.ErrDenied)
	_, err = f.store.Open(scope.Scope{}, f.shared)
	require.ErrorIs(t, err, scope.ErrDenied)
}
