package objecttools

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// recordSplitter finds the records of a JSON file without checking them: the items of the array that is its root, or of
// the first array of objects in the object that is its root, or else that object. It keeps the first bytes of a record.
type recordSplitter struct {
	max int

	depth            int
	inString, escape bool
	base             int  // the depth within the array, or 0 before it begins
	isList           bool // the last byte but white space began an array within the root
	isDone           bool // the array has ended
	hasEnded         bool // the root has ended
	count            int64
	outline          outline
	whole            []byte // the root, in case that it is a single record
	isWholeCut       bool

	isIn bool // within a record
	kept []byte
	cut  bool
}

// splitterState is the place of a byte relative to a record.
type splitterState int

const (
	splitterOutside splitterState = iota
	splitterInside
	splitterEnds     // the byte is the last one of the record
	splitterPast     // the record ended before this byte
	splitterTrailing // the root ended before this byte
)

// consume consumes a byte and returns its place.
func (s *recordSplitter) consume(b byte) splitterState {
	s.count++
	isSpace := b == ' ' || b == '\t' || b == '\r' || b == '\n'
	switch {
	case s.hasEnded && isSpace:
		return splitterOutside
	case s.hasEnded:
		return splitterTrailing
	case s.inString:
		return s.consumeText(b)
	case isSpace:
		return s.keep(b)
	}
	s.outline.consume(b, s.depth, s.count-1)
	begins := s.base > 0 && s.depth == s.base && !s.isIn && !s.isDone && b != ',' && b != ']'
	if s.base == 0 && s.isList && b == '{' {
		s.base, begins = s.depth, true
		s.outline.beginRows()
	}
	s.isList = false
	if begins {
		s.isIn, s.kept, s.cut = true, s.kept[:0], false
	}
	switch b {
	case '"':
		s.inString = true
	case '{', '[':
		s.depth++
		switch {
		case b == '[' && s.depth == 1:
			s.base = 1
		case b == '[' && s.depth == 2:
			s.isList = s.base == 0
		}
	case '}', ']':
		s.depth--
		s.hasEnded = s.depth <= 0
		if s.isIn && s.depth == s.base {
			s.keep(b)
			s.isIn = false
			return splitterEnds
		}
		if s.depth < s.base {
			s.isDone = true
			if s.isIn { // a number or a word at the end of the array
				s.isIn = false
				return splitterPast
			}
		}
	case ',':
		if s.isIn && s.depth == s.base {
			s.isIn = false
			return splitterPast
		}
	}
	return s.keep(b)
}

// consumeText consumes a byte within a string.
func (s *recordSplitter) consumeText(b byte) splitterState {
	s.outline.consumeText(b, b == '"' && !s.escape)
	switch {
	case s.escape:
		s.escape = false
	case b == '\\':
		s.escape = true
	case b == '"':
		s.inString = false
	}
	return s.keep(b)
}

func (s *recordSplitter) keep(b byte) splitterState {
	if !s.isIn {
		return splitterOutside
	}
	if len(s.kept) < s.max {
		s.kept = append(s.kept, b)
	} else {
		s.cut = true
	}
	return splitterInside
}

// keepWhole keeps a byte of the root.
func (s *recordSplitter) keepWhole(b byte) {
	switch {
	case s.hasEnded:
	case len(s.whole) < s.max:
		s.whole = append(s.whole, b)
	default:
		s.isWholeCut = true
	}
}

// readArray yields the records of JSON. It does not hold more of a record than a row may have. Then it adds a note
// about the members of the root that it has not read.
func (r *Rows) readArray(ctx context.Context, row *Row, yield func(*Row) bool) error {
	t, err := r.f.openText(ctx, r.start, r.f.info.Size)
	if err != nil {
		return err
	}
	defer t.Close()
	a := &arrayReader{s: recordSplitter{max: r.max}, row: row, yield: yield, end: r.Size, trailing: -1}
	for a.trailing < 0 {
		if !a.readBuffer(t) {
			return nil
		}
		t.skip(len(t.buf))
		if err := t.fill(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	if note := a.s.outline.note(); note != "" {
		r.Notes = append(r.Notes, note)
	}
	a.finish(r)
	return nil
}

// arrayReader yields the records of JSON.
type arrayReader struct {
	s        recordSplitter
	row      *Row
	yield    func(*Row) bool
	end      int64 // the offset after the root
	trailing int64 // the offset of other text after it, or -1
}

// readBuffer yields the records that end in the buffer of t. It reports whether to continue.
func (a *arrayReader) readBuffer(t *textReader) bool {
	s, row := &a.s, a.row
	for i, b := range t.buf {
		s.keepWhole(b)
		wasIn, hadEnded := s.isIn, s.hasEnded
		state := s.consume(b)
		if s.hasEnded && !hadEnded {
			a.end = t.offsetOf(i) + 1
		}
		if s.isIn && !wasIn {
			*row = Row{Number: row.Number, Offset: t.offsetOf(i)}
		}
		switch state {
		case splitterTrailing:
			a.trailing = t.offsetOf(i)
			return true
		case splitterEnds, splitterPast:
			row.Record, row.Cut, row.End = bytes.TrimRight(s.kept, " \t\r\n"), s.cut, t.offsetOf(i)+1
			if !a.yield(row) {
				return false
			}
		}
	}
	return true
}

// finish yields the root if it is a single record, and the problem with the end of the file.
func (a *arrayReader) finish(r *Rows) {
	s, n := &a.s, a.row.Number
	switch {
	case s.isIn || s.inString || s.depth > 0:
		*a.row = Row{Number: n, Offset: a.row.Offset, End: r.Size, Problem: "the file ends within a value"}
		a.yield(a.row)
		return
	case s.base == 0:
		*a.row = Row{Number: n, Offset: r.start, End: a.end, Record: s.whole, Cut: s.isWholeCut}
		if !a.yield(a.row) {
			return
		}
	}
	if a.trailing >= 0 {
		const problem = "the value of the file ends at byte %d, and the text after it is not read"
		*a.row = Row{Number: a.row.Number, Offset: a.trailing, End: r.Size, Problem: fmt.Sprintf(problem, a.end)}
		a.yield(a.row)
	}
}
