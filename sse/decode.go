package sse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"time"
)

const (
	defaultMaxEvent = 1 << 20
	readSize        = 4 << 10
	keptRead        = 64 << 10 // largest buffer in bytes that a decoder keeps
)

// Decode yields the events of one stream until r ends. It follows the specification, except that it keeps invalid
// UTF-8 unchanged. An incomplete event at the end is dropped. If r fails, or the data of an event or another line is
// longer than maxEvent bytes, Decode yields an error and ends. If maxEvent is zero, the limit is 1 MiB.
func Decode(r io.Reader, maxEvent int) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if r == nil {
			yield(Event{}, errNilReader)
			return
		}
		d := newDecoder(r, maxEvent, "")
		for {
			e, err := d.readEvent()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Event{}, fmt.Errorf("sse: read: %w", err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

type decoder struct {
	r     io.Reader
	limit int

	buf     []byte
	pos     int   // where the unread bytes of buf begin
	scanned int   // number of unread bytes that do not end a line
	skipLF  bool  // whether the last line ended with CR
	started bool  // whether the first line was read
	err     error // the error of r

	id, name string // of the event in progress
	data     []byte // of the event in progress, each line with LF

	lastID string        // id of the last complete block
	retry  time.Duration // last value of retry, or -1
}

// newDecoder returns a decoder for a stream that continues after the event lastID. Like browsers, it keeps that id
// until the stream sends one.
func newDecoder(r io.Reader, maxEvent int, lastID string) *decoder {
	if maxEvent <= 0 {
		maxEvent = defaultMaxEvent
	}
	return &decoder{r: r, limit: maxEvent, id: lastID, lastID: lastID, retry: -1}
}

// readEvent returns the next event. It returns io.EOF if the stream ends.
func (d *decoder) readEvent() (Event, error) {
	for {
		line, err := d.readLine()
		if err != nil {
			return Event{}, err
		}
		if len(line) > 0 {
			if err := d.parseField(line); err != nil {
				return Event{}, err
			}
			continue
		}
		e := Event{ID: d.id, Name: d.name}
		d.lastID, d.name = d.id, ""
		if len(d.data) == 0 {
			continue // a block without data is not an event
		}
		e.Data = bytes.Clone(d.data[:len(d.data)-1])
		if d.data = d.data[:0]; cap(d.data) > keptRead {
			d.data = nil
		}
		return e, nil
	}
}

// parseField applies one line that is not empty.
func (d *decoder) parseField(line []byte) error {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		if len(d.data)+len(value) > d.limit {
			return d.errTooLarge()
		}
		d.data = append(append(d.data, value...), '\n')
	case "event":
		d.name = string(value)
	case "id":
		if bytes.IndexByte(value, 0) < 0 && string(value) != d.id {
			d.id = string(value)
		}
	case "retry":
		if ms, ok := parseDigits(value); ok {
			d.retry = time.Duration(min(ms, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
		}
	}
	return nil
}

// parseDigits parses a number of ASCII digits. A number that does not fit is the largest that does.
func parseDigits(b []byte) (n int64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n > (math.MaxInt64-9)/10 {
			n = math.MaxInt64 / 10
			continue
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(b) > 0
}

// readLine returns the next line without its end. The line is valid until the next call. A line that ends with CR is
// returned before the next byte arrives.
func (d *decoder) readLine() ([]byte, error) {
	for {
		unread := d.buf[d.pos:]
		if d.skipLF && len(unread) > 0 {
			if d.skipLF = false; unread[0] == '\n' {
				d.pos++
				unread = unread[1:]
			}
		}
		if end := lineEnd(unread[d.scanned:]); end >= 0 {
			end += d.scanned
			line := unread[:end]
			d.skipLF, d.scanned = unread[end] == '\r', 0
			d.pos += end + 1
			if !d.started {
				line, d.started = bytes.TrimPrefix(line, []byte("\ufeff")), true
			}
			return line, nil
		}
		d.scanned = len(unread)
		if d.scanned > d.limit+len("data: ") {
			return nil, d.errTooLarge()
		}
		if d.err != nil {
			return nil, d.err
		}
		d.fillBuffer()
	}
}

func lineEnd(b []byte) int {
	lf := bytes.IndexByte(b, '\n')
	if lf >= 0 {
		b = b[:lf]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return lf
}

// fillBuffer moves the unread bytes to the front of buf and reads at most readSize more.
func (d *decoder) fillBuffer() {
	if d.pos > 0 {
		d.buf, d.pos = d.buf[:copy(d.buf, d.buf[d.pos:])], 0
	}
	if len(d.buf) == 0 && cap(d.buf) > keptRead {
		d.buf = nil
	}
	d.buf = slices.Grow(d.buf, readSize)
	for range 100 {
		n, err := d.r.Read(d.buf[len(d.buf) : len(d.buf)+readSize])
		d.buf, d.err = d.buf[:len(d.buf)+n], err
		if n > 0 || err != nil {
			return
		}
	}
	d.err = io.ErrNoProgress
}

func (d *decoder) errTooLarge() error {
	return fmt.Errorf("%w: limit is %d bytes", ErrTooLarge, d.limit)
}
