package object

import (
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/carrel-go/carrel/scope"
)

// directory is an open directory of a [Root.FS].
type directory struct {
	entries entryReader
	first   fs.DirEntry // read ahead by Open to check that the directory exists
	info    fileInfo
	path    string
	closed  bool
}

var _ fs.ReadDirFile = (*directory)(nil)

func (d *directory) Stat() (fs.FileInfo, error) {
	if d.closed {
		return nil, pathError("stat", d.path, fs.ErrClosed)
	}
	return d.info, nil
}

func (d *directory) Read([]byte) (int, error) {
	return 0, pathError("read", d.path, errors.New("is a directory"))
}

func (d *directory) Close() error {
	if d.closed {
		return pathError("close", d.path, fs.ErrClosed)
	}
	d.closed = true
	return nil
}

// ReadDir implements [fs.ReadDirFile]. It returns entries in the byte order of
// their keys, which can differ from the order of the names; fs.ReadDir sorts.
func (d *directory) ReadDir(n int) ([]fs.DirEntry, error) {
	if d.closed {
		return nil, pathError("readdir", d.path, fs.ErrClosed)
	}
	list := []fs.DirEntry{}
	for n <= 0 || len(list) < n {
		e := d.first
		d.first = nil
		if e == nil {
			var err error
			if e, err = d.entries.readNext(); err != nil {
				return list, pathError("readdir", d.path, err)
			}
		}
		if e == nil {
			if n > 0 && len(list) == 0 {
				return list, io.EOF
			}
			break
		}
		list = append(list, e)
	}
	return list, nil
}

// entryReader reads the entries directly below a prefix, page by page. All keys of
// a directory below are one entry. If they fill the page, the next page skips
// the rest of them.
type entryReader struct {
	fs     *fileSystem
	scope  scope.Scope // scope to list: that of the prefix or one that contains it
	prefix string
	after  string
	page   []Entry
	isLast bool   // page is the last one
	dir    string // the directory that was returned last
}

// readNext returns the next entry, or nil at the end.
func (s *entryReader) readNext() (fs.DirEntry, error) {
	for {
		if len(s.page) == 0 {
			if s.isLast {
				return nil, nil
			}
			if err := s.fetchPage(); err != nil {
				return nil, err
			}
			continue
		}
		e := s.page[0]
		s.page = s.page[1:]
		if e.Key <= s.after {
			return nil, errors.New("the driver returned a key twice, or out of order")
		}
		s.after = e.Key
		name, below := strings.CutPrefix(e.Key, s.prefix)
		if !below {
			if e.Key > s.prefix {
				s.page, s.isLast = nil, true
			}
			continue
		}
		ref, err := s.fs.root.parseEntry(e)
		if err != nil {
			continue // outside the layout of a scope
		}
		if dir, _, deeper := strings.Cut(name, "/"); deeper {
			if dir == s.dir {
				continue
			}
			s.dir = dir
			return fs.FileInfoToDirEntry(fileInfo{name: dir, dir: true}), nil
		}
		return fs.FileInfoToDirEntry(fileInfo{name: name, size: e.Info.Size, modified: e.Info.Modified, ref: ref}), nil
	}
}

func (s *entryReader) fetchPage() error {
	if s.dir != "" && strings.HasPrefix(s.after, s.prefix+s.dir+"/") {
		// Skip most keys of the directory; the others are ignored.
		s.after = max(s.after, s.prefix+s.dir+"/~")
	}
	page, more, err := s.fs.root.bucket.fetchPage(s.fs.ctx, s.scope, s.after)
	if err != nil {
		return err
	}
	s.page, s.isLast = page, !more
	return nil
}
