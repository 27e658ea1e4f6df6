package library

import (
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// Get returns the user's own book with that id, or else the copy that the tenant shares. It returns [ErrNotFound] if
// there is neither, also for an invalid id.
func (v *View) Get(ctx context.Context, id string) (Book, error) {
	if _, err := v.user.Session(id); err != nil {
		return Book{}, ErrNotFound
	}
	b, err := v.getOwn(ctx, id)
	isOwn := err == nil
	if err != nil && !errors.Is(err, ErrNotFound) || v.shared == nil {
		return b, err
	}
	shared, sharedErr := v.getShared(ctx, id)
	switch {
	case sharedErr != nil && !errors.Is(sharedErr, ErrNotFound):
		return Book{}, sharedErr
	case isOwn:
		b.SharedVersion = shared.Version
		return b, nil
	}
	return shared, sharedErr
}

// getOwn returns the user's own book. If it is missing because its accept was interrupted, getOwn adds it.
func (v *View) getOwn(ctx context.Context, id string) (Book, error) {
	session, err := v.user.Session(id)
	if err != nil {
		return Book{}, ErrNotFound
	}
	b, err := readRow(ctx, v.own, id)
	if !errors.Is(err, ErrNotFound) || v.user.RequireWrite() != nil {
		return b, err
	}
	note, err := v.own.Get(ctx, notePrefix+id)
	if errors.Is(err, table.ErrNotFound) {
		return Book{}, ErrNotFound
	}
	if err == nil {
		err = v.library.settle(ctx, v.own, session, note)
	}
	if err != nil {
		return Book{}, fmt.Errorf("library: get: %w", err)
	}
	return readRow(ctx, v.own, id)
}

func (v *View) getShared(ctx context.Context, id string) (Book, error) {
	b, err := readRow(ctx, v.shared, id)
	b.Shared = err == nil
	return b, err
}

// readRow returns the book with that id in one partition.
func readRow(ctx context.Context, view *table.View, id string) (Book, error) {
	it, err := view.Get(ctx, rowPrefix+id)
	if errors.Is(err, table.ErrNotFound) {
		return Book{}, ErrNotFound
	}
	if err != nil {
		return Book{}, fmt.Errorf("library: get: %w", err)
	}
	return parseRow(it)
}

// Metadata returns the metadata of one version of a book.
func (v *View) Metadata(ctx context.Context, b Book, n int) (book.Metadata, error) {
	version, err := b.version(n)
	if err != nil || n == b.Version {
		return b.Metadata, err
	}
	root, ref, err := object.Resolve(version.object, v.roots(v.library.raw)...)
	if err != nil {
		return book.Metadata{}, fmt.Errorf("library: read version %d of %s: %w", n, b.ID, err)
	}
	meta, _, err := readMetadata(ctx, root, ref)
	if err != nil {
		return book.Metadata{}, fmt.Errorf("library: read version %d of %s: %w", n, b.ID, err)
	}
	return meta, nil
}

// Photo returns the picture of a book and its media type, or the zero Ref if the book does not have one.
func (v *View) Photo(b Book) (object.Ref, string, error) {
	if b.photo.Type == "" {
		return object.Ref{}, "", nil
	}
	bucket := v.library.landing
	if b.Shared {
		bucket = v.library.raw
	}
	_, ref, err := object.Resolve(b.photo.Ref, v.roots(bucket)...)
	if err != nil {
		return object.Ref{}, "", fmt.Errorf("library: photo of %s: %w", b.ID, err)
	}
	return ref, b.photo.Type, nil
}

// roots returns the user's part of a bucket, and the shared one.
func (v *View) roots(b *object.Bucket) (roots []*object.Root) {
	if own, err := b.In(v.user); err == nil {
		roots = append(roots, own)
	}
	if v.shared == nil {
		return roots
	}
	if shared, err := b.In(v.shared.Scope()); err == nil {
		roots = append(roots, shared)
	}
	return roots
}
