package object

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// FS returns the root as a read-only file system for fs.WalkDir, http.FS,
// archive/zip and other users of [fs.FS]. It contains the objects of the root's
// scope only. All its requests use ctx.
//
// Its tree is that of the keys below the root's prefix. The root of a session has
// its files at the top. The root of a user also has uploads/<session>/<file>, and
// the root of a tenant has shared/<file> and user=<id>/… . A directory exists if
// it has a file; the top always exists. Keys outside the layout of a scope are
// omitted.
//
// Files stream in bounded memory. They implement [io.Seeker] and [io.ReaderAt];
// each ReadAt is one request. A directory is read page by page, unless all of it
// is requested. An open file is pinned: Read returns ErrChanged if the object
// changes. FileInfo.Sys returns the pinned [Ref]. Times come from the store, to
// the second; the time of a directory is zero.
//
// Errors are *[fs.PathError]: fs.ErrNotExist for a missing object or one outside
// the scope, fs.ErrPermission if the store denies access.
func (r *Root) FS(ctx context.Context) fs.FS { return &fileSystem{ctx, r} }

type fileSystem struct {
	ctx  context.Context
	root *Root
}

// Open implements [fs.FS]. A file costs one Stat, a directory one page of a list.
func (f *fileSystem) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	file, err := f.openPath(name)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return file, nil
}

func (f *fileSystem) openPath(name string) (fs.File, error) {
	top := f.root.scope.Prefix()
	if name == "." {
		return &directory{entries: entryReader{fs: f, scope: f.root.scope, prefix: top}, info: fileInfo{name: ".", dir: true},
			path: name}, nil
	}
	if owner, base, err := scope.ParseKey(top + name); err == nil {
		ref, info, err := f.root.Stat(f.ctx, Ref{bucket: f.root.bucket.name, owner: owner, name: base, key: top + name})
		if err != nil {
			return nil, err
		}
		return &file{
			content: content{ctx: f.ctx, root: f.root, ref: ref, size: info.Size},
			info:    fileInfo{name: base, size: info.Size, modified: info.Modified, ref: ref},
			path:    name,
		}, nil
	}
	d := &directory{entries: entryReader{fs: f, scope: f.root.scope, prefix: top + name + "/"},
		info: fileInfo{name: path.Base(name), dir: true}, path: name}
	// If the directory is a scope, list it by that scope. "uploads" is not one.
	if owner, _, err := scope.ParseKey(d.entries.prefix + "x"); err == nil && f.root.scope.Contains(owner) {
		d.entries.scope = f.root.narrowScope(owner)
	} else {
		d.entries.after = d.entries.prefix
	}
	first, err := d.entries.readNext()
	if err != nil {
		return nil, fmt.Errorf("object: list: %w", err)
	}
	if first == nil {
		return nil, fs.ErrNotExist
	}
	d.first = first
	return d, nil
}

// pathError maps err to the errors of io/fs.
func pathError(op, name string, err error) error {
	switch {
	case errors.Is(err, ErrNotFound): // outside too: the text is the same
		err = fs.ErrNotExist
	case errors.Is(err, ErrDenied):
		err = fmt.Errorf("%w: %w", fs.ErrPermission, err)
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// fileInfo describes a file or a directory.
type fileInfo struct {
	name     string
	size     int64
	modified time.Time
	dir      bool
	ref      Ref
}

func (i fileInfo) Name() string { return i.name }
func (i fileInfo) Size() int64  { return i.size }
func (i fileInfo) IsDir() bool  { return i.dir }

// ModTime is truncated to the second: a list can be finer than a Stat.
func (i fileInfo) ModTime() time.Time { return i.modified.UTC().Truncate(time.Second) }

func (i fileInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

// Sys returns the pinned Ref of a file, or nil for a directory.
func (i fileInfo) Sys() any {
	if i.dir {
		return nil
	}
	return i.ref
}

func (i fileInfo) String() string { return fs.FormatFileInfo(i) }
