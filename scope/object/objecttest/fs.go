package objecttest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"testing/fstest"
	"testing/iotest"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// checkFileSystem runs testing/fstest on the Root.FS of every level.
func checkFileSystem(b *bench) {
	other, shared, neighbour := b.newSession(), b.sharedOf(), b.userOf("u10") // u1 is a prefix of its id
	big := []byte("iotest.TestReader reads at every offset, so each byte costs a request")
	for s, files := range map[scope.Scope]map[string][]byte{
		b.session: {"a.txt": []byte("a"), "b two words.txt": big, "c.bin": nil, "d.txt": []byte("d"), "ü.txt": []byte("u")},
		other:     {"a.txt": []byte("other")},
		b.user:    {"profile.json": []byte("{}"), "uploads-are-here.txt": []byte("no"), "zz.txt": []byte("z")},
		shared:    {"terms.txt": []byte("terms"), "日本語.txt": []byte("ja")},
		neighbour: {"secret.txt": []byte("not u1's")},
	} {
		for name, data := range files {
			b.in(s).put(name, data, nil)
		}
	}
	session, sibling := "uploads/"+b.session.SessionID(), "uploads/"+other.SessionID()
	for s, want := range map[scope.Scope][]string{
		b.session: {"a.txt", "b two words.txt", "c.bin", "d.txt", "ü.txt"},
		b.user:    {"profile.json", "uploads-are-here.txt", "zz.txt", session + "/b two words.txt", sibling + "/a.txt"},
		b.tenant: {"shared/terms.txt", "shared/日本語.txt", "user=u1/" + session + "/c.bin", "user=u1/profile.json",
			"user=u10/secret.txt"},
		shared: {"terms.txt", "日本語.txt"},
	} {
		b.requireNoError(fstest.TestFS(b.rootOf(s).FS(b.ctx), want...), fmt.Sprintf("in %v", s))
	}
	fsys := b.rootOf(b.user).FS(b.ctx)
	checkFileReads(b, fsys, session+"/b two words.txt", big)
	checkFileTree(b, fsys, session, sibling)
	checkFileOutside(b, fsys)
}

func checkFileReads(b *bench, fsys fs.FS, name string, want []byte) {
	f, err := fsys.Open(name)
	b.requireNoError(err, "open a file")
	info, err := f.Stat()
	// TestReader also seeks and reads at offsets.
	b.requireNoError(errors.Join(err, iotest.TestReader(f, want), f.Close()), "read a file")
	ref, ok := info.Sys().(object.Ref)
	if !ok || ref.Version() == "" && ref.ETag() == "" {
		b.failf("Sys is %v, want a pinned Ref", info.Sys())
	}
	if _, ok := f.(io.ReaderAt); !ok {
		b.failf("file is a %T, want an io.ReaderAt", f)
	}
}

func checkFileTree(b *bench, fsys fs.FS, sessions ...string) {
	var dirs []string
	b.requireNoError(fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	}), "walk")
	want := append([]string{".", "uploads"}, sessions...)
	slices.Sort(want)
	slices.Sort(dirs)
	if !slices.Equal(dirs, want) {
		b.failf("directories %q, want %q", dirs, want)
	}
}

func checkFileOutside(b *bench, fsys fs.FS) {
	for _, name := range []string{
		"missing.txt", "uploads/" + b.tenant.TenantID(), "uploads/x.txt", "shared", "user=u1", "a%2fb", "a/b/c",
		"uploads/" + b.session.SessionID() + "/missing.txt", "uploads/" + b.session.SessionID() + "/a.txt/x",
	} {
		_, err := fsys.Open(name)
		b.requireError(fmt.Sprintf("open %q", name), err, fs.ErrNotExist)
	}
	for _, name := range []string{"", "/", "../user=u10/secret.txt", "uploads/../profile.json", "uploads/",
		"/profile.json"} {
		_, err := fsys.Open(name)
		b.requireError(fmt.Sprintf("open %q", name), err, fs.ErrInvalid)
	}
	list, err := fs.ReadDir(b.rootOf(b.newSession()).FS(b.ctx), ".")
	b.requireNoError(err, "read the directory of an empty scope")
	if len(list) > 0 {
		b.failf("an empty scope has the entries %v, want none", list)
	}
}
