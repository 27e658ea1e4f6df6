package object_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/object"
)

func TestListAfterStartsBehindARef(t *testing.T) {
	t.Parallel()
	b := must.Get(object.New(object.NewMemory(), "b", &object.Options{PageSize: 2}))
	root := rootOf(t, b, session(t, "acme", "u1"))
	names := []string{"a", "b", "c", "d", "e"}
	refs := map[string]object.Ref{}
	for _, n := range names {
		ref, _, err := root.Put(t.Context(), refTo(t, root, n), strings.NewReader("12345"+n), nil)
		require.NoError(t, err)
		refs[n] = ref
	}
	after := func(r object.Ref) (got []string) {
		for l, err := range root.ListAfter(t.Context(), r) {
			require.NoError(t, err)
			require.Equal(t, refs[l.Ref.Name()], l.Ref)
			require.EqualValues(t, 6, l.Info.Size)
			require.Equal(t, l.Ref.ETag(), l.Info.ETag)
			got = append(got, l.Ref.Name())
		}
		return got
	}
	require.Equal(t, names, after(object.Ref{}))
	for i, n := range names {
		require.Equal(t, names[i+1:], append([]string{}, after(refs[n])...))
	}
	require.Equal(t, names[2:], after(refTo(t, root, "bb")), "what was there need not be there")

	foreign := rootOf(t, b, session(t, "acme", "u2"))
	var found []error
	for _, err := range root.ListAfter(t.Context(), refTo(t, foreign, "a")) {
		found = append(found, err)
	}
	require.Len(t, found, 1)
	require.ErrorIs(t, found[0], object.ErrOutside)
}
