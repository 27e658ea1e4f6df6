package objecttools

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	// maxDepth is how deep JSON may be nested.
	maxDepth = 200
	// maxName is how many bytes of a name, as written, are kept.
	maxName = 128
)

// jsonError says where JSON is malformed.
type jsonError struct {
	at  int64 // in the file
	msg string
}

func (e *jsonError) Error() string { return fmt.Sprintf("%s at byte %d", e.msg, e.at) }

// scanner reads JSON of any size in the memory of a block, and tells a shape what it sees. It checks the grammar of
// RFC 8259; whether names come twice it does not.
type scanner struct {
	t       *text
	i       int  // what of t's buffer has been read
	oneLine bool // a line end is no space: JSON Lines
	shape   *shape
	name    []byte // scratch
}

// peek gives the next byte. io.EOF: the file has ended; errPart: the part has.
func (s *scanner) peek() (byte, error) {
	for s.i == len(s.t.buf) {
		s.t.skip(s.i)
		s.i = 0
		if err := s.t.fill(); errors.Is(err, io.EOF) {
			if !s.t.final {
				return 0, errPart
			}
			return 0, io.EOF
		} else if err != nil {
			return 0, err
		}
	}
	return s.t.buf[s.i], nil
}

func (s *scanner) at() int64 { return s.t.at(s.i) }

func (s *scanner) bad(format string, args ...any) error {
	return &jsonError{s.at(), fmt.Sprintf(format, args...)}
}

// inside turns the end of the file, which has come too early, into an error of the grammar.
func (s *scanner) inside(err error) error {
	if errors.Is(err, io.EOF) {
		return s.bad("the file ends within a value")
	}
	return err
}

// space skips white space and gives the byte behind it.
func (s *scanner) space() (byte, error) {
	for {
		b, err := s.peek()
		if err != nil {
			return 0, err
		}
		if b != ' ' && b != '\t' && b != '\r' && (b != '\n' || s.oneLine) {
			return b, nil
		}
		s.i++
	}
}

// document reads one value at the root. io.EOF: there is none.
func (s *scanner) document() error {
	b, err := s.space()
	if err != nil {
		return err
	}
	return s.inside(s.value(b, s.shape.root(), 0))
}

// value reads the value that begins with b, which has not been consumed, and counts it for node.
func (s *scanner) value(b byte, node, depth int) error {
	if depth > maxDepth {
		return s.bad("nested deeper than %d levels", maxDepth)
	}
	switch {
	case b == '{':
		s.shape.saw(node, isObject)
		return s.members(node, depth)
	case b == '[':
		s.shape.saw(node, isArray)
		return s.items(node, depth)
	case b == '"':
		s.shape.saw(node, isString)
		return s.text(false)
	case b == 't':
		s.shape.saw(node, isBool)
		return s.word("true")
	case b == 'f':
		s.shape.saw(node, isBool)
		return s.word("false")
	case b == 'n':
		s.shape.saw(node, isNull)
		return s.word("null")
	case b == '-' || isDigit(b):
		s.shape.saw(node, isNumber)
		return s.number()
	}
	return s.bad("%s where a value should begin", shown(b))
}

func (s *scanner) members(node, depth int) error {
	s.i++
	b, err := s.space()
	if err != nil {
		return err
	}
	if b == '}' {
		s.i++
		return nil
	}
	for {
		if b != '"' {
			return s.bad("%s where a name should begin", shown(b))
		}
		if err := s.text(true); err != nil {
			return err
		}
		child := s.shape.member(node, s.name)
		if b, err = s.space(); err != nil {
			return err
		}
		if b != ':' {
			return s.bad("%s where a colon should stand", shown(b))
		}
		s.i++
		if b, err = s.space(); err != nil {
			return err
		}
		if err := s.value(b, child, depth+1); err != nil {
			return err
		}
		var ended bool
		if b, ended, err = s.another('}', "object"); ended || err != nil {
			return err
		}
	}
}

func (s *scanner) items(node, depth int) error {
	s.i++
	b, err := s.space()
	if err != nil {
		return err
	}
	if b == ']' {
		s.i++
		return nil
	}
	child := s.shape.item(node)
	for {
		if err := s.value(b, child, depth+1); err != nil {
			return err
		}
		var ended bool
		if b, ended, err = s.another(']', "array"); ended || err != nil {
			return err
		}
	}
}

// another goes behind the comma that follows an item, and gives the byte that comes then; or behind the end.
func (s *scanner) another(end byte, of string) (b byte, ended bool, err error) {
	if b, err = s.space(); err != nil {
		return 0, false, err
	}
	if b != end && b != ',' {
		return 0, false, s.bad("%s where a comma or the end of the %s should stand", shown(b), of)
	}
	s.i++
	if b == end {
		return 0, true, nil
	}
	b, err = s.space()
	return b, false, err
}

// text reads a string; of a name it keeps the beginning, as it is written.
func (s *scanner) text(name bool) error {
	s.name = s.name[:0]
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
			return s.bad("%s within a string", shown(b))
		case b == '\\':
			if err := s.escape(name); err != nil {
				return err
			}
			continue
		}
		from := s.i
		for s.i < len(s.t.buf) && s.t.buf[s.i] != '"' && s.t.buf[s.i] != '\\' && s.t.buf[s.i] >= ' ' {
			s.i++
		}
		if name {
			s.keep(s.t.buf[from:s.i])
		}
	}
}

func (s *scanner) keep(b []byte) {
	s.name = append(s.name, b[:min(len(b), maxName+1-len(s.name))]...) // one more than maxName says that it was longer
}

func (s *scanner) escape(name bool) error {
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
			return s.bad("%s within an escape", shown(b))
		}
		if name {
			s.keep([]byte{b})
		}
		s.i++
	}
	return nil
}

func (s *scanner) word(w string) error {
	for i := range len(w) {
		b, err := s.peek()
		if err != nil {
			return err
		}
		if b != w[i] {
			return s.bad("%s where the word %s should go on", shown(b), w)
		}
		s.i++
	}
	return nil
}

func (s *scanner) number() error {
	b, err := s.peek()
	if err != nil {
		return err
	}
	if b == '-' {
		s.i++
		if b, err = s.peek(); err != nil {
			return err
		}
	}
	if b == '0' {
		s.i++
	} else if _, err := s.digits(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	b, err = s.peek()
	if err == nil && b == '.' {
		s.i++
		b, err = s.digits()
	}
	if err == nil && b|0x20 == 'e' {
		s.i++
		if b, err = s.peek(); err != nil {
			return err
		}
		if b == '+' || b == '-' {
			s.i++
		}
		_, err = s.digits()
	}
	if errors.Is(err, io.EOF) {
		return nil // the number is the whole document
	}
	return err
}

// digits reads one or more digits and gives the byte behind them. io.EOF comes only after a digit.
func (s *scanner) digits() (byte, error) {
	for n := 0; ; n++ {
		b, err := s.peek()
		switch {
		case err != nil && n == 0:
			return 0, s.inside(err)
		case err != nil:
			return 0, err
		case !isDigit(b) && n == 0:
			return 0, s.bad("%s where a digit should stand", shown(b))
		case !isDigit(b):
			return b, nil
		}
		s.i++
	}
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// shown is a byte in a message.
func shown(b byte) string {
	switch {
	case b == '\n':
		return "a line end"
	case b > ' ' && b < 0x7f:
		return fmt.Sprintf("'%c'", b)
	}
	return fmt.Sprintf("byte 0x%02x", b)
}
