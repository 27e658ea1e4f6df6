package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// content reads an object's bytes at any offset. It opens ranges of the object
// and does not buffer them. Its Ref is pinned, so all reads are of one object.
type content struct {
	ctx    context.Context
	root   *Root
	ref    Ref
	size   int64
	off    int64
	body   io.ReadCloser // from off on; nil until the first Read there
	closed bool
}

func (c *content) Read(p []byte) (int, error) {
	switch {
	case c.closed:
		return 0, fs.ErrClosed
	case c.off >= c.size:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	if c.body == nil {
		body, _, err := c.root.Open(c.ctx, c.ref, &Range{Off: c.off})
		if err != nil {
			return 0, err
		}
		c.body = body
	}
	n, err := c.body.Read(p)
	c.off += int64(n)
	if errors.Is(err, io.EOF) && c.off < c.size {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// ReadAt opens a range for each call. It is safe for concurrent use.
func (c *content) ReadAt(p []byte, off int64) (int, error) {
	switch {
	case c.closed:
		return 0, fs.ErrClosed
	case off < 0:
		return 0, ErrRange
	case off >= c.size:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	want := min(int64(len(p)), c.size-off)
	body, _, err := c.root.Open(c.ctx, c.ref, &Range{Off: off, Len: want})
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(body, p[:want])
	switch {
	case errors.Is(err, io.EOF): // the body ended before its first byte
		err = io.ErrUnexpectedEOF
	case err == nil && n < len(p):
		err = io.EOF
	}
	if closing := body.Close(); closing != nil && err == nil {
		err = closing
	}
	return n, err
}

func (c *content) Seek(offset int64, whence int) (int64, error) {
	if c.closed {
		return 0, fs.ErrClosed
	}
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += c.off
	case io.SeekEnd:
		offset += c.size
	default:
		return 0, invalidf("whence %d", whence)
	}
	if offset < 0 {
		return 0, ErrRange
	}
	if offset != c.off {
		if err := c.closeBody(); err != nil {
			return 0, err
		}
		c.off = offset
	}
	return offset, nil
}

func (c *content) Close() error {
	if c.closed {
		return fs.ErrClosed
	}
	c.closed = true
	return c.closeBody()
}

// closeBody closes the open range, if there is one.
func (c *content) closeBody() error {
	if c.body == nil {
		return nil
	}
	err := c.body.Close()
	c.body = nil
	if err != nil {
		return fmt.Errorf("object: close %q: %w", c.ref.name, err)
	}
	return nil
}
