package objecttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope/object"
)

// checkCopy checks that a copy has the bytes and type of its pinned source, under
// the conditions of a Put.
func checkCopy(ctx context.Context, b *bench) error {
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<12)
	old, _, err := b.put(ctx, "from one+1=ü.txt", data, &object.PutOptions{Type: "text/plain"})
	if err != nil {
		return err
	}
	to, err := b.root.Ref("to.txt")
	if err != nil {
		return err
	}
	missing, err := b.root.Ref("missing.txt")
	if err != nil {
		return err
	}

	stored, info, err := b.root.Copy(ctx, old.Unpinned(), to, nil)
	if err != nil {
		return err
	}
	if info.Size != int64(len(data)) || info.Type != "text/plain" {
		return fmt.Errorf("Copy returned size %d and type %q, want %d and text/plain", info.Size, info.Type, len(data))
	}
	if err := wantBytes(ctx, b.root, stored, nil, data, int64(len(data))); err != nil {
		return err
	}
	if _, seen, err := b.root.Stat(ctx, stored); err != nil || seen.Type != "text/plain" {
		return fmt.Errorf("Stat of the copy returned type %q, error %w, want text/plain", seen.Type, err)
	}

	_, _, again := b.root.Copy(ctx, old, to, nil)
	_, _, absent := b.root.Copy(ctx, missing, to, &object.PutOptions{Overwrite: true})
	_, _, stale := b.root.Copy(ctx, old, to, &object.PutOptions{IfMatch: `"stale"`})
	_, _, sized := b.root.Copy(ctx, old, to, &object.PutOptions{Overwrite: true, Size: 3})
	_, _, itself := b.root.Copy(ctx, old, old.Unpinned(), &object.PutOptions{Overwrite: true})
	if err := errors.Join(
		wantErr("copy onto an object", again, object.ErrExists),
		wantErr("copy of a missing object", absent, object.ErrNotFound),
		wantErr("copy over a stale ETag", stale, object.ErrChanged),
		wantErr("copy of another size", sized, object.ErrSize),
		wantErr("copy onto itself", itself, object.ErrInvalid),
		wantBytes(ctx, b.root, stored, nil, data, int64(len(data))),
	); err != nil {
		return err
	}

	now, _, err := b.put(ctx, old.Name(), []byte("new"), &object.PutOptions{Overwrite: true})
	if err != nil {
		return err
	}
	if now.Version() == "" {
		_, _, err := b.root.Copy(ctx, old, to, &object.PutOptions{Overwrite: true})
		if err := wantErr("copy of a changed object", err, object.ErrChanged); err != nil {
			return err
		}
	}
	over, info, err := b.root.Copy(ctx, now, to, &object.PutOptions{Overwrite: true, Type: "text/markdown"})
	if err != nil {
		return fmt.Errorf("copy over an object: %w", err)
	}
	if info.Type != "text/markdown" {
		return fmt.Errorf("copy with another type returned type %q, want text/markdown", info.Type)
	}
	_, whole, err := b.root.Stat(ctx, over)
	if err != nil {
		return err
	}
	swapped, _, err := b.root.Copy(ctx, stored.Unpinned(), missing, nil) // to.txt, to a new name
	if err != nil {
		return err
	}
	if _, _, err := b.root.Copy(ctx, swapped, to, &object.PutOptions{IfMatch: whole.ETag}); err != nil {
		return fmt.Errorf("copy over the current ETag: %w", err)
	}
	empty, _, err := b.put(ctx, "empty.txt", nil, nil)
	if err != nil {
		return err
	}
	blank, err := b.root.Ref("blank.txt")
	if err != nil {
		return err
	}
	if blank, _, err = b.root.Copy(ctx, empty, blank, nil); err != nil {
		return fmt.Errorf("copy of an empty object: %w", err)
	}
	return errors.Join(
		wantBytes(ctx, b.root, to, nil, []byte("new"), 3),
		wantBytes(ctx, b.root, blank, nil, nil, 0),
		checkCopyOutside(ctx, b, old.Unpinned()),
	)
}

// checkCopyOutside checks that neither Ref may be outside the root, and that the
// root of a user copies between its sessions.
func checkCopyOutside(ctx context.Context, b *bench, from object.Ref) error {
	other, err := b.user.NewSession()
	if err != nil {
		return err
	}
	sibling, err := b.bucket.In(other)
	if err != nil {
		return err
	}
	to, err := sibling.Ref("stolen.txt")
	if err != nil {
		return err
	}
	user, err := b.bucket.In(b.user)
	if err != nil {
		return err
	}
	_, _, out := b.root.Copy(ctx, from, to, nil)
	_, _, in := sibling.Copy(ctx, from, to, nil)
	_, _, gone := user.Stat(ctx, to)
	if err := errors.Join(
		wantErr("copy out of the root", out, object.ErrOutside),
		wantErr("copy into the root", in, object.ErrOutside),
		wantErr("stat of the rejected copy", gone, object.ErrNotFound),
	); err != nil {
		return err
	}
	if _, _, err := user.Copy(ctx, from, to, nil); err != nil {
		return fmt.Errorf("copy between sessions of one user: %w", err)
	}
	return wantBytes(ctx, sibling, to, nil, []byte("new"), 3)
}

// checkCopyByStream is checkCopy without the driver's Copier.
func checkCopyByStream(ctx context.Context, b *bench) error {
	in := *b
	var err error
	if in.bucket, err = object.New(struct{ object.Driver }{b.driver}, b.bucket.Name(), nil); err != nil {
		return err
	}
	if in.root, err = in.bucket.In(b.session); err != nil {
		return err
	}
	return checkCopy(ctx, &in)
}
