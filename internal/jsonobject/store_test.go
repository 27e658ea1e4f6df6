package jsonobject_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/jsonobject"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

func newStore() (*jsonobject.Store, *object.Bucket) {
	bucket := must.Get(object.New(object.NewMemory(), "raw", nil))
	return &jsonobject.Store{Bucket: bucket, Kind: "turn", MaxSize: 100}, bucket
}

func newSession(tenant string) scope.Scope {
	return must.Get(must.Get(must.Get(scope.Tenant(tenant)).User("u1")).NewSession())
}

func TestTheSameJSONIsStoredOnce(t *testing.T) {
	t.Parallel()
	s, bucket := newStore()
	session := newSession("acme")
	first := must.Get(s.Put(t.Context(), session, []byte(`{"a":1}`)))
	assert.Equal(t, first, must.Get(s.Put(t.Context(), session, []byte(`{"a":1}`))))
	assert.JSONEq(t, `{"a":1}`, string(must.Get(s.Get(t.Context(), session, first))))
	n := 0
	for ref, err := range must.Get(bucket.In(session)).List(t.Context()) {
		require.NoError(t, err)
		assert.Equal(t, "turn-"+jsonobject.Digest([]byte(`{"a":1}`))+".json", ref.Name())
		n++
	}
	assert.Equal(t, 1, n)
	require.NoError(t, s.Delete(t.Context(), session, first))
	_, err := s.Get(t.Context(), session, first)
	require.ErrorIs(t, err, jsonobject.ErrLost)
	require.NoError(t, s.Delete(t.Context(), session, first), "again")
}

func TestOtherContentIsLost(t *testing.T) {
	t.Parallel()
	s, bucket := newStore()
	session := newSession("acme")
	for name, c := range map[string]struct{ stored, planted string }{
		"replaced":         {`{"a":1}`, `{"a":2}`},
		"replaced, larger": {`{"a":1}`, `{"a":"` + strings.Repeat("x", 100) + `"}`},
	} {
		stored := must.Get(s.Put(t.Context(), session, []byte(c.stored)))
		root := must.Get(bucket.In(session))
		ref := must.Get(root.ParseRef([]byte(stored)))
		require.NoError(t, root.Delete(t.Context(), ref))
		_, _, err := root.Put(t.Context(), ref, strings.NewReader(c.planted), &object.PutOptions{Size: int64(len(c.planted))})
		require.NoError(t, err)
		_, err = s.Get(t.Context(), session, stored)
		require.ErrorIs(t, err, jsonobject.ErrLost, name)
		require.NoError(t, root.Delete(t.Context(), ref))
	}
}

// A reference that somebody else has planted reads and deletes nothing outside the scope.
func TestForeignReferences(t *testing.T) {
	t.Parallel()
	s, _ := newStore()
	mine, theirs := newSession("acme"), newSession("globex")
	stored := must.Get(s.Put(t.Context(), theirs, []byte(`{"a":1}`)))
	for _, ref := range []string{stored, "", "{}", "null", "x"} {
		_, err := s.Get(t.Context(), mine, ref)
		require.ErrorIs(t, err, jsonobject.ErrLost, ref)
		require.NoError(t, s.Delete(t.Context(), mine, ref), ref)
	}
	assert.JSONEq(t, `{"a":1}`, string(must.Get(s.Get(t.Context(), theirs, stored))))
	_, err := (&jsonobject.Store{}).Get(t.Context(), mine, stored)
	require.ErrorIs(t, err, jsonobject.ErrNoBucket)
}
