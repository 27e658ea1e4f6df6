package library

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

const jsonType = "application/json"

// Correct stores the next version of the user's own book. The given version is the one that the person has corrected.
// It returns a *[ConflictError] if another version is the current one, unless that is this correction, so that a
// correction can be repeated. It returns [ErrVersions] if the book has too many versions. The record of the upload gets
// the corrected title, so that lists of uploads show it.
func (v *View) Correct(ctx context.Context, id string, version int, m book.Metadata) (Book, error) {
	b, err := v.correct(ctx, id, version, m)
	if err != nil || v.shared == nil {
		return b, err
	}
	shared, err := v.getShared(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Book{}, err // the correction can be repeated
	}
	b.SharedVersion = shared.Version
	return b, nil
}

// correct is Correct without the shared version.
func (v *View) correct(ctx context.Context, id string, version int, m book.Metadata) (Book, error) {
	if m.IsZero() {
		return Book{}, fmt.Errorf("library: correct: %w", book.ErrEmpty)
	}
	b, err := v.getOwn(ctx, id)
	if err != nil {
		return Book{}, err
	}
	session, err := v.user.Session(id)
	if err != nil {
		return Book{}, ErrNotFound
	}
	if b.Version == version {
		if err := putNote(ctx, v.own, id); err != nil {
			return Book{}, fmt.Errorf("library: correct: %w", err)
		}
	}
	next, err := v.putVersion(ctx, b, version, m)
	if err != nil {
		return Book{}, err
	}
	return next, v.library.Add(ctx, session) // settles the note; if it fails, the correction can be repeated
}

// putVersion puts the row of the next version of b.
func (v *View) putVersion(ctx context.Context, b Book, version int, m book.Metadata) (Book, error) {
	canonical := m.Canonical()
	switch {
	case b.Version == version+1 && bytes.Equal(b.Metadata.Canonical(), canonical):
		return b, nil
	case b.Version != version:
		return Book{}, &ConflictError{b}
	case len(b.Versions) >= MaxVersions:
		return Book{}, ErrVersions
	}
	ref, err := v.storeVersion(ctx, b.ID, version+1, canonical)
	if err != nil {
		return Book{}, fmt.Errorf("library: correct: %w", err)
	}
	next := b
	next.Metadata, next.Version, next.Changed = m, version+1, time.Now().UTC().Truncate(time.Millisecond)
	next.Versions = slices.Concat(b.Versions, []Version{{Number: next.Version, Time: next.Changed, object: ref}})
	it, err := next.item()
	if err != nil {
		return Book{}, err
	}
	_, err = v.own.Put(ctx, it, table.Version(b.stored))
	if conflict, ok := errors.AsType[*table.ConflictError](err); ok && conflict.Current != nil {
		current, err := parseRow(*conflict.Current)
		switch {
		case err != nil:
			return Book{}, err
		case current.Version == version+1 && bytes.Equal(current.Metadata.Canonical(), canonical):
			return current, nil // the answer to this put was lost, or somebody else has made the same correction
		}
		return Book{}, &ConflictError{current}
	}
	if err != nil {
		return Book{}, fmt.Errorf("library: correct: %w", err)
	}
	return next, nil
}

// storeVersion writes the object of a version beside metadata.json. Its name has the digest of its content, so the
// object of a correction that loses does not stand in the way of the next one.
func (v *View) storeVersion(ctx context.Context, id string, n int, canonical []byte) (object.Ref, error) {
	session, err := v.user.Session(id)
	if err != nil {
		return object.Ref{}, err
	}
	root, err := v.library.raw.In(session)
	if err != nil {
		return object.Ref{}, err
	}
	sum := sha256.Sum256(canonical)
	ref, err := root.Ref(fmt.Sprintf("metadata.%06d.%s.json", n, hex.EncodeToString(sum[:8])))
	if err != nil {
		return object.Ref{}, err
	}
	return putOnce(ctx, root, ref, canonical, jsonType)
}

// putOnce stores the content unless the object has it already, and returns the pinned ref. It returns
// [object.ErrExists] if the object has another content.
func putOnce(ctx context.Context, root *object.Root, ref object.Ref, content []byte, media string) (object.Ref, error) {
	done, _, err := root.Put(ctx, ref, bytes.NewReader(content),
		&object.PutOptions{Type: media, Size: int64(len(content))})
	if !errors.Is(err, object.ErrExists) {
		return done, err
	}
	body, _, err := root.Open(ctx, ref, nil)
	if err != nil {
		return object.Ref{}, err
	}
	defer func() { _ = body.Close() }()
	there, err := io.ReadAll(io.LimitReader(body, int64(len(content))+1))
	if err != nil {
		return object.Ref{}, err
	}
	if !bytes.Equal(there, content) {
		return object.Ref{}, fmt.Errorf("%s: %w", ref.Name(), object.ErrExists)
	}
	done, _, err = root.Stat(ctx, ref)
	return done, err
}
