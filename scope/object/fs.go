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

// FS returns the root as a file system that is read only, so that what reads an
// [fs.FS] (fs.WalkDir, http.FS, archive/zip, …) works on what lies in the scope
// and on nothing else. ctx bounds all that is done through it.
//
// The tree is that of the keys below the root's prefix. A session's root has
// its files at the top; a user's has theirs, and uploads/<session>/<file>; a
// tenant's has shared/<file> and user=<id>/… . A directory is there when a file
// lies in it; the top is always there. Keys that are in no scope's layout are
// not there.
//
// Memory stays bounded whatever the size of a file or a directory: files
// stream, and are [io.Seeker] and [io.ReaderAt] too, each ReadAt being a request
// of its own; a directory is read by pages, except where all of it is asked
// for. An open file is pinned: once something else lies under its name, reading
// answers ErrChanged. Its FileInfo's Sys is the pinned [Ref]. Times are those of
// the store, to the second; a directory's is zero.
//
// Errors are *[fs.PathError]; what is not there or outside is fs.ErrNotExist,
// what the store denies fs.ErrPermission.
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
	file, err := f.open(name)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return file, nil
}

func (f *fileSystem) open(name string) (fs.File, error) {
	top := f.root.scope.Prefix()
	if name == "." {
		return &directory{entries: entries{fs: f, scope: f.root.scope, prefix: top}, info: fileInfo{name: ".", dir: true}, path: name}, nil
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
	d := &directory{entries: entries{fs: f, scope: f.root.scope, prefix: top + name + "/"}, info: fileInfo{name: path.Base(name), dir: true}, path: name}
	// Where the directory is a scope of its own, that scope lists it; "uploads" is none.
	if owner, _, err := scope.ParseKey(d.entries.prefix + "x"); err == nil && f.root.scope.Contains(owner) {
		d.entries.scope = f.root.narrow(owner)
	} else {
		d.entries.after = d.entries.prefix
	}
	first, err := d.entries.next()
	if err != nil {
		return nil, fmt.Errorf("object: list: %w", err)
	}
	if first == nil {
		return nil, fs.ErrNotExist
	}
	d.first = first
	return d, nil
}

// pathError says of an error what io/fs has a word for.
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

// ModTime is cut to the second: a list may be finer than a Stat.
func (i fileInfo) ModTime() time.Time { return i.modified.UTC().Truncate(time.Second) }

func (i fileInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

// Sys returns the Ref of a file, pinned; nil for a directory.
func (i fileInfo) Sys() any {
	if i.dir {
		return nil
	}
	return i.ref
}

func (i fileInfo) String() string { return fs.FormatFileInfo(i) }
