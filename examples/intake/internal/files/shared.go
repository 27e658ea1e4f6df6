package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

const (
	sharedPrefix = "file#"
	sharedEnd    = "file$" // the end of the range of the prefix
	nameAttr     = "name"
	refAttr      = "object"
	ownerAttr    = "owner" // the id of the user who has shared the file
	// maxShared is the number of shared files that a list has.
	maxShared = 100
	// MaxSharedSize is the size of the largest file that can be shared in bytes: the most that S3 stores by one request.
	MaxSharedSize = 5 << 30
)

// getShared returns a file that the tenant shares.
func (v *View) getShared(ctx context.Context, id string) (File, error) {
	if v.shared == nil {
		return File{}, ErrNotFound
	}
	it, err := v.shared.Get(ctx, sharedPrefix+id)
	if errors.Is(err, table.ErrNotFound) {
		return File{}, ErrNotFound
	}
	if err != nil {
		return File{}, fmt.Errorf("files: get: %w", err)
	}
	return v.parseShared(it)
}

func (v *View) parseShared(it table.Item) (f File, err error) {
	f = File{ID: it.Sort[len(sharedPrefix):], Shared: true, Ended: true}
	f.Name, _ = it.Attr[nameAttr].(string)
	raw, _ := it.Attr[refAttr].(string)
	if f.Ref, err = v.theirs.ParseRef([]byte(raw)); err != nil {
		return File{}, fmt.Errorf("files: shared file %s: %w", f.ID, err)
	}
	if f.Report, err = parseReport(it); err != nil {
		return File{}, err
	}
	f.Changed = f.Report.Confirmed
	return f, nil
}

// ListShared returns the files that the tenant shares, at most 100 of them, and whether there are more. It omits copies
// of files that the user has, which [View.List] returns with Copied.
func (v *View) ListShared(ctx context.Context) (list []File, hasMore bool, err error) {
	if v.shared == nil {
		return nil, false, nil
	}
	page, err := v.shared.Query(ctx, table.Query{From: sharedPrefix, To: sharedEnd, Desc: true, Limit: maxShared})
	if err != nil {
		return nil, false, fmt.Errorf("files: list shared files: %w", err)
	}
	for _, found := range page.Items {
		isOwn, err := v.hasOriginal(ctx, found.Item)
		if err != nil {
			return nil, false, err
		}
		if isOwn {
			continue
		}
		f, err := v.parseShared(found.Item)
		if err != nil {
			return nil, false, err
		}
		list = append(list, f)
	}
	return list, page.Next != "", nil
}

// hasOriginal reports whether the user has the file of which a shared one is the copy.
func (v *View) hasOriginal(ctx context.Context, it table.Item) (bool, error) {
	if owner, _ := it.Attr[ownerAttr].(string); owner != v.user.UserID() {
		return false, nil
	}
	session, err := v.session(it.Sort[len(sharedPrefix):])
	if err != nil {
		return false, err
	}
	_, err = v.store.tracker.Get(ctx, session)
	if errors.Is(err, tracking.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("files: list shared files: %w", err)
	}
	return true, nil
}

// CanShare reports whether the View may write shared files.
func (v *View) CanShare() bool { return v.shared != nil && v.shared.Scope().RequireWrite() == nil }

// Share copies a confirmed file and its report to the data that the tenant shares. It may be repeated. The shared scope
// of the View must have the right to write. It returns [ErrNotReady] for a file that was not confirmed, and
// [ErrTooLarge] for one of more than [MaxSharedSize] bytes.
func (v *View) Share(ctx context.Context, id string) (File, error) {
	f, err := v.Get(ctx, id)
	switch {
	case err != nil:
		return File{}, err
	case f.Shared:
		return f, nil
	case v.shared == nil:
		return File{}, fmt.Errorf("files: share: %w", scope.ErrDenied)
	case !f.Report.IsConfirmed() || f.Ref.IsZero():
		return File{}, ErrNotReady
	}
	ref, err := v.copyShared(ctx, f)
	if err != nil {
		return File{}, err
	}
	raw, err := json.Marshal(ref)
	if err != nil {
		return File{}, fmt.Errorf("files: share: %w", err)
	}
	it, err := f.Report.item(sharedPrefix + f.ID)
	if err != nil {
		return File{}, err
	}
	it.Version, it.Attr[nameAttr], it.Attr[refAttr], it.Attr[ownerAttr] = 0, f.Name, string(raw), v.user.UserID()
	it, err = v.shared.Put(ctx, it, table.Absent())
	if conflict, ok := errors.AsType[*table.ConflictError](err); ok && conflict.Current != nil {
		it, err = *conflict.Current, nil
	}
	if err != nil {
		return File{}, fmt.Errorf("files: share: %w", err)
	}
	return v.parseShared(it)
}

// copyShared copies the object, unless it has been copied. The bytes stream through this process, because no Root
// reaches both scopes.
func (v *View) copyShared(ctx context.Context, f File) (object.Ref, error) {
	to, err := v.theirs.Ref(scope.FileName(f.ID + "-" + f.Name))
	if err != nil {
		return object.Ref{}, fmt.Errorf("files: share: %w", err)
	}
	from, info, err := v.root.Stat(ctx, f.Ref)
	if err != nil {
		return object.Ref{}, fmt.Errorf("files: share: %w", err)
	}
	if info.Size > MaxSharedSize {
		return object.Ref{}, ErrTooLarge
	}
	body, err := v.openSeekable(ctx, from)
	if err != nil {
		return object.Ref{}, fmt.Errorf("files: share: %w", err)
	}
	defer func() { _ = body.Close() }()
	ref, _, err := v.theirs.Put(ctx, to, body, &object.PutOptions{Type: info.Type, Size: info.Size})
	if errors.Is(err, object.ErrExists) { // an earlier try
		ref, _, err = v.theirs.Stat(ctx, to)
	}
	if err != nil {
		return object.Ref{}, fmt.Errorf("files: share: %w", err)
	}
	return ref, nil
}

// openSeekable opens an object as an io.Seeker. A driver may send the same bytes again, or read them twice to sign
// them, and need not buffer them.
func (v *View) openSeekable(ctx context.Context, ref object.Ref) (fs.File, error) {
	root, err := v.store.bucket.In(ref.Scope())
	if err != nil {
		return nil, err
	}
	file, err := root.FS(ctx).Open(ref.Name())
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Sys() != any(ref) {
		err = object.ErrChanged
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
