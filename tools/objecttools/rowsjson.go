package objecttools

import (
	"bytes"
	"context"
	"errors"
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

	isIn bool // within a record
	kept []byte
	cut  bool
}

// splitterState is the place of a byte relative to a record.
type splitterState int

const (
	splitterOutside splitterState = iota
	splitterInside
	splitterEnds // the byte is the last one of the record
	splitterPast // the record ended before this byte
)

// consume consumes a byte and returns its place.
func (s *recordSplitter) consume(b byte) splitterState {
	if s.inString {
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
	if b == ' ' || b == '\t' || b == '\r' || b == '\n' {
		return s.keep(b)
	}
	begins := s.base > 0 && s.depth == s.base && !s.isIn && !s.isDone && b != ',' && b != ']'
	if s.base == 0 && s.isList && b == '{' {
		s.base, begins = s.depth, true
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

// readArray yields the records of JSON. It does not hold more of a record than a row may have.
func (r *Rows) readArray(ctx context.Context, row *Row, yield func(*Row) bool) error {
	t, err := r.f.openText(ctx, r.start, r.f.info.Size)
	if err != nil {
		return err
	}
	defer t.Close()
	s := &recordSplitter{max: r.max}
	var whole []byte // of the file, in case that it is a single record
	for {
		for i, b := range t.buf {
			if len(whole) < r.max {
				whole = append(whole, b)
			}
			wasIn := s.isIn
			state := s.consume(b)
			if s.isIn && !wasIn {
				*row = Row{Number: row.Number, Offset: t.offsetOf(i)}
			}
			if state != splitterEnds && state != splitterPast {
				continue
			}
			row.Record, row.Cut, row.End = bytes.TrimRight(s.kept, " \t\r\n"), s.cut, t.offsetOf(i)+1
			if !yield(row) {
				return nil
			}
		}
		t.skip(len(t.buf))
		if err := t.fill(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	switch {
	case s.isIn || s.inString || s.depth > 0:
		*row = Row{Number: row.Number, Offset: row.Offset, End: r.Size, Problem: "the file ends within a value"}
	case s.base == 0:
		*row = Row{Number: row.Number, Offset: r.start, End: r.Size, Record: whole, Cut: t.off-r.start > int64(len(whole))}
	default:
		return nil
	}
	yield(row)
	return nil
}
