package objecttools

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/object"
)

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	b := must.Get(object.New(object.NewMemory(), "b", nil))
	_, err := Set(nil, nil)
	require.ErrorContains(t, err, "objecttools: bucket must not be nil")
	for _, o := range []Options{{MaxResult: -1}, {MaxResult: 4095}, {MaxResult: 1<<20 + 1}, {MaxScan: -1}, {MaxScan: 1<<20 - 1}} {
		_, err := Set(b, &o)
		require.Error(t, err, "%+v", o)
	}
	for _, o := range []*Options{nil, {}, {MaxResult: 4 << 10, MaxScan: 1 << 20}, {MaxResult: 1 << 20}} {
		set, err := Set(b, o)
		require.NoError(t, err)
		r, err := set.Resolve(t.Context(), sessionScope(t, "acme", "u1"), nil)
		require.NoError(t, err)
		var names []string
		for s := range r.Specs() {
			names = append(names, s.Name)
		}
		require.Equal(t, []string{"describe_file", "list_files", "read_chunk", "sample", "search"}, names)
	}
}

// A result fills the largest MaxResult and does not exceed it.
func TestLargestResultIsFilled(t *testing.T) {
	t.Parallel()
	c := newConversation(t, &Options{MaxResult: 1 << 20})
	f := c.storeFile("a.txt", string(slices.Repeat([]byte("0123456789abcde\n"), 200_000)))
	out := callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f))
	require.Greater(t, len(out.Text), 900_000)
	require.NotEmpty(t, out.Cursor)
}
