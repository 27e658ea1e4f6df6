package object

import (
	"errors"
	"io"
	"io/fs"
)

// file is an open file of a [Root.FS].
type file struct {
	content
	info fileInfo
	path string
}

var (
	_ io.ReadSeeker = (*file)(nil)
	_ io.ReaderAt   = (*file)(nil)
)

func (f *file) Stat() (fs.FileInfo, error) {
	if f.closed {
		return nil, pathError("stat", f.path, fs.ErrClosed)
	}
	return f.info, nil
}

func (f *file) Read(p []byte) (int, error) {
	n, err := f.content.Read(p)
	return n, f.wrapError("read", err)
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.content.ReadAt(p, off)
	return n, f.wrapError("read", err)
}

func (f *file) Seek(offset int64, whence int) (int64, error) {
	n, err := f.content.Seek(offset, whence)
	return n, f.wrapError("seek", err)
}

func (f *file) Close() error { return f.wrapError("close", f.content.Close()) }

// wrapError leaves io.EOF unwrapped, since readers compare it.
func (f *file) wrapError(op string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return pathError(op, f.path, err)
}
