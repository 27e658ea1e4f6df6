package objecttools

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	// maxName is the number of bytes of a member's name that are kept, as written.
	maxName = 128
	// maxLiteral is the length of the longest number in bytes.
	maxLiteral = 1 << 10
)

// scanString scans a string. If it is a name, its first bytes are kept in s.scratch as written.
func (s *jsonScanner) scanString(isName bool) error {
	s.scratch = s.scratch[:0]
	s.i++
	for {
		b, err := s.peek()
		if err != nil {
			return err
		}
		switch {
		case b == '"':
			s.i++
			return nil
		case b < ' ':
			return s.syntaxError("%s within a string", quoteByte(b))
		case b == '\\':
			if err := s.scanEscape(isName); err != nil {
				return err
			}
			continue
		}
		from := s.i
		for s.i < len(s.t.buf) && s.t.buf[s.i] != '"' && s.t.buf[s.i] != '\\' && s.t.buf[s.i] >= ' ' {
			s.i++
		}
		if isName {
			s.keep(s.t.buf[from:s.i], maxName)
		}
	}
}

func (s *jsonScanner) scanEscape(isName bool) error {
	for n, end := 0, 2; n < end; n++ {
		b, err := s.peek()
		if err != nil {
			return err
		}
		switch {
		case n == 1 && b == 'u':
			end = 6
		case n == 1 && strings.IndexByte(`"\/bfnrt`, b) < 0,
			n > 1 && !isDigit(b) && (b|0x20 < 'a' || b|0x20 > 'f'):
			return s.syntaxError("%s within an escape", quoteByte(b))
		}
		if isName {
			s.keep([]byte{b}, maxName)
		}
		s.i++
	}
	return nil
}

// keep appends b to s.scratch, up to limit+1 bytes: one byte more shows that it was longer.
func (s *jsonScanner) keep(b []byte, limit int) {
	s.scratch = append(s.scratch, b[:min(len(b), limit+1-len(s.scratch))]...)
}

// scanLiteral scans a number, true, false or null.
func (s *jsonScanner) scanLiteral() error {
	s.scratch = s.scratch[:0]
	at := s.offset()
	for {
		b, err := s.peek()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil || endsLiteral(b) {
			break
		}
		from := s.i
		for s.i < len(s.t.buf) && !endsLiteral(s.t.buf[s.i]) {
			s.i++
		}
		if s.keep(s.t.buf[from:s.i], maxLiteral); len(s.scratch) > maxLiteral {
			return &jsonError{at, fmt.Sprintf("a number or word of more than %d bytes", maxLiteral)}
		}
	}
	if !json.Valid(s.scratch) {
		text, _ := s.t.enc.toText(s.scratch)
		return &jsonError{at, fmt.Sprintf("%q instead of a value", truncateRunes(text, 20))}
	}
	return nil
}

func endsLiteral(b byte) bool {
	switch b {
	case ' ', '\t', '\r', '\n', ',', ':', '"', '[', ']', '{', '}':
		return true
	}
	return false
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// quoteByte returns b for an error message.
func quoteByte(b byte) string {
	switch {
	case b == '\n':
		return "a line end"
	case b > ' ' && b < 0x7f:
		return fmt.Sprintf("'%c'", b)
	}
	return fmt.Sprintf("byte 0x%02x", b)
}
