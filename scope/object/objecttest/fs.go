package objecttest

import (
	"context"
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
func checkFileSystem(ctx context.Context, b *bench) error {
	other, err := b.user.NewSession()
	if err != nil {
		return err
	}
	shared, err := b.tenant.Shared()
	if err != nil {
		return err
	}
	neighbour, err := b.tenant.User("u10") // u1 is a prefix of its id
	if err != nil {
		return err
	}
	big := []byte("iotest.TestReader reads at every offset, so each byte costs a request")
	for s, files := range map[scope.Scope]map[string][]byte{
		b.session: {"a.txt": []byte("a"), "b two words.txt": big, "c.bin": nil, "d.txt": []byte("d"), "ü.txt": []byte("u")},
		other:     {"a.txt": []byte("other")},
		b.user:    {"profile.json": []byte("{}"), "uploads-are-here.txt": []byte("no"), "zz.txt": []byte("z")},
		shared:    {"terms.txt": []byte("terms"), "日本語.txt": []byte("ja")},
		neighbour: {"secret.txt": []byte("not u1's")},
	} {
		in := *b
		if in.root, err = b.bucket.In(s); err != nil {
			return err
		}
		for name, data := range files {
			if _, _, err := in.put(ctx, name, data, nil); err != nil {
				return err
			}
		}
	}
	session, sibling := "uploads/"+b.session.SessionID(), "uploads/"+other.SessionID()
	for s, want := range map[scope.Scope][]string{
		b.session: {"a.txt", "b two words.txt", "c.bin", "d.txt", "ü.txt"},
		b.user:    {"profile.json", "uploads-are-here.txt", "zz.txt", session + "/b two words.txt", sibling + "/a.txt"},
		b.tenant:  {"shared/terms.txt", "shared/日本語.txt", "user=u1/" + session + "/c.bin", "user=u1/profile.json", "user=u10/secret.txt"},
		shared:    {"terms.txt", "日本語.txt"},
	} {
		root, err := b.bucket.In(s)
		if err != nil {
			return err
		}
		if err := fstest.TestFS(root.FS(ctx), want...); err != nil {
			return fmt.Errorf("in %v: %w", s, err)
		}
	}
	user, err := b.bucket.In(b.user)
	if err != nil {
		return err
	}
	return errors.Join(
		checkFileReads(user.FS(ctx), session+"/b two words.txt", big),
		checkFileTree(user.FS(ctx), session, sibling),
		checkFileOutside(ctx, b, user.FS(ctx)),
	)
}

func checkFileReads(fsys fs.FS, name string, want []byte) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	// TestReader also seeks and reads at offsets.
	if err := errors.Join(err, iotest.TestReader(f, want), f.Close()); err != nil {
		return err
	}
	ref, ok := info.Sys().(object.Ref)
	if !ok || ref.Version() == "" && ref.ETag() == "" {
		return fmt.Errorf("Sys is %v, want a pinned Ref", info.Sys())
	}
	if _, ok := f.(io.ReaderAt); !ok {
		return fmt.Errorf("file is a %T, want an io.ReaderAt", f)
	}
	return nil
}

func checkFileTree(fsys fs.FS, sessions ...string) error {
	var dirs []string
	err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	want := append([]string{".", "uploads"}, sessions...)
	slices.Sort(want)
	slices.Sort(dirs)
	if !slices.Equal(dirs, want) {
		return fmt.Errorf("directories %q, want %q", dirs, want)
	}
	return nil
}

func checkFileOutside(ctx context.Context, b *bench, fsys fs.FS) error {
	for _, name := range []string{
		"missing.txt", "uploads/" + b.tenant.TenantID(), "uploads/x.txt", "shared", "user=u1", "a%2fb", "a/b/c",
		"uploads/" + b.session.SessionID() + "/missing.txt", "uploads/" + b.session.SessionID() + "/a.txt/x",
	} {
		_, err := fsys.Open(name)
		if err := wantErr(fmt.Sprintf("open %q", name), err, fs.ErrNotExist); err != nil {
			return err
		}
	}
	for _, name := range []string{"", "/", "../user=u10/secret.txt", "uploads/../profile.json", "uploads/", "/profile.json"} {
		_, err := fsys.Open(name)
		if err := wantErr(fmt.Sprintf("open %q", name), err, fs.ErrInvalid); err != nil {
			return err
		}
	}
	empty, err := b.user.NewSession()
	if err != nil {
		return err
	}
	root, err := b.bucket.In(empty)
	if err != nil {
		return err
	}
	if list, err := fs.ReadDir(root.FS(ctx), "."); err != nil || len(list) > 0 {
		return fmt.Errorf("an empty scope has the entries %v, error %w, want none", list, err)
	}
	return nil
}
