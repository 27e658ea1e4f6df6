package objecttest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/carrel-go/carrel/scope/object"
)

func checkRanges(ctx context.Context, b *bench) error {
	data := []byte("0123456789")
	ref, _, err := b.put(ctx, "a.txt", data, nil)
	if err != nil {
		return err
	}
	empty, _, err := b.put(ctx, "empty.txt", nil, nil)
	if err != nil {
		return err
	}
	good := []struct {
		r    object.Range
		want string
	}{
		{object.Range{}, "0123456789"},
		{object.Range{Len: 1}, "0"},
		{object.Range{Off: 3, Len: 4}, "3456"},
		{object.Range{Off: 9, Len: 1}, "9"},
		{object.Range{Off: 7}, "789"},
		{object.Range{Off: 7, Len: 100}, "789"},
		{object.Range{Off: 1, Len: math.MaxInt64}, "123456789"},
		{object.Range{Len: 10}, "0123456789"},
	}
	for _, c := range good {
		if err := wantBytes(ctx, b.root, ref, &c.r, []byte(c.want), 10); err != nil {
			return fmt.Errorf("%+v: %w", c.r, err)
		}
	}
	if err := wantBytes(ctx, b.root, empty, nil, nil, 0); err != nil {
		return fmt.Errorf("open an empty object: %w", err)
	}
	for _, r := range []object.Range{{Off: 10}, {Off: 10, Len: 1}, {Off: 11}, {Off: math.MaxInt64, Len: math.MaxInt64}, {Off: -1}, {Len: -1}} {
		_, _, err := b.root.Open(ctx, ref, &r)
		if err := wantErr(fmt.Sprintf("open %+v", r), err, object.ErrRange); err != nil {
			return err
		}
	}
	_, _, err = b.root.Open(ctx, empty, &object.Range{Len: 1})
	return wantErr("open a range of an empty object", err, object.ErrRange)
}

func checkStat(ctx context.Context, b *bench) error {
	ref, err := b.root.Ref("a.txt")
	if err != nil {
		return err
	}
	_, _, err = b.root.Stat(ctx, ref)
	_, _, err2 := b.root.Open(ctx, ref, nil)
	if err := errors.Join(wantErr("stat of a missing object", err, object.ErrNotFound), wantErr("open of a missing object", err2, object.ErrNotFound)); err != nil {
		return err
	}
	stored, put, err := b.put(ctx, "a.txt", []byte("text"), &object.PutOptions{Type: "text/plain; charset=utf-8"})
	if err != nil {
		return err
	}
	seen, info, err := b.root.Stat(ctx, ref)
	if err != nil {
		return err
	}
	switch {
	case info.Size != 4 || info.Type != "text/plain; charset=utf-8" || info.ETag != put.ETag || info.Version != put.Version:
		return fmt.Errorf("Stat returned %+v, want size 4, type \"text/plain; charset=utf-8\" and the ETag and version of Put, %+v", info, put)
	case time.Since(info.Modified).Abs() > time.Hour:
		return fmt.Errorf("Stat returned the time %v, want about now", info.Modified)
	case seen != stored:
		return fmt.Errorf("Stat pinned %v, want the Ref of Put, %v", seen, stored)
	case info.SHA256 != nil && len(info.SHA256) != 32:
		return fmt.Errorf("Stat returned a SHA-256 of %d bytes, want 32 or none", len(info.SHA256))
	case seen.Version() == "" && seen.ETag() == "":
		return errors.New("Stat returned an unpinned Ref, want a version or an ETag")
	}
	return nil
}

// checkPins checks that a pinned Ref names exactly the bytes that were seen.
func checkPins(ctx context.Context, b *bench) error {
	old, _, err := b.put(ctx, "a.txt", []byte("old"), nil)
	if err != nil {
		return err
	}
	now, _, err := b.put(ctx, "a.txt", []byte("new"), &object.PutOptions{Overwrite: true})
	if err != nil {
		return err
	}
	if now.Version() == "" { // without versions the old bytes do not exist
		_, _, open := b.root.Open(ctx, old, nil)
		_, _, stat := b.root.Stat(ctx, old)
		_, _, part := b.root.Open(ctx, old, &object.Range{Off: 1})
		if err := errors.Join(
			wantErr("open", open, object.ErrChanged),
			wantErr("open a range", part, object.ErrChanged),
			wantErr("stat", stat, object.ErrChanged),
			wantErr("delete", b.root.Delete(ctx, old), object.ErrChanged),
		); err != nil {
			return err
		}
	} else if err := wantBytes(ctx, b.root, old, nil, []byte("old"), 3); err != nil {
		return err
	}
	if err := wantBytes(ctx, b.root, now, nil, []byte("new"), 3); err != nil {
		return err
	}
	if err := b.root.Delete(ctx, now); err != nil {
		return err
	}
	_, _, err = b.root.Open(ctx, now, nil)
	return wantErr("open after delete", err, object.ErrNotFound)
}

// checkVersionPins checks that a driver does not ignore the version of a Ref.
func checkVersionPins(ctx context.Context, b *bench) error {
	current, _, err := b.put(ctx, "a.txt", []byte("current"), nil)
	if err != nil {
		return err
	}
	stored := fmt.Appendf(nil, `{"bucket":%q,"key":%q,"version":"3HL4kqtJvjVBH40Nrjfkd"}`, current.Bucket(), current.Key())
	other, err := b.root.ParseRef(stored)
	if err != nil {
		return err
	}
	to, err := b.root.Ref("to.txt")
	if err != nil {
		return err
	}
	_, _, open := b.root.Open(ctx, other, nil)
	_, _, part := b.root.Open(ctx, other, &object.Range{Off: 1})
	_, _, stat := b.root.Stat(ctx, other)
	_, _, copied := b.root.Copy(ctx, other, to, nil)
	if err := errors.Join(
		wantPinErr("open", open),
		wantPinErr("open a range", part),
		wantPinErr("stat", stat),
		wantPinErr("copy", copied),
	); err != nil {
		return err
	}
	if err := b.root.Delete(ctx, other); err != nil { // nil if the driver does not know the version
		if err := wantPinErr("delete", err); err != nil {
			return err
		}
	}
	if err := wantBytes(ctx, b.root, current, nil, []byte("current"), 7); err != nil {
		return fmt.Errorf("after the delete of another version: %w", err)
	}
	return deleteOldVersion(ctx, b, current)
}

// deleteOldVersion deletes an old version in a store that keeps versions, which
// must leave the current one.
func deleteOldVersion(ctx context.Context, b *bench, old object.Ref) error {
	now, _, err := b.put(ctx, old.Name(), []byte("new"), &object.PutOptions{Overwrite: true})
	if err != nil || now.Version() == "" {
		return err
	}
	if err := b.root.Delete(ctx, old); err != nil {
		return fmt.Errorf("delete an old version: %w", err)
	}
	if err := wantBytes(ctx, b.root, now.Unpinned(), nil, []byte("new"), 3); err != nil {
		return fmt.Errorf("after the delete of an old version: %w", err)
	}
	_, _, open := b.root.Open(ctx, old, nil)
	return wantPinErr("open a deleted version", open)
}

// wantPinErr wants the error for a version that is not the current one.
func wantPinErr(op string, err error) error {
	if errors.Is(err, object.ErrNotFound) {
		return nil
	}
	return wantErr(op+" through the pin of another version", err, object.ErrChanged)
}

func checkDelete(ctx context.Context, b *bench) error {
	ref, _, err := b.put(ctx, "a.txt", []byte("x"), nil)
	if err != nil {
		return err
	}
	for range 2 { // the second time it does not exist
		if err := b.root.Delete(ctx, ref.Unpinned()); err != nil {
			return err
		}
	}
	_, _, err = b.root.Stat(ctx, ref.Unpinned())
	if err := wantErr("stat after delete", err, object.ErrNotFound); err != nil {
		return err
	}
	_, _, err = b.put(ctx, "a.txt", []byte("y"), nil)
	return err
}

func checkCancel(ctx context.Context, b *bench) error {
	ref, _, err := b.put(ctx, "a.txt", []byte("data"), nil)
	if err != nil {
		return err
	}
	dead, cancel := context.WithCancel(ctx)
	r, _, err := b.root.Open(dead, ref, nil)
	if err != nil {
		cancel()
		return err
	}
	cancel()
	n, err := r.Read(make([]byte, 1))
	if n > 0 {
		return fmt.Errorf("Read returned %d bytes after the cancellation, want none", n)
	}
	_, _, opened := b.root.Open(dead, ref, nil)
	_, _, stat := b.root.Stat(dead, ref)
	_, _, put := b.put(dead, "b.txt", []byte("x"), nil)
	var listed error
	for _, listed = range b.root.List(dead) {
	}
	return errors.Join(
		wantErr("read", err, context.Canceled),
		wantErr("open", opened, context.Canceled),
		wantErr("stat", stat, context.Canceled),
		wantErr("put", put, context.Canceled),
		wantErr("list", listed, context.Canceled),
		wantErr("delete", b.root.Delete(dead, ref), context.Canceled),
		r.Close(),
	)
}
