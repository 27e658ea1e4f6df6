package object_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// copier answers Copy as the test says.
type copier struct {
	object.Driver
	err error
	by  []scope.Scope
}

func (c *copier) Copy(_ context.Context, s scope.Scope, from, _ object.Addr, o object.PutOptions) (object.Info, error) {
	c.by = append(c.by, s)
	if from.ETag() == "" || o.Type == "" || o.Size == 0 {
		return object.Info{}, errors.New("the source is not pinned, or not described")
	}
	return object.Info{ETag: `"copied"`, Size: o.Size}, c.err
}

// untyped is a driver whose store does not know the types of its objects.
type untyped struct{ *copier }

func (d untyped) Stat(ctx context.Context, a object.Addr) (object.Info, error) {
	info, err := d.copier.Stat(ctx, a)
	info.Type = ""
	return info, err
}

func TestCopyOfAnObjectWithoutATypeHasTheDefaultType(t *testing.T) {
	t.Parallel()
	root := rootOf(t, must.Get(object.New(untyped{&copier{Driver: object.NewMemory()}}, "b", nil)), session(t, "acme", "u1"))
	_, _, err := root.Copy(t.Context(), put(t, root, "a.txt", "data"), refTo(t, root, "b.txt"), nil)
	require.NoError(t, err, "the copier receives a type")
}

func TestCopyUsesACopier(t *testing.T) {
	t.Parallel()
	d := &copier{Driver: object.NewMemory()}
	b := must.Get(object.New(d, "b", nil))
	s, u := rootOf(t, b, session(t, "acme", "u1")), rootOf(t, b, user(t))
	from := put(t, s, "a.txt", "data")

	to, _, err := s.Copy(t.Context(), from.Unpinned(), refTo(t, s, "b.txt"), nil)
	require.NoError(t, err)
	require.Equal(t, `"copied"`, to.ETag())
	_, _, err = u.Copy(t.Context(), from, refTo(t, s, "b.txt"), nil)
	require.NoError(t, err)
	_, _, err = u.Copy(t.Context(), from, refTo(t, u, "b.txt"), nil)
	require.NoError(t, err)
	require.Equal(t, []scope.Scope{s.Scope(), s.Scope(), u.Scope()}, d.by, "by the narrowest scope that has both")

	d.err = object.ErrConflict
	_, _, err = s.Copy(t.Context(), from, refTo(t, s, "c.txt"), nil)
	require.ErrorIs(t, err, object.ErrConflict)
	_, _, err = s.Stat(t.Context(), refTo(t, s, "c.txt"))
	require.ErrorIs(t, err, object.ErrNotFound, "an error is not an invitation to stream")

	d.err = errors.ErrUnsupported
	to, _, err = s.Copy(t.Context(), from, refTo(t, s, "c.txt"), nil)
	require.NoError(t, err)
	_, info, err := s.Stat(t.Context(), to)
	require.NoError(t, err)
	require.EqualValues(t, 4, info.Size)

	pinned := put(t, s, "d.txt", "x")
	_, _, err = s.Copy(t.Context(), from, pinned, nil)
	require.ErrorIs(t, err, object.ErrInvalid)
	_, _, err = s.Copy(t.Context(), object.Ref{}, refTo(t, s, "e.txt"), nil)
	require.ErrorIs(t, err, object.ErrNotFound)
}
