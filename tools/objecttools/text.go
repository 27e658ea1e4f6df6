package objecttools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope/object"
)

// blockLen is how much decoded text is held at a time, and so the longest line that is looked at in one piece.
const blockLen = 128 << 10

// The first range of a text and the longest, in bytes.
const (
	firstRange = 256 << 10
	lastRange  = 16 << 20
)

// progressStep is how many bytes are read between two [Progress]es.
const progressStep = 8 << 20

// Progress is what a call that reads much of a file tells by [tools.Call.Progress]: it has read up to byte Read of Size.
type Progress struct {
	File string `json:"file"`
	Read int64  `json:"read"`
	Size int64  `json:"size"`
}

// text reads the bytes from one place of a file to another as UTF-8, a block at a time: memory is the block, whatever
// the file's size. It ends at a character's edge, so a character that the part cuts off is not in it.
type text struct {
	ctx   context.Context // of the call, which is all that a text lives for
	body  io.ReadCloser   // the range that is being read; nil for none
	rest  int64           // bytes that body has yet to give
	step  int64           // how long the next range is
	enc   encoding
	off   int64  // where buf begins, in the file
	to    int64  // where the part ends
	final bool   // it ends where the file does
	left  int64  // bytes of the part that are yet to come
	buf   []byte // decoded and not consumed, somewhere in store
	store []byte
	raw   []byte // UTF-16: read and not decoded
	ended bool   // nothing more comes
	file  *file  // of which this is a part
	told  int64  // how much of left had been told when progress was last told
	markN int    // byte markN of buf lies at mark in the file: UTF-16 has to be measured, and is so once
	mark  int64
}

// text opens the part of f between two offsets. It must be closed, and it uses f's buffers: one text of a file at a time.
func (f *file) text(ctx context.Context, from, to int64) (*text, error) {
	from = min(max(from, f.start), f.info.Size)
	to = min(max(to, from), f.info.Size)
	t := &text{ctx: ctx, step: firstRange, file: f, enc: f.enc, off: from, mark: from, to: to, final: to == f.info.Size, left: to - from}
	if t.left == 0 {
		return t, nil
	}
	if err := t.open(); err != nil {
		return nil, err
	}
	t.told = t.left
	if need := min(blockLen, 2*t.left+utf8.UTFMax); int64(cap(f.store)) < need {
		f.store = make([]byte, 0, need)
	}
	t.store = f.store[:0]
	t.buf = t.store
	if t.enc != utf8Text {
		if need := min(blockLen/2, t.left); int64(cap(f.raw)) < need {
			f.raw = make([]byte, 0, need)
		}
		t.raw = f.raw[:0]
	}
	return t, nil
}

// open opens the next range. They grow: most calls stop after the first, which is short, and those that read on make
// few requests. The Ref is pinned, so all of them are of one content.
func (t *text) open() error {
	n := min(t.left, t.step)
	body, _, err := t.file.root.Open(t.ctx, t.file.ref, &object.Range{Off: t.to - t.left, Len: n})
	if err != nil {
		return explain(t.file.handle, err)
	}
	t.body, t.rest, t.step = body, n, min(4*t.step, lastRange)
	return nil
}

// load reads all of the part into buf, as far as a block holds.
func (t *text) load() error {
	for {
		switch err := t.fill(); {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrShortBuffer):
			return nil
		case err != nil:
			return err
		}
	}
}

// from is a text of its own of what has been loaded, from byte n of buf on.
func (t *text) from(n int) *text {
	off := t.at(n)
	return &text{enc: t.enc, off: off, mark: off, to: t.to, final: t.final && t.ended, buf: t.buf[n:], ended: true}
}

// Close ends the reading.
func (t *text) Close() {
	if t.body != nil {
		_ = t.body.Close() // what was needed of it has been read, or an error says so
		t.body = nil
	}
}

// fill adds to buf. io.EOF means that the part has ended, io.ErrShortBuffer that buf is full.
func (t *text) fill() error {
	for {
		if t.ended {
			return io.EOF
		}
		if t.left == 0 {
			t.ended = true
			if t.enc == utf8Text && !t.final {
				t.buf = t.buf[:len(t.buf)-cutRune(t.buf)]
			}
			return io.EOF
		}
		if cap(t.buf) < cap(t.store) { // something was skipped
			t.buf = append(t.store, t.buf...)
		}
		if cap(t.buf)-len(t.buf) < utf8.UTFMax {
			return io.ErrShortBuffer
		}
		had := len(t.buf)
		if err := t.read(); err != nil {
			return err
		}
		if len(t.buf) > had {
			return nil
		}
	}
}

// read reads once from the body, and decodes.
func (t *text) read() error {
	if t.rest == 0 {
		t.Close()
		if err := t.open(); err != nil {
			return err
		}
	}
	if t.enc == utf8Text {
		space := t.buf[len(t.buf):cap(t.buf)]
		n, err := t.body.Read(space[:min(int64(len(space)), t.rest)])
		t.buf = t.buf[:len(t.buf)+n]
		return t.count(n, err)
	}
	// Two bytes of UTF-16 are up to three of UTF-8.
	space := t.raw[len(t.raw):cap(t.raw)]
	can := min(int64(len(space)), t.rest, int64((cap(t.buf)-len(t.buf))/3*2-len(t.raw)))
	if can <= 0 {
		return io.ErrShortBuffer
	}
	n, err := t.body.Read(space[:can])
	t.raw = t.raw[:len(t.raw)+n]
	if err := t.count(n, err); err != nil {
		return err
	}
	var rest []byte
	t.buf, rest = t.enc.decode16(t.buf, t.raw, t.left == 0 && t.final)
	t.raw = t.raw[:copy(t.raw, rest)]
	return nil
}

// count notes that n bytes have come, and judges the error that came with them: a body that ends early is one.
func (t *text) count(n int, err error) error {
	t.left -= int64(n)
	t.rest -= int64(n)
	if t.file != nil && t.told-t.left >= progressStep {
		t.told = t.left
		t.file.call.Progress(Progress{File: t.file.handle, Read: t.to - t.left, Size: t.file.info.Size})
	}
	if err == nil || t.rest == 0 {
		return nil
	}
	return fmt.Errorf("objecttools: read: %w", unexpected(err))
}

// skip drops n bytes of buf.
func (t *text) skip(n int) {
	t.off = t.at(n)
	t.buf = t.buf[n:]
	t.markN, t.mark = 0, t.off
}

// at is the offset in the file of byte n of buf.
func (t *text) at(n int) int64 {
	if n < t.markN {
		t.markN, t.mark = 0, t.off
	}
	t.mark += t.enc.rawLen(t.buf[t.markN:n])
	t.markN = n
	return min(t.mark, t.to) // half a unit at the end is one byte
}

// seek drops what comes before the character that offset to is in.
func (t *text) seek(to int64) error {
	for {
		n, off := 0, t.off
		for utf8.FullRune(t.buf[n:]) || t.ended && n < len(t.buf) {
			_, w := utf8.DecodeRune(t.buf[n:])
			next := off + t.enc.rawLen(t.buf[n:n+w])
			if next > to {
				t.skip(n)
				return nil
			}
			n, off = n+w, next
		}
		t.skip(n)
		if err := t.fill(); errors.Is(err, io.EOF) {
			if len(t.buf) > 0 {
				continue
			}
			return nil
		} else if err != nil {
			return err
		}
	}
}
