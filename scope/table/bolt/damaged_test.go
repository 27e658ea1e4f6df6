package bolt_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// A row that cannot be read does not hide the other rows of an index from the scopes
// above it.
func TestDamagedRowIsListedWithoutAttributes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, tenant := open(t, dir)
	user := must.Get(must.Get(table.New(d, nil)).In(must.Get(tenant.Scope().User("ann"))))
	item := func(sort string, level scope.Level) table.Item {
		return table.Item{
			Sort: sort, Index: []table.Entry{{Slot: table.I2, Level: level, Class: "active", Sort: sort}},
			Attr: map[string]table.Value{"n": int64(1)},
		}
	}
	for _, sort := range []string{"a", "b", "c"} {
		_, err := user.Put(t.Context(), item(sort, scope.TenantLevel), table.Absent())
		require.NoError(t, err)
	}
	_, err := user.Put(t.Context(), item("own", scope.UserLevel), table.Absent())
	require.NoError(t, err)
	require.NoError(t, d.Close())
	damageRows(t, dir, "t#acme#u#ann\x00b", "t#acme#u#ann\x00own")

	d, tenant = open(t, dir)
	user = must.Get(must.Get(table.New(d, nil)).In(user.Scope()))
	var found []table.Found
	q := table.Query{Slot: table.I2, Class: "active", Limit: 2}
	for more := true; more; more = q.Cursor != "" {
		page, err := tenant.Query(t.Context(), q)
		require.NoError(t, err)
		found = append(found, page.Items...)
		q.Cursor = page.Next
	}
	require.Len(t, found, 3)
	require.Equal(t, table.Item{
		Sort: "b", Index: item("b", scope.TenantLevel).Index, Attr: map[string]table.Value{},
	}, found[1].Item)
	require.Equal(t, item("c", scope.TenantLevel).Attr, found[2].Item.Attr)
	_, err = user.Get(t.Context(), "b")
	require.ErrorContains(t, err, "bolt: ")
	_, err = user.Query(t.Context(), table.Query{Slot: table.I2, Class: "active"})
	require.ErrorContains(t, err, "bolt: ", "a damaged row of the scope itself is an error")
}

func damageRows(t *testing.T, dir string, keys ...string) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, "carrel.db"), 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		for _, key := range keys {
			require.NotNil(t, tx.Bucket([]byte("row")).Get([]byte(key)))
			require.NoError(t, tx.Bucket([]byte("row")).Put([]byte(key), []byte("\x00\x00\x00\x00\x00\x00\x00\x00{")))
		}
		return nil
	}))
	require.NoError(t, db.Close())
}
