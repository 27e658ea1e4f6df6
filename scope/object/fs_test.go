package object_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

func user(t testing.TB) scope.Scope {
	t.Helper()
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	u, err := tenant.User("u1")
	require.NoError(t, err)
	return u
}

func put(t testing.TB, r *object.Root, name, data string) object.Ref {
	t.Helper()
	f, _, err := r.Put(t.Context(), refTo(t, r, name), strings.NewReader(data), &object.PutOptions{Overwrite: true})
	require.NoError(t, err)
	return f
}

// lister counts lists.
type lister struct {
	object.Driver
	lists int
}

func (l *lister) List(ctx context.Context, s scope.Scope, after string, limit int) ([]object.Entry, bool, error) {
	l.lists++
	return l.Driver.List(ctx, s, after, limit)
}

func TestReadDirSkipsSubdirectories(t *testing.T) {
	t.Parallel()
	d := &lister{Driver: object.NewMemory()}
	b := must.Get(object.New(d, "b", &object.Options{PageSize: 10}))
	s := rootOf(t, b, session(t, "acme", "u1"))
	for i := range 1000 {
		put(t, s, fmt.Sprintf("%04d.txt", i), "x")
	}
	u := rootOf(t, b, user(t))
	put(t, u, "a.txt", "x")
	put(t, u, "uploads0", "sorts right behind the directory's keys")

	list, err := fs.ReadDir(u.FS(t.Context()), ".")
	require.NoError(t, err)
	require.Equal(t, "[- a.txt d uploads/ - uploads0]", fmt.Sprint(list))
	require.LessOrEqual(t, d.lists, 3)

	d.lists = 0
	f, err := u.FS(t.Context()).Open("uploads/" + sessionID)
	require.NoError(t, err)
	page, err := f.(fs.ReadDirFile).ReadDir(10)
	require.NoError(t, err)
	require.Len(t, page, 10)
	require.Equal(t, 1, d.lists, "a page of a directory is a page of the list")
}

func TestFSStrayKeys(t *testing.T) {
	t.Parallel()
	prefix := "tenant=acme/user=u1/"
	d := &pages{page: [][]string{
		{prefix, prefix + "a.txt", prefix + "b%2e.txt", prefix + "sub/dir.txt"},
		{prefix + "uploads/x.txt", "tenant=globex/shared/secret.txt"},
	}}
	fsys := rootOf(t, must.Get(object.New(d, "b", nil)), user(t)).FS(t.Context())
	list, err := fs.ReadDir(fsys, ".")
	require.NoError(t, err)
	require.Equal(t, "[- a.txt]", fmt.Sprint(list), "what is in no scope's layout is not there, nor a directory that holds nothing else")
}

// faulty answers with an error, or with a body that the store cuts short.
type faulty struct {
	object.Driver
	err error
	cut int64
}

func (f *faulty) Open(ctx context.Context, a object.Addr, r object.Range) (io.ReadCloser, object.Info, error) {
	body, info, err := f.Driver.Open(ctx, a, r)
	if err == nil && f.cut > 0 {
		return struct {
			io.Reader
			io.Closer
		}{io.LimitReader(body, f.cut), body}, info, nil
	}
	return body, info, errors.Join(err, f.err)
}

func (f *faulty) Stat(ctx context.Context, a object.Addr) (object.Info, error) {
	info, err := f.Driver.Stat(ctx, a)
	return info, errors.Join(err, f.err)
}

func (f *faulty) List(ctx context.Context, s scope.Scope, after string, limit int) ([]object.Entry, bool, error) {
	page, more, err := f.Driver.List(ctx, s, after, limit)
	return page, more, errors.Join(err, f.err)
}

func TestFSMapsErrors(t *testing.T) {
	t.Parallel()
	d := &faulty{Driver: object.NewMemory()}
	s := rootOf(t, must.Get(object.New(d, "b", nil)), session(t, "acme", "u1"))
	put(t, s, "a.txt", "0123456789")
	fsys := s.FS(t.Context())

	d.err = object.ErrDenied
	_, err := fsys.Open("a.txt")
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorIs(t, err, object.ErrDenied)
	_, err = fs.ReadDir(fsys, ".")
	require.ErrorIs(t, err, fs.ErrPermission)
	broken := errors.New("the store broke")
	d.err = broken
	_, err = fsys.Open("a.txt")
	require.ErrorIs(t, err, broken)
	require.NotErrorIs(t, err, fs.ErrNotExist)
	d.err = nil

	d.cut = 4
	f, err := fsys.Open("a.txt")
	require.NoError(t, err)
	got, err := io.ReadAll(f)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "never a shorter file")
	require.Equal(t, "0123", string(got))
	_, err = f.(io.ReaderAt).ReadAt(make([]byte, 6), 2)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	d.cut = 0

	_, err = f.(io.Seeker).Seek(0, io.SeekStart)
	require.NoError(t, err)
	put(t, s, "a.txt", "something else")
	_, err = f.Read(make([]byte, 1))
	require.ErrorIs(t, err, object.ErrChanged, "an open file is of one object")

	require.NoError(t, f.Close())
	_, err = f.Read(make([]byte, 1))
	require.ErrorIs(t, err, fs.ErrClosed)
	_, err = f.Stat()
	require.ErrorIs(t, err, fs.ErrClosed)
	require.ErrorIs(t, f.Close(), fs.ErrClosed)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.FS(ctx).Open("a.txt")
	require.ErrorIs(t, err, context.Canceled)
}

func TestFSWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	s := rootOf(t, must.Get(object.New(object.NewMemory(), "b", nil)), session(t, "acme", "u1"))
	put(t, s, "a.txt", "0123456789")
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	entry, err := w.Create("inside.txt")
	require.NoError(t, err)
	_, err = entry.Write([]byte("packed"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	put(t, s, "b.zip", archive.String())

	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/a.txt", nil)
	req.Header.Set("Range", "bytes=3-6")
	rec := httptest.NewRecorder()
	http.FileServerFS(s.FS(t.Context())).ServeHTTP(rec, req)
	require.Equal(t, http.StatusPartialContent, rec.Code)
	require.Equal(t, "3456", rec.Body.String())

	f, err := s.FS(t.Context()).Open("b.zip")
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, err)
	z, err := zip.NewReader(f.(io.ReaderAt), info.Size())
	require.NoError(t, err)
	got, err := fs.ReadFile(z, "inside.txt")
	require.NoError(t, err)
	require.Equal(t, "packed", string(got))
}

// large is a store of one object of zeros, which counts what is written.
type large struct {
	object.Driver
	size, stored int64
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func (l *large) Stat(context.Context, object.Addr) (object.Info, error) {
	return object.Info{Size: l.size, ETag: `"e"`}, nil
}

func (l *large) Open(_ context.Context, _ object.Addr, r object.Range) (io.ReadCloser, object.Info, error) {
	return io.NopCloser(io.LimitReader(zeros{}, l.size-r.Off)), object.Info{Size: l.size, ETag: `"e"`}, nil
}

func (l *large) Put(_ context.Context, _ object.Addr, body io.Reader, _ object.PutOptions) (object.Info, error) {
	n, err := io.Copy(io.Discard, body)
	l.stored += n
	return object.Info{Size: n, ETag: `"e"`}, err
}

// Not parallel: it measures the memory of the process.
// Paths, patterns and URLs do not leave the scope of a Root.FS.
func TestFSStaysInItsScope(t *testing.T) {
	t.Parallel()
	b := must.Get(object.New(object.NewMemory(), "b", nil))
	for _, s := range []scope.Scope{session(t, "globex", "u1"), session(t, "acme", "u10")} {
		r := rootOf(t, b, s)
		_, _, err := r.Put(t.Context(), refTo(t, r, "secret.txt"), strings.NewReader("secret"), nil)
		require.NoError(t, err)
	}
	user, err := scope.ParsePartition("t#acme#u#u1")
	require.NoError(t, err)
	fsys := rootOf(t, b, user).FS(t.Context())
	foreign := []string{
		"tenant=globex/user=u1/uploads/" + sessionID + "/secret.txt", "user=u10/uploads/" + sessionID + "/secret.txt",
		"uploads/" + sessionID + "/secret.txt", "0/uploads/" + sessionID + "/secret.txt",
	}
	for _, name := range foreign {
		for _, up := range []string{"", "../", "../../", "/../../", "%2e%2e/", `..\`, "./", "//"} {
			_, err := fsys.Open(up + name)
			require.Error(t, err, up+name)
			rec := httptest.NewRecorder()
			req := httptest.NewRequest(http.MethodGet, "/", nil)
			req.URL.Path = "/" + up + name
			http.FileServerFS(fsys).ServeHTTP(rec, req)
			require.NotContains(t, rec.Body.String(), "secret\n")
			require.NotEqual(t, http.StatusOK, rec.Code, req.URL.Path)
		}
	}
	for _, pattern := range []string{"*", "*/*", "*/*/*", "../*", "uploads/*/*"} {
		found, _ := fs.Glob(fsys, pattern)
		require.Empty(t, found, pattern)
	}
	if sub, err := fs.Sub(fsys, "uploads"); err == nil {
		_, err = sub.Open("../../user=u10/uploads/" + sessionID + "/secret.txt")
		require.Error(t, err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	d := &large{size: 1 << 30}
	s := rootOf(t, must.Get(object.New(d, "b", nil)), session(t, "acme", "u1"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := s.Copy(t.Context(), refTo(t, s, "a.bin"), refTo(t, s, "b.bin"), nil)
	require.NoError(t, err)
	f, err := s.FS(t.Context()).Open("a.bin")
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, f)
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	require.Equal(t, d.size, n)
	require.Equal(t, d.size, d.stored)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20), "two gigabytes went through")
}
