package objecttools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope/object"
)

// A call reads a part of a file: the bytes from an offset on, up to its limit. It requests the part in ranges, and
// holds a block of it in memory. A line that is longer than a block is read in pieces. A sample reads small parts, its
// probes.

// blockLen is the size of the buffer for decoded text, and so the length of the longest line that is read in one piece.
const blockLen = 128 << 10

// The length of the first range request and of the longest one, in bytes.
const (
	firstRange = 256 << 10
	lastRange  = 16 << 20
)

// progressStep is the number of bytes between two progress reports.
const progressStep = 8 << 20

// progress is reported by [tools.Call.Progress] after every 8 MiB that a call reads.
type progress struct {
	File string `json:"file"` // the handle
	Read int64  `json:"read"` // the offset up to which the file has been read
	Size int64  `json:"size"` // the size of the file
}

// textReader reads a part of a file as UTF-8, a block at a time, in constant memory. The part ends at a character: an
// incomplete character at its end is left out.
type textReader struct {
	ctx      context.Context // of the call; a textReader does not outlive it
	body     io.ReadCloser   // the current range, or nil
	rest     int64           // the bytes that body has left
	step     int64           // the length of the next range
	enc      encoding
	off      int64  // the offset of buf in the file
	to       int64  // the end of the part
	final    bool   // the part ends where the file ends
	left     int64  // the bytes of the part that have not been read
	buf      []byte // decoded text that has not been consumed, in store
	store    []byte
	raw      []byte // text in another encoding that has not been decoded
	ended    bool   // the whole part is in buf
	file     *file
	reported int64 // left at the last progress report

	// The byte markN of buf is at mark in the file. It saves measuring the same UTF-16 twice.
	markN int
	mark  int64
}

// openText opens the part of f between two offsets. The reader uses the buffers of f, so only one may be open at a
// time. The caller must close it.
func (f *file) openText(ctx context.Context, from, to int64) (*textReader, error) {
	from = min(max(from, f.start), f.info.Size)
	to = min(max(to, from), f.info.Size)
	t := &textReader{
		ctx: ctx, step: firstRange, file: f, enc: f.enc, off: from, mark: from, to: to, final: to == f.info.Size,
		left: to - from,
	}
	if t.left == 0 {
		return t, nil
	}
	if err := t.openRange(); err != nil {
		return nil, err
	}
	t.reported = t.left
	if need := min(blockLen, 3*t.left+utf8.UTFMax); int64(cap(f.store)) < need {
		f.store = make([]byte, 0, need)
	}
	t.store = f.store[:0]
	t.buf = t.store
	if t.enc.isDecoded() {
		if need := min(blockLen/2, t.left); int64(cap(f.raw)) < need {
			f.raw = make([]byte, 0, need)
		}
		t.raw = f.raw[:0]
	}
	return t, nil
}

// openRange requests the next range. Ranges grow, because most calls need only the first one and others should send few
// requests. The Ref is pinned, so that all ranges are of the same version.
func (t *textReader) openRange() error {
	n := min(t.left, t.step)
	body, _, err := t.file.root.Open(t.ctx, t.file.ref, &object.Range{Off: t.to - t.left, Len: n})
	if err != nil {
		return mapStoreError(t.file.handle, err)
	}
	t.body, t.rest, t.step = body, n, min(4*t.step, lastRange)
	return nil
}

// loadBlock reads as much of the part into buf as a block holds.
func (t *textReader) loadBlock() error {
	for {
		switch err := t.fill(); {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrShortBuffer):
			return nil
		case err != nil:
			return err
		}
	}
}

// readAll reads the rest of the part. It returns an error if that is more than n bytes of text.
func (t *textReader) readAll(n int) ([]byte, error) {
	var all []byte
	for {
		all = append(all, t.buf...)
		t.skip(len(t.buf))
		if err := t.fill(); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		if len(all) > n {
			return nil, fmt.Errorf("objecttools: more than %d bytes of text", n)
		}
	}
}

// loadedFrom returns a reader of the text that is in buf, starting at byte n.
func (t *textReader) loadedFrom(n int) *textReader {
	off := t.offsetOf(n)
	return &textReader{enc: t.enc, off: off, mark: off, to: t.to, final: t.final && t.ended, buf: t.buf[n:], ended: true}
}

// Close closes the current range.
func (t *textReader) Close() {
	if t.body != nil {
		_ = t.body.Close() // read errors have been returned by fill
		t.body = nil
	}
}

// fill appends to buf. It returns io.EOF at the end of the part, io.ErrShortBuffer if buf is full, and the error of the
// call's context.
func (t *textReader) fill() error {
	for {
		if t.ended {
			return io.EOF
		}
		if t.left == 0 {
			t.ended = true
			if t.enc == utf8Text && !t.final {
				t.buf = t.buf[:len(t.buf)-partialRuneLen(t.buf)]
			}
			return io.EOF
		}
		if cap(t.buf) < cap(t.store) { // move the rest to the front
			t.buf = append(t.store, t.buf...)
		}
		if cap(t.buf)-len(t.buf) < utf8.UTFMax {
			return io.ErrShortBuffer
		}
		had := len(t.buf)
		if err := t.readBody(); err != nil {
			return err
		}
		if len(t.buf) > had {
			return nil
		}
	}
}

// readBody reads once from the body and decodes.
func (t *textReader) readBody() error {
	if err := t.ctx.Err(); err != nil {
		return fmt.Errorf("objecttools: %w", err)
	}
	if t.rest == 0 {
		t.Close()
		if err := t.openRange(); err != nil {
			return err
		}
	}
	if t.enc == utf8Text {
		space := t.buf[len(t.buf):cap(t.buf)]
		n, err := t.body.Read(space[:min(int64(len(space)), t.rest)])
		t.buf = t.buf[:len(t.buf)+n]
		return t.countRead(n, err)
	}
	// A code unit decodes to at most three bytes of UTF-8.
	space := t.raw[len(t.raw):cap(t.raw)]
	units := (cap(t.buf) - len(t.buf)) / 3
	if t.enc.isUTF16() {
		units *= 2
	}
	most := min(int64(len(space)), t.rest, int64(units-len(t.raw)))
	if most <= 0 {
		return io.ErrShortBuffer
	}
	n, err := t.body.Read(space[:most])
	t.raw = t.raw[:len(t.raw)+n]
	if err := t.countRead(n, err); err != nil {
		return err
	}
	var rest []byte
	t.buf, rest = t.enc.decode(t.buf, t.raw, t.left == 0 && t.final)
	t.raw = t.raw[:copy(t.raw, rest)]
	return nil
}

// countRead records that n bytes were read and reports progress. It ignores an error after the last byte of the range,
// and returns io.ErrUnexpectedEOF if the body ends early.
func (t *textReader) countRead(n int, err error) error {
	t.left -= int64(n)
	t.rest -= int64(n)
	if t.file != nil && t.reported-t.left >= progressStep {
		t.reported = t.left
		t.file.call.Progress(progress{File: t.file.handle, Read: t.to - t.left, Size: t.file.info.Size})
	}
	if err == nil || t.rest == 0 {
		return nil
	}
	return fmt.Errorf("objecttools: read: %w", unexpectedEOF(err))
}

// skip consumes n bytes of buf.
func (t *textReader) skip(n int) {
	t.off = t.offsetOf(n)
	t.buf = t.buf[n:]
	t.markN, t.mark = 0, t.off
}

// offsetOf returns the offset in the file of byte n of buf.
func (t *textReader) offsetOf(n int) int64 {
	if n < t.markN {
		t.markN, t.mark = 0, t.off
	}
	t.mark += t.enc.storedLen(t.buf[t.markN:n])
	t.markN = n
	return min(t.mark, t.to) // half a code unit at the end is one byte
}

// seekRune skips to the character that contains the byte at offset to.
func (t *textReader) seekRune(to int64) error {
	for {
		n, off := 0, t.off
		for utf8.FullRune(t.buf[n:]) || t.ended && n < len(t.buf) {
			_, w := utf8.DecodeRune(t.buf[n:])
			next := off + t.enc.storedLen(t.buf[n:n+w])
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
