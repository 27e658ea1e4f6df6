package object_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

func TestUnresolvedRefOpensNothing(t *testing.T) {
	t.Parallel()
	r := rootOf(t, must.Get(object.New(object.NewMemory(), "b", nil)), session(t, "acme", "u1"))
	pinned, _, err := r.Put(t.Context(), refTo(t, r, "a.txt"), strings.NewReader("x"), nil)
	require.NoError(t, err)
	raw, err := json.Marshal(pinned)
	require.NoError(t, err)

	var f object.Ref
	require.NoError(t, json.Unmarshal(raw, &f))
	require.False(t, f.IsZero())
	require.NotEqual(t, pinned, f)
	require.Equal(t, scope.Scope{}, f.Scope())
	require.Empty(t, f.Bucket()+f.Key()+f.Name()+f.ETag()+f.Version())
	_, _, err = r.Open(t.Context(), f, nil)
	require.ErrorIs(t, err, object.ErrOutside)
	_, _, err = r.Stat(t.Context(), f.Unpinned())
	require.ErrorIs(t, err, object.ErrOutside)
	require.ErrorIs(t, r.Delete(t.Context(), f), object.ErrOutside)

	again, err := json.Marshal(f)
	require.NoError(t, err)
	require.Equal(t, string(raw), string(again))
}

func TestResolveReturnsTheRootThatContainsTheRef(t *testing.T) {
	t.Parallel()
	bucket := must.Get(object.New(object.NewMemory(), "b", nil))
	own, other := rootOf(t, bucket, session(t, "acme", "u1")), rootOf(t, bucket, session(t, "globex", "u1"))
	want := refTo(t, own, "a.txt")
	raw, err := json.Marshal(want)
	require.NoError(t, err)
	var f object.Ref
	require.NoError(t, json.Unmarshal(raw, &f))
	for _, f := range []object.Ref{f, want} {
		root, got, err := object.Resolve(f, other, own)
		require.NoError(t, err)
		require.Same(t, own, root)
		require.Equal(t, want, got)
		_, got, err = object.Resolve(f, other)
		require.ErrorIs(t, err, object.ErrOutside)
		require.True(t, got.IsZero())
		_, _, err = object.Resolve(f)
		require.ErrorIs(t, err, object.ErrInvalid)
	}
	_, _, err = object.Resolve(object.Ref{}, own)
	require.ErrorIs(t, err, object.ErrOutside)
}

func TestUnmarshalRefRejectsWhatParseRefRejects(t *testing.T) {
	t.Parallel()
	good := `"bucket":"b","key":"` + base + `a.txt"`
	for _, raw := range []string{
		`null`, `"` + base + `"`, `{"bucket":"b"}`, `{` + good + `,"url":"x"}`, `{` + good + `,"key":"x"}`,
		`{"bucket":"b","key":"../a"}`, `{` + good + `,"version":"1","etag":"2"}`,
	} {
		var f object.Ref
		require.ErrorIs(t, json.Unmarshal([]byte(raw), &f), object.ErrInvalid, raw)
		require.True(t, f.IsZero())
	}
}

func TestNilRootIsInvalid(t *testing.T) {
	t.Parallel()
	r := rootOf(t, must.Get(object.New(object.NewMemory(), "b", nil)), session(t, "acme", "u1"))
	raw, err := json.Marshal(refTo(t, r, "a.txt"))
	require.NoError(t, err)
	_, _, err = object.ParseRef(raw, r, nil)
	require.ErrorIs(t, err, object.ErrInvalid)
	_, _, err = object.Resolve(refTo(t, r, "a.txt"), nil, r)
	require.ErrorIs(t, err, object.ErrInvalid)
}
