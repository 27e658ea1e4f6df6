package object_test

import (
	"context"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

const sessionID = "0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f"

func session(t testing.TB, tenant, user string) scope.Scope {
	t.Helper()
	a, err := scope.Tenant(tenant)
	require.NoError(t, err)
	u, err := a.User(user)
	require.NoError(t, err)
	s, err := u.Session(sessionID)
	require.NoError(t, err)
	return s
}

func rootOf(t testing.TB, b *object.Bucket, s scope.Scope) *object.Root {
	t.Helper()
	r, err := b.In(s)
	require.NoError(t, err)
	return r
}

func refTo(t testing.TB, r *object.Root, name string) object.Ref {
	t.Helper()
	f, err := r.Ref(name)
	require.NoError(t, err)
	return f
}

func TestInDeniesTheZeroScope(t *testing.T) {
	t.Parallel()
	_, err := must.Get(object.New(object.NewMemory(), "b", nil)).In(scope.Scope{})
	require.ErrorIs(t, err, scope.ErrDenied)
}

func TestTenantsDoNotOwnObjects(t *testing.T) {
	t.Parallel()
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	_, err = rootOf(t, must.Get(object.New(object.NewMemory(), "b", nil)), tenant).Ref("a.txt")
	require.ErrorIs(t, err, scope.ErrLevel)
}

// A log can still tell the two apart.
func TestOutsideReadsLikeNotFound(t *testing.T) {
	t.Parallel()
	d := object.NewMemory()
	b := must.Get(object.New(d, "b", nil))
	mine, foreign := rootOf(t, b, session(t, "acme", "u1")), rootOf(t, b, session(t, "acme", "u2"))
	stored, _, err := foreign.Put(t.Context(), refTo(t, foreign, "a.txt"), strings.NewReader("x"), nil)
	require.NoError(t, err)

	other := rootOf(t, must.Get(object.New(d, "another", nil)), mine.Scope())
	for what, f := range map[string]object.Ref{
		"another user":   stored,
		"another bucket": refTo(t, other, "a.txt"),
	} {
		_, _, missing := mine.Open(t.Context(), refTo(t, mine, "a.txt"), nil)
		_, _, open := mine.Open(t.Context(), f, nil)
		require.ErrorIs(t, open, object.ErrNotFound, what)
		require.EqualError(t, open, missing.Error(), what)
		require.ErrorIs(t, open, object.ErrOutside, what)
		require.NotErrorIs(t, missing, object.ErrOutside, what)

		_, _, missing = mine.Stat(t.Context(), refTo(t, mine, "a.txt"))
		_, _, stat := mine.Stat(t.Context(), f)
		require.EqualError(t, stat, missing.Error(), what)
		_, _, put := mine.Put(t.Context(), f.Unpinned(), strings.NewReader("y"), &object.PutOptions{Overwrite: true})
		require.ErrorIs(t, put, object.ErrOutside, what)
		require.ErrorIs(t, mine.Delete(t.Context(), f), object.ErrOutside, what)
	}
	_, _, err = foreign.Open(t.Context(), stored, nil)
	require.NoError(t, err, "it is all still there")
}

// asked records the scope that the driver is asked for.
type asked struct {
	object.Driver
	scopes []scope.Scope
}

func (d *asked) Stat(ctx context.Context, a object.Addr) (object.Info, error) {
	d.scopes = append(d.scopes, a.Scope())
	return d.Driver.Stat(ctx, a)
}

func (d *asked) List(ctx context.Context, s scope.Scope, after string, limit int) ([]object.Entry, bool, error) {
	d.scopes = append(d.scopes, s)
	return d.Driver.List(ctx, s, after, limit)
}

// A driver chooses credentials by the scope, so a read-only Root must not pass it one that may write, for
// objects of narrower scopes either.
func TestReadOnlyRootsAskWithReadOnlyScopes(t *testing.T) {
	t.Parallel()
	d := &asked{Driver: object.NewMemory()}
	b := must.Get(object.New(d, "b", nil))
	own := session(t, "acme", "u1")
	writer := rootOf(t, b, own)
	ref, _, err := writer.Put(t.Context(), refTo(t, writer, "a.txt"), strings.NewReader("x"), nil)
	require.NoError(t, err)
	reader := rootOf(t, b, user(t).ReadOnly())
	_, _, err = reader.Stat(t.Context(), ref)
	require.NoError(t, err)
	_, err = fs.ReadDir(reader.FS(t.Context()), "uploads/"+sessionID)
	require.NoError(t, err)
	for _, err := range reader.List(t.Context()) {
		require.NoError(t, err)
	}
	require.Len(t, d.scopes, 3)
	for _, s := range d.scopes {
		require.ErrorIs(t, s.RequireWrite(), scope.ErrReadOnly)
	}
	require.Equal(t, own.ReadOnly(), d.scopes[0])
}

// The files of a user do not cost requests when the directory of its sessions is opened.
func TestOpeningUploadsSkipsTheFilesOfTheUser(t *testing.T) {
	t.Parallel()
	d := &asked{Driver: object.NewMemory()}
	b := must.Get(object.New(d, "b", &object.Options{PageSize: 1}))
	own, sess := rootOf(t, b, user(t)), rootOf(t, b, session(t, "acme", "u1"))
	for _, name := range []string{"a.txt", "b.txt", "c.txt"} {
		_, _, err := own.Put(t.Context(), refTo(t, own, name), strings.NewReader("x"), nil)
		require.NoError(t, err)
	}
	_, _, err := sess.Put(t.Context(), refTo(t, sess, "d.txt"), strings.NewReader("x"), nil)
	require.NoError(t, err)
	f, err := own.FS(t.Context()).Open("uploads")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Len(t, d.scopes, 1)
}

func TestZeroRefIsOutsideEveryRoot(t *testing.T) {
	t.Parallel()
	b := must.Get(object.New(object.NewMemory(), "", nil)) // a bucket whose name is that of the zero Ref
	r := rootOf(t, b, session(t, "acme", "u1"))
	_, _, err := r.Open(t.Context(), object.Ref{}, nil)
	require.ErrorIs(t, err, object.ErrOutside)
	_, err = object.Ref{}.MarshalJSON()
	require.ErrorIs(t, err, object.ErrInvalid)
}

func TestPutRejectsInvalidOptions(t *testing.T) {
	t.Parallel()
	r := rootOf(t, must.Get(object.New(object.NewMemory(), "b", nil)), session(t, "acme", "u1"))
	f := refTo(t, r, "a.txt")
	for what, o := range map[string]object.PutOptions{
		"two ways of writing": {IfMatch: `"x"`, Overwrite: true},
		"any ETag":            {IfMatch: "*"},
		"a header in an ETag": {IfMatch: "\"x\"\r\nX-Amz-Acl: public-read"},
		"a header in a type":  {Type: "text/plain\r\nX-Amz-Acl: public-read"},
		"a negative size":     {Size: -1},
	} {
		_, _, err := r.Put(t.Context(), f, strings.NewReader("x"), &o)
		require.ErrorIs(t, err, object.ErrInvalid, what)
	}
	pinned, info, err := r.Put(t.Context(), f, strings.NewReader("x"), nil)
	require.NoError(t, err)
	require.Equal(t, "application/octet-stream", info.Type)
	_, _, err = r.Put(t.Context(), pinned, strings.NewReader("y"), &object.PutOptions{Overwrite: true})
	require.ErrorIs(t, err, object.ErrInvalid, "a pinned Ref can't be written to")
}

// pages is a driver that lists the given pages.
type pages struct {
	object.Driver
	page [][]string
	more bool // says that the last page is not the last
}

func (p *pages) List(_ context.Context, _ scope.Scope, after string, _ int) ([]object.Entry, bool, error) {
	n := 0
	for after != "" && n < len(p.page) && p.page[n][len(p.page[n])-1] != after {
		n++
	}
	if after != "" {
		n++
	}
	if n >= len(p.page) {
		return nil, p.more, nil
	}
	var out []object.Entry
	for _, key := range p.page[n] {
		out = append(out, object.Entry{Key: key, Info: object.Info{ETag: `"e"`}})
	}
	return out, p.more || n < len(p.page)-1, nil
}

func TestListYieldsKeyErrorsForStrayKeys(t *testing.T) {
	t.Parallel()
	user := "tenant=acme/user=u1/"
	d := &pages{page: [][]string{
		{user, user + "a.txt"},
		{user + "b%2e.txt", user + "sub/dir.txt"},
		{user + "uploads/" + sessionID + "/c.txt", "tenant=globex/shared/secret.txt"},
	}}
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	var good, stray []string
	for f, err := range rootOf(t, must.Get(object.New(d, "b", nil)), tenant).List(t.Context()) {
		if err == nil {
			require.True(t, tenant.Contains(f.Scope()))
			good = append(good, f.Name())
			continue
		}
		var ke *object.KeyError
		require.ErrorAs(t, err, &ke)
		require.True(t, f.IsZero())
		stray = append(stray, ke.Key)
	}
	require.Equal(t, []string{"a.txt", "c.txt"}, good)
	require.Equal(t, []string{user, user + "b%2e.txt", user + "sub/dir.txt", "tenant=globex/shared/secret.txt"}, stray)
}

// A driver that would keep a list going for ever ends it.
func TestListEndsWithABrokenDriver(t *testing.T) {
	t.Parallel()
	key := "tenant=acme/user=u1/a.txt"
	for what, d := range map[string]*pages{
		"an empty page": {page: [][]string{{key}}, more: true},
		"after":         {page: [][]string{{key, key}}, more: true},
	} {
		r := rootOf(t, must.Get(object.New(d, "b", nil)), session(t, "acme", "u1"))
		var last error
		n := 0
		for _, last = range r.List(t.Context()) {
			n++
			require.Less(t, n, 5, what)
		}
		require.ErrorContains(t, last, "the driver returned")
		require.ErrorContains(t, last, what)
	}
}

func TestListStopsWithTheLoop(t *testing.T) {
	t.Parallel()
	b := must.Get(object.New(object.NewMemory(), "b", &object.Options{PageSize: 1}))
	r := rootOf(t, b, session(t, "acme", "u1"))
	for _, name := range []string{"a.txt", "b.txt", "c.txt"} {
		_, _, err := r.Put(t.Context(), refTo(t, r, name), strings.NewReader(name), nil)
		require.NoError(t, err)
	}
	for f, err := range r.List(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, "a.txt", f.Name())
		break
	}
}
