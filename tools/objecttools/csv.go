package objecttools

import (
	"errors"
	"io"
)

const (
	// maxFields is how many fields of one record are kept.
	maxFields = 4096
	// rawKept is how much of a record is kept as it stands, to be shown where it is malformed.
	rawKept = 256
)

// record is a record of CSV, or what is there in its place.
type record struct {
	off, end int64  // where it lies in the file
	fields   int    // how many it has
	data     []byte // the kept fields, one behind the other
	ends     []int  // where each ends in data
	cut      bool   // not all of it is kept
	problem  string // why it is no record, or ""
	at       int64  // where the problem is
	raw      []byte // its beginning as it stands
	resume   int64  // where the line behind its first line begins, if it has more than one; else 0
}

func (r *record) field(i int) []byte {
	from := 0
	if i > 0 {
		from = r.ends[i-1]
	}
	return r.data[from:r.ends[i]]
}

func (r *record) reset(off int64) {
	*r = record{off: off, data: r.data[:0], ends: r.ends[:0], raw: r.raw[:0]}
}

// records reads CSV as encoding/csv does without LazyQuotes, with four differences: line ends within quotes stay as
// they are; a malformed record is reported and passed over, up to the end of its line; a record of any size takes no
// more memory than is kept of it; and records may end with CR alone.
type records struct {
	t          *text
	comma, eol byte
	keep       int // bytes of fields to keep of each record
	state      csvState
	cr         bool // a CR has come, and is not yet known to be half a line end
	quote      int64
	rec        record
}

type csvState int

const (
	fieldStart csvState = iota
	bare
	quoted
	quoteSeen // within quotes: it ends them, or is the first of two
	malformed
)

func (f *file) records(t *text, keep int) *records {
	return &records{t: t, comma: f.form.comma, eol: f.form.eol, keep: keep}
}

// next reads the next record into s.rec. io.EOF: there is none. errPart: the part that is read has ended within the
// record, which begins at s.rec.off.
func (s *records) next() error {
	t := s.t
	s.state, s.cr = fieldStart, false
	s.rec.reset(t.off)
	for {
		for i := 0; i < len(t.buf); i++ {
			if i = s.run(i); i == len(t.buf) {
				break
			}
			if !s.step(t.buf[i], i) {
				continue
			}
			t.skip(i + 1)
			if !s.blank() {
				s.rec.end = t.off
				return nil
			}
			s.state = fieldStart
			s.rec.reset(t.off)
			i = -1
		}
		t.skip(len(t.buf))
		switch err := t.fill(); {
		case err == nil:
		case !errors.Is(err, io.EOF):
			return err
		case !t.final:
			return errPart
		default:
			return s.last()
		}
	}
}

// run takes what has no meaning from byte i of the buffer on, and gives the byte where it ends.
func (s *records) run(i int) int {
	from, b := i, s.t.buf
	switch {
	case s.cr:
	case s.state == bare:
		for i < len(b) && b[i] != s.comma && b[i] != '"' && b[i] != '\n' && b[i] != '\r' {
			i++
		}
	case s.state == quoted:
		for i < len(b) && b[i] != '"' && b[i] != s.eol {
			i++
		}
	}
	s.show(b[from:i])
	s.put(b[from:i])
	return i
}

// show keeps how the record begins.
func (s *records) show(b []byte) {
	s.rec.raw = append(s.rec.raw, b[:min(len(b), rawKept-len(s.rec.raw))]...)
}

// last ends the record that the file ends in.
func (s *records) last() error {
	s.cr = false // a CR before the end ends the record
	switch s.state {
	case fieldStart:
		if s.rec.fields == 0 {
			return io.EOF
		}
		s.field()
	case quoted:
		s.fail(s.quote, "a quote that is opened here is never closed")
	case malformed:
	default:
		s.field()
	}
	s.rec.end = s.t.off
	return nil
}

// blank says that the record that has just ended is an empty line, which is none.
func (s *records) blank() bool {
	return s.rec.fields == 1 && s.rec.problem == "" && len(s.rec.raw) == 0
}

// step takes byte i of the buffer and says whether it ends the record.
func (s *records) step(b byte, i int) bool {
	if s.cr {
		s.cr = false
		if b != '\n' {
			s.plain('\r', max(i-1, 0))
		} else if s.state != malformed {
			s.field()
			return true
		}
	}
	if b == s.eol && s.state != quoted {
		if s.state != malformed {
			s.field()
		}
		return true
	}
	if b == '\r' && s.eol == '\n' && s.state != quoted && s.state != malformed {
		s.cr = true
		return false
	}
	s.plain(b, i)
	return false
}

// plain takes a byte that ends no record.
func (s *records) plain(b byte, i int) {
	s.show([]byte{b})
	switch s.state {
	case fieldStart, bare:
		switch {
		case b == s.comma:
			s.field()
			s.state = fieldStart
		case b == '"' && s.state == fieldStart:
			s.state, s.quote = quoted, s.t.at(i)
		case b == '"':
			s.fail(s.t.at(i), "a quote stands inside a field that does not begin with one")
		default:
			s.state = bare
			s.put([]byte{b})
		}
	case quoted:
		if b == '"' {
			s.state = quoteSeen
			return
		}
		if b == s.eol && s.rec.resume == 0 {
			s.rec.resume = s.t.at(i + 1)
		}
		s.put([]byte{b})
	case quoteSeen:
		switch b {
		case '"':
			s.state = quoted
			s.put([]byte{b})
		case s.comma:
			s.field()
			s.state = fieldStart
		default:
			s.fail(s.t.at(i), "something other than a separator follows a closing quote")
		}
	}
}

func (s *records) put(b []byte) {
	n := min(len(b), max(s.keep-len(s.rec.data), 0))
	s.rec.data = append(s.rec.data, b[:n]...)
	s.rec.cut = s.rec.cut || n < len(b)
}

func (s *records) field() {
	s.rec.fields++
	if len(s.rec.ends) < maxFields {
		s.rec.ends = append(s.rec.ends, len(s.rec.data))
	} else {
		s.rec.cut = true
	}
}

func (s *records) fail(at int64, problem string) {
	s.state, s.rec.problem, s.rec.at = malformed, problem, at
}
