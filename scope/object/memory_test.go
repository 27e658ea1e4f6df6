package object_test

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/objecttest"
)

func TestMemoryPassesTheSuite(t *testing.T) {
	t.Parallel()
	objecttest.Test(t, object.NewMemory(), "b", nil)
}

func TestMemoryReturnsErrChangedForAVersion(t *testing.T) {
	t.Parallel()
	root := rootOf(t, must.Get(object.New(object.NewMemory(), "b", nil)), session(t, "acme", "u1"))
	f := put(t, root, "a.txt", "data")
	pinned, err := root.ParseRef([]byte(`{"bucket":"b","key":"` + f.Key() + `","version":"v"}`))
	require.NoError(t, err)
	_, _, err = root.Open(t.Context(), pinned, nil)
	require.ErrorIs(t, err, object.ErrChanged)
	require.ErrorIs(t, root.Delete(t.Context(), pinned), object.ErrChanged)
	_, _, err = root.Stat(t.Context(), f)
	require.NoError(t, err)
}

// A service that forgets to set a Root gets an error, not a panic.
func TestZeroRootDeniesEverything(t *testing.T) {
	t.Parallel()
	f := put(t, rootOf(t, must.Get(object.New(object.NewMemory(), "b", &object.Options{Audit: new(heard)})), session(t, "acme", "u1")), "a.txt", "data")
	var root object.Root
	ctx := t.Context()
	for name, ask := range map[string]func() error{
		"Ref":      func() error { _, err := root.Ref("a.txt"); return err },
		"ParseRef": func() error { _, err := root.ParseRef([]byte(`{"bucket":"b","key":"` + f.Key() + `"}`)); return err },
		"Open":     func() error { _, _, err := root.Open(ctx, f, nil); return err },
		"Stat":     func() error { _, _, err := root.Stat(ctx, f); return err },
		"Put":      func() error { _, _, err := root.Put(ctx, f.Unpinned(), nil, nil); return err },
		"Copy":     func() error { _, _, err := root.Copy(ctx, f, f.Unpinned(), nil); return err },
		"Delete":   func() error { return root.Delete(ctx, f) },
		"List": func() (err error) {
			for _, err = range root.List(ctx) {
			}
			return err
		},
		"FS":     func() error { _, err := root.FS(ctx).Open("a.txt"); return err },
		"FS dir": func() error { _, err := fs.ReadDir(root.FS(ctx), "."); return err },
	} {
		require.Error(t, ask(), name)
	}
	require.Nil(t, root.Bucket())
	require.Equal(t, scope.Scope{}, root.Scope())
}

func TestBucketNeedsADriver(t *testing.T) {
	t.Parallel()
	_, err := object.New(nil, "b", nil)
	require.ErrorIs(t, err, object.ErrInvalid)
}
