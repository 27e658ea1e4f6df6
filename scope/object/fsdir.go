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
	entries entries
	first   fs.DirEntry // has been read to see whether there is one
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

// ReadDir implements [fs.ReadDirFile]. The order is that of the keys' bytes,
// which is nearly that of the names; fs.ReadDir sorts.
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
			if e, err = d.entries.next(); err != nil {
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

// entries walks what lies directly below a prefix, a page at a time. What lies
// deeper is one entry for each directory; the rest of a directory that fills a
// page is leapt over.
type entries struct {
	fs     *fileSystem
	scope  scope.Scope // what is listed: the prefix's own, or one around it
	prefix string
	after  string
	page   []Entry
	last   bool   // nothing follows the page
	within string // the directory that was returned last
}

// next returns the next entry, or nil at the end.
func (s *entries) next() (fs.DirEntry, error) {
	for {
		if len(s.page) == 0 {
			if s.last {
				return nil, nil
			}
			if err := s.turn(); err != nil {
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
				s.page, s.last = nil, true
			}
			continue
		}
		ref, err := s.fs.root.entry(e)
		if err != nil {
			continue // in no scope's layout
		}
		if dir, _, deeper := strings.Cut(name, "/"); deeper {
			if dir == s.within {
				continue
			}
			s.within = dir
			return fs.FileInfoToDirEntry(fileInfo{name: dir, dir: true}), nil
		}
		return fs.FileInfoToDirEntry(fileInfo{name: name, size: e.Info.Size, modified: e.Info.Modified, ref: ref}), nil
	}
}

// turn fetches the next page.
func (s *entries) turn() error {
	if s.within != "" && strings.HasPrefix(s.after, s.prefix+s.within+"/") {
		// Past most of what is in there; some that still comes does no harm.
		s.after = max(s.after, s.prefix+s.within+"/~")
	}
	bucket := s.fs.root.bucket
	page, more, err := bucket.driver.List(s.fs.ctx, s.scope, s.after, bucket.page)
	if err != nil {
		return err
	}
	if more && len(page) == 0 {
		return errors.New("the driver returned an empty page and says that more follow")
	}
	s.page, s.last = page, !more
	return nil
}
