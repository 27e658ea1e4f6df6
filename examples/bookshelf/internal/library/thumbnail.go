package library

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

const (
	thumbnailType = "image/jpeg"
	maxThumbnail  = 1 << 20 // bytes that are read
)

// RenderThumbnail returns a photo as a small JPEG, or nothing if it can never be decoded.
type RenderThumbnail func(context.Context, *object.Root, object.Ref) ([]byte, error)

// PhotoID returns a text that identifies the photo of the book, or "" if it does not have one. Another photo, or a
// photo with another content, has another id.
func (b *Book) PhotoID() string {
	if b.photo.Type == "" {
		return ""
	}
	ref, err := json.Marshal(b.photo.Ref) // the same before and after it is stored
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(ref)
	return hex.EncodeToString(sum[:8])
}

// Thumbnail returns the thumbnail of a book that has a photo, or nothing if the photo can never be decoded. The first
// call renders it, or returns the error of render. The result is stored once, in the scope of the book: the session of
// the user's own book, or the shared scope, which then must have the right to write. If the photo has been deleted and
// the thumbnail is not stored, the error matches [object.ErrNotFound].
func (v *View) Thumbnail(ctx context.Context, b Book, render RenderThumbnail) ([]byte, error) {
	root, ref, err := v.findThumbnail(b)
	if err != nil {
		return nil, fmt.Errorf("library: thumbnail of %s: %w", b.ID, err)
	}
	stored, err := readThumbnail(ctx, root, ref)
	if !errors.Is(err, object.ErrNotFound) {
		return stored, err
	}
	bucket := v.library.landing
	if b.Shared {
		bucket = v.library.raw
	}
	from, picture, err := object.Resolve(b.photo.Ref, v.roots(bucket)...)
	if err != nil {
		return nil, fmt.Errorf("library: thumbnail of %s: %w", b.ID, err)
	}
	small, err := render(ctx, from, picture)
	if err != nil {
		return nil, fmt.Errorf("library: thumbnail of %s: %w", b.ID, err)
	}
	put := &object.PutOptions{Type: thumbnailType, Size: int64(len(small))}
	_, _, err = root.Put(ctx, ref, bytes.NewReader(small), put)
	if err != nil && !errors.Is(err, object.ErrExists) { // somebody else has stored it
		return nil, fmt.Errorf("library: store thumbnail of %s: %w", b.ID, err)
	}
	return small, nil
}

// findThumbnail returns the place of a thumbnail. Its name has the id of the photo, so it is never replaced.
func (v *View) findThumbnail(b Book) (root *object.Root, ref object.Ref, err error) {
	var at scope.Scope
	name := "thumbnail." + b.PhotoID() + ".jpg"
	if b.Shared {
		at, name = v.shared.Scope(), b.ID+"."+name
	} else if at, err = v.user.Session(b.ID); err != nil {
		return nil, ref, err
	}
	if root, err = v.library.raw.In(at); err != nil {
		return nil, ref, err
	}
	ref, err = root.Ref(name)
	return root, ref, err
}

func readThumbnail(ctx context.Context, root *object.Root, ref object.Ref) ([]byte, error) {
	body, _, err := root.Open(ctx, ref, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }() // only read from
	return io.ReadAll(io.LimitReader(body, maxThumbnail))
}
