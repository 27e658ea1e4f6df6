package objecttools

import (
	"errors"
	"fmt"
	"io"
)

// maxDepth is the deepest nesting of JSON.
const maxDepth = 200

type jsonError struct {
	at  int64 // the offset in the file
	msg string
}

func (e *jsonError) Error() string { return fmt.Sprintf("%s at byte %d", e.msg, e.at) }

// jsonScanner checks JSON of any size against RFC 8259 in constant memory, and adds each value to a shape. It does not
// detect duplicate names. Only numbers and words are checked by encoding/json, up to maxLiteral bytes.
//
// json.Decoder can't replace it. Decoder.Token buffers whole strings (255 MB of memory for a string of 64 MiB) and
// allocates for each token (1.1 GB in total for 64 MiB of small records, at less than a quarter of the speed).
// InputOffset counts decoded text, which differs from the offset in a file of UTF-16, and values of JSON Lines could
// cross lines.
type jsonScanner struct {
	t       *textReader
	i       int  // the number of bytes of t's buffer that have been consumed
	oneLine bool // JSON Lines: a value must not contain a line end
	shape   *jsonShape
	scratch []byte // the current name or literal
}

// peek returns the next byte. It returns io.EOF at the end of the file and errPartEnd at the end of the part.
func (s *jsonScanner) peek() (byte, error) {
	for s.i == len(s.t.buf) {
		s.t.skip(s.i)
		s.i = 0
		if err := s.t.fill(); errors.Is(err, io.EOF) {
			if !s.t.final {
				return 0, errPartEnd
			}
			return 0, io.EOF
		} else if err != nil {
			return 0, err
		}
	}
	return s.t.buf[s.i], nil
}

func (s *jsonScanner) offset() int64 { return s.t.offsetOf(s.i) }

func (s *jsonScanner) syntaxError(format string, args ...any) error {
	return &jsonError{s.offset(), fmt.Sprintf(format, args...)}
}

// skipSpace skips white space and returns the next byte.
func (s *jsonScanner) skipSpace() (byte, error) {
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

// skipLine skips to the next LF.
func (s *jsonScanner) skipLine() error {
	for {
		b, err := s.peek()
		if err != nil || b == '\n' {
			return err
		}
		s.i++
	}
}

// scanDocument scans one value. It returns io.EOF if the text contains only white space.
func (s *jsonScanner) scanDocument() error {
	b, err := s.skipSpace()
	if err != nil {
		return err
	}
	return s.scanRoot(b)
}

// scanRoot scans a value that begins with b. The end of the file within the value is a syntax error.
func (s *jsonScanner) scanRoot(b byte) error {
	err := s.scanValue(b, rootNode, 0)
	if errors.Is(err, io.EOF) {
		return s.syntaxError("the file ends within a value")
	}
	return err
}

// scanValue scans the value that begins with b, which is not consumed yet, and counts it at node.
func (s *jsonScanner) scanValue(b byte, node, depth int) error {
	if depth > maxDepth {
		return s.syntaxError("nested deeper than %d levels", maxDepth)
	}
	switch {
	case b == '{':
		s.shape.countValue(node, jsonObject)
		return s.scanContainer(node, depth, '}', "object")
	case b == '[':
		s.shape.countValue(node, jsonArray)
		return s.scanContainer(node, depth, ']', "array")
	case b == '"':
		s.shape.countValue(node, jsonString)
		return s.scanString(false)
	case b == 't' || b == 'f':
		s.shape.countValue(node, jsonBool)
	case b == 'n':
		s.shape.countValue(node, jsonNull)
	case b == '-' || isDigit(b):
		s.shape.countValue(node, jsonNumber)
	default:
		return s.syntaxError("%s instead of a value", quoteByte(b))
	}
	return s.scanLiteral()
}

// scanContainer scans an object or an array, which ends with end.
func (s *jsonScanner) scanContainer(node, depth int, end byte, name string) error {
	s.i++
	b, err := s.skipSpace()
	if err == nil && b == end {
		s.i++
		return nil
	}
	for err == nil {
		var child int
		if end == ']' {
			child = s.shape.itemNode(node)
		} else if child, b, err = s.scanName(node, b); err != nil {
			return err
		}
		if err := s.scanValue(b, child, depth+1); err != nil {
			return err
		}
		if b, err = s.skipSpace(); err != nil {
			return err
		}
		switch b {
		case end:
			s.i++
			return nil
		case ',':
			s.i++
		default:
			return s.syntaxError("%s instead of a comma or the end of the %s", quoteByte(b), name)
		}
		b, err = s.skipSpace()
	}
	return err
}

// scanName scans the name of a member, which begins with b, and the colon after it. It returns the node of the member's
// value and the first byte of the value.
func (s *jsonScanner) scanName(node int, b byte) (child int, next byte, err error) {
	if b != '"' {
		return 0, 0, s.syntaxError("%s instead of a name", quoteByte(b))
	}
	if err := s.scanString(true); err != nil {
		return 0, 0, err
	}
	child = s.shape.memberNode(node, s.scratch)
	if b, err = s.skipSpace(); err != nil {
		return 0, 0, err
	}
	if b != ':' {
		return 0, 0, s.syntaxError("%s instead of a colon", quoteByte(b))
	}
	s.i++
	next, err = s.skipSpace()
	return child, next, err
}
