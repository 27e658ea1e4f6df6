package library

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// Share copies a version of the user's own book to the data that the tenant shares, and returns the shared copy. Zero
// means the current version. Metadata and photo become objects named by the book and the version, which are written
// once, and then the shared row shows them. If that row shows this version or a later one, Share changes nothing. So it
// may be repeated. It returns scope.ErrDenied if the View was opened without the right to write shared data.
func (v *View) Share(ctx context.Context, id string, version int) (Book, error) {
	if v.shared == nil || v.shared.Scope().RequireWrite() != nil {
		return Book{}, fmt.Errorf("library: share: %w", scope.ErrDenied)
	}
	b, err := v.getOwn(ctx, id)
	if err != nil {
		return Book{}, err
	}
	if version == 0 {
		version = b.Version
	}
	shared, err := v.getShared(ctx, id)
	switch {
	case err == nil && shared.Version >= version:
		return shared, nil
	case err != nil && !errors.Is(err, ErrNotFound):
		return Book{}, err
	}
	if shared, err = v.copyBook(ctx, b, version, shared); err != nil {
		return Book{}, fmt.Errorf("library: share: %w", err)
	}
	it, err := shared.item()
	if err != nil {
		return Book{}, err
	}
	cond := table.Absent()
	if it.Version > 0 {
		cond = table.Version(it.Version)
	}
	_, err = v.shared.Put(ctx, it, cond)
	if conflict, ok := errors.AsType[*table.ConflictError](err); ok && conflict.Current != nil {
		current, err := parseRow(*conflict.Current)
		current.Shared = true
		if err != nil || current.Version >= version {
			return current, err
		}
		return v.Share(ctx, id, version) // an earlier version was shared meanwhile
	}
	if err != nil {
		return Book{}, fmt.Errorf("library: share: %w", err)
	}
	return shared, nil
}

// copyBook copies the objects of a version of b, and returns the shared copy with that version. before is the shared
// copy so far, or zero.
func (v *View) copyBook(ctx context.Context, b Book, version int, before Book) (Book, error) {
	meta, err := v.Metadata(ctx, b, version)
	if err != nil {
		return Book{}, err
	}
	root, err := v.library.raw.In(v.shared.Scope())
	if err != nil {
		return Book{}, err
	}
	name := fmt.Sprintf("%s.%06d", b.ID, version)
	ref, err := root.Ref(name + ".json")
	if err != nil {
		return Book{}, err
	}
	if ref, err = putOnce(ctx, root, ref, meta.Canonical(), jsonType); err != nil {
		return Book{}, err
	}
	picture, err := v.copyPhoto(ctx, b, root, name)
	if err != nil {
		return Book{}, err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	shared := Book{
		ID: b.ID, Metadata: meta, Version: version, Shared: true, Accepted: b.Accepted, Changed: now,
		photo: picture, stored: before.stored, Versions: append(before.Versions, Version{version, now, v.user.UserID(), ref}),
	}
	return shared, nil
}

// copyPhoto copies the picture of a book. It returns none if the book does not have one, or if it is gone.
func (v *View) copyPhoto(ctx context.Context, b Book, root *object.Root, name string) (photo, error) {
	from, media, err := v.Photo(b)
	if err != nil || from.IsZero() {
		return photo{}, err
	}
	own, err := v.library.landing.In(v.user)
	if err != nil {
		return photo{}, err
	}
	extension := map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}[media]
	to, err := root.Ref(name + extension)
	if err != nil {
		return photo{}, err
	}
	body, info, err := own.Open(ctx, from, nil)
	if errors.Is(err, object.ErrNotFound) {
		return photo{}, nil
	}
	if err != nil {
		return photo{}, err
	}
	defer func() { _ = body.Close() }()
	done, _, err := root.Put(ctx, to, body, &object.PutOptions{Type: media, Size: info.Size})
	if errors.Is(err, object.ErrExists) { // an earlier try
		if done, info, err = root.Stat(ctx, to); err == nil && info.Size != b.photo.Size {
			err = fmt.Errorf("%s: %w", to.Name(), object.ErrExists)
		}
	}
	return photo{done, media, b.photo.Size}, err
}
