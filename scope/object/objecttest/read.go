package objecttest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/carrel-go/carrel/scope/object"
)

func ranges(ctx context.Context, b *bench) error {
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
		return fmt.Errorf("an empty object: %w", err)
	}
	for _, r := range []object.Range{{Off: 10}, {Off: 10, Len: 1}, {Off: 11}, {Off: math.MaxInt64, Len: math.MaxInt64}, {Off: -1}, {Len: -1}} {
		_, _, err := b.root.Open(ctx, ref, &r)
		if err := wantErr(fmt.Sprintf("%+v", r), err, object.ErrRange); err != nil {
			return err
		}
	}
	_, _, err = b.root.Open(ctx, empty, &object.Range{Len: 1})
	return wantErr("a range of an empty object", err, object.ErrRange)
}

func stat(ctx context.Context, b *bench) error {
	ref, err := b.root.Ref("a.txt")
	if err != nil {
		return err
	}
	_, _, err = b.root.Stat(ctx, ref)
	_, _, err2 := b.root.Open(ctx, ref, nil)
	if err := errors.Join(wantErr("stat of nothing", err, object.ErrNotFound), wantErr("open of nothing", err2, object.ErrNotFound)); err != nil {
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
		return fmt.Errorf("Stat returned %+v after Put returned %+v", info, put)
	case time.Since(info.Modified).Abs() > time.Hour:
		return fmt.Errorf("modified at %v", info.Modified)
	case seen != stored:
		return fmt.Errorf("Stat pinned %v, Put %v", seen, stored)
	case info.SHA256 != nil && len(info.SHA256) != 32:
		return fmt.Errorf("a SHA-256 of %d bytes", len(info.SHA256))
	case seen.Version() == "" && seen.ETag() == "":
		return errors.New("the Ref is not pinned")
	}
	return nil
}

// pins: a Ref that was seen names those bytes and no others.
func pins(ctx context.Context, b *bench) error {
	old, _, err := b.put(ctx, "a.txt", []byte("old"), nil)
	if err != nil {
		return err
	}
	now, _, err := b.put(ctx, "a.txt", []byte("new"), &object.PutOptions{Overwrite: true})
	if err != nil {
		return err
	}
	if now.Version() == "" { // without versions the old bytes are gone
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

func deleting(ctx context.Context, b *bench) error {
	ref, _, err := b.put(ctx, "a.txt", []byte("x"), nil)
	if err != nil {
		return err
	}
	for range 2 { // the second time it is gone already
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

func cancelled(ctx context.Context, b *bench) error {
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
		return errors.New("bytes were read after the cancellation")
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
