package agent

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// shelf is a bucket with one session of each of two tenants, and a file in each session.
type shelf struct {
	bucket       *object.Bucket
	acme, globex scope.Scope
	ours, theirs object.Ref // pinned
}

func newShelf(t testing.TB, audit scope.Auditor) *shelf {
	t.Helper()
	s := &shelf{bucket: must.Get(object.New(object.NewMemory(), "carrel-raw", &object.Options{Audit: audit}))}
	s.acme, s.ours = s.put(t, "acme", "cover.png", "OUR BYTES")
	s.globex, s.theirs = s.put(t, "globex", "secret.png", "THEIR SECRET")
	return s
}

func (s *shelf) put(t testing.TB, tenantID, name, body string) (scope.Scope, object.Ref) {
	t.Helper()
	user, err := tenant(t, tenantID).User("u1")
	require.NoError(t, err)
	session, err := user.Session("01890a5d-ac96-774b-bcce-b302099a8057")
	require.NoError(t, err)
	root, err := s.bucket.In(session)
	require.NoError(t, err)
	ref, err := root.Ref(name)
	require.NoError(t, err)
	ref, _, err = root.Put(t.Context(), ref, strings.NewReader(body), nil)
	require.NoError(t, err)
	return session, ref
}
