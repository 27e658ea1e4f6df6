package strictjson

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// MaxDepth is how deeply arrays and objects may be nested. Parsers of services commonly stop at 1,000 levels, and a
// value is sent inside a request that adds some.
const MaxDepth = 500

// maxCompared is the number of names of one object that are compared one by one; beyond it, they are sorted.
const maxCompared = 16

// Check returns an [*Error] unless b is one valid JSON value, white space around it included.
func Check(b []byte) error {
	s := scanner{b: b, maxDepth: MaxDepth}
	return s.readDocument()
}

// CheckObject returns an [*Error] unless b is one valid JSON object.
func CheckObject(b []byte) error {
	if err := Check(b); err != nil {
		return err
	}
	if first := skipSpace(b, 0); b[first] != '{' {
		return &Error{Kind: NotObject, Offset: first}
	}
	return nil
}

// scanner validates one value in a single pass, and records its nodes if doc is set.
type scanner struct {
	b        []byte
	i        int
	depth    int
	maxDepth int
	doc      *document
}

// node is one value or name. The subtree of node n ends before node next.
type node struct{ start, end, next uint32 }

func (s *scanner) readDocument() error {
	if len(s.b) > math.MaxInt32 {
		return s.newSyntaxError("2 GiB of input", 0)
	}
	if !utf8.Valid(s.b) {
		return &Error{Kind: NotUTF8, Offset: firstInvalid(s.b)}
	}
	s.i = skipSpace(s.b, 0)
	if err := s.readValue(); err != nil {
		return err
	}
	if s.i = skipSpace(s.b, s.i); s.i < len(s.b) {
		return &Error{Kind: Trailing, Offset: s.i}
	}
	return nil
}

// readValue reads the value that begins at s.i.
func (s *scanner) readValue() error {
	if s.i == len(s.b) {
		return s.newUnexpectedError()
	}
	at := s.openNode()
	var err error
	switch c := s.b[s.i]; {
	case c == '"':
		_, err = s.readString()
	case c == '{':
		if err = s.enterContainer(); err == nil {
			err = s.readMembers()
			s.depth--
		}
	case c == '[':
		if err = s.enterContainer(); err == nil {
			err = s.readItems()
			s.depth--
		}
	case c == '-' || isDigit(c):
		err = s.readNumber()
	case c == 't':
		err = s.readWord("true")
	case c == 'f':
		err = s.readWord("false")
	case c == 'n':
		err = s.readWord("null")
	default:
		err = s.newUnexpectedError()
	}
	s.closeNode(at)
	return err
}

// openNode begins a node at s.i.
func (s *scanner) openNode() int {
	if s.doc == nil {
		return 0
	}
	s.doc.nodes = append(s.doc.nodes, node{start: uint32(s.i)})
	return len(s.doc.nodes) - 1
}

// closeNode ends the node at s.i.
func (s *scanner) closeNode(at int) {
	if s.doc != nil {
		n := s.doc.nodes
		n[at].end, n[at].next = uint32(s.i), uint32(len(n))
	}
}

// enterContainer reads an opening bracket and the space behind it.
func (s *scanner) enterContainer() error {
	if s.depth == s.maxDepth {
		return &Error{Kind: Depth, Offset: s.i}
	}
	s.depth++
	s.i = skipSpace(s.b, s.i+1)
	return nil
}

func (s *scanner) readItems() error {
	if s.takeByte(']') {
		return nil
	}
	for {
		if err := s.readValue(); err != nil {
			return err
		}
		s.i = skipSpace(s.b, s.i)
		if s.takeByte(']') {
			return nil
		}
		if !s.takeByte(',') {
			return s.newUnexpectedError()
		}
		s.i = skipSpace(s.b, s.i)
	}
}

func (s *scanner) readMembers() error {
	if s.takeByte('}') {
		return nil
	}
	var few [maxCompared / 2][]byte
	names := few[:0] // decoded
	for {
		name, err := s.readName(names)
		if err != nil {
			return err
		}
		names = append(names, name)
		if err := s.readValue(); err != nil {
			return err
		}
		s.i = skipSpace(s.b, s.i)
		if s.takeByte('}') {
			break
		}
		if !s.takeByte(',') {
			return s.newUnexpectedError()
		}
		s.i = skipSpace(s.b, s.i)
	}
	if len(names) <= maxCompared {
		return nil
	}
	slices.SortFunc(names, bytes.Compare)
	for i, name := range names[1:] {
		if bytes.Equal(names[i], name) {
			return &Error{Kind: Duplicate, Offset: s.i, Name: string(name)}
		}
	}
	return nil
}

// readName reads a name and its colon. The names before it in the same object are known.
func (s *scanner) readName(known [][]byte) (name []byte, _ error) {
	if s.i == len(s.b) || s.b[s.i] != '"' {
		return nil, s.newUnexpectedError()
	}
	start, at := s.i, s.openNode()
	escaped, err := s.readString()
	if err != nil {
		return nil, err
	}
	s.closeNode(at)
	name = s.b[start+1 : s.i-1]
	if escaped {
		name = decodeEscapes(s.b[start:s.i])
	}
	if len(known) < maxCompared {
		for _, other := range known {
			if bytes.Equal(other, name) {
				return nil, &Error{Kind: Duplicate, Offset: start, Name: string(name)}
			}
		}
	}
	s.i = skipSpace(s.b, s.i)
	if !s.takeByte(':') {
		return nil, s.newUnexpectedError()
	}
	s.i = skipSpace(s.b, s.i)
	return name, nil
}

// readString reads a string, and reports whether it contains escapes.
func (s *scanner) readString() (escaped bool, err error) {
	for s.i++; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return escaped, nil
		case c == '\\':
			escaped = true
			if err := s.readEscape(); err != nil {
				return true, err
			}
		case c < ' ':
			return escaped, s.newUnexpectedError()
		}
	}
	return escaped, s.newUnexpectedError()
}

// readEscape reads the escape at s.i up to its last byte.
func (s *scanner) readEscape() error {
	s.i++
	if s.i == len(s.b) {
		return s.newUnexpectedError()
	}
	switch s.b[s.i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
	default:
		return s.newUnexpectedError()
	}
	at := s.i - 1
	r, ok := readHex4(s.b, s.i+1)
	if !ok {
		return s.newSyntaxError(`an invalid \u escape`, at)
	}
	s.i += 4
	if r < surrogates || surrogatesEnd <= r {
		return nil
	}
	if r >= lowSurrogates || !hasLowSurrogate(s.b, s.i+1) {
		return &Error{Kind: Surrogate, Offset: at}
	}
	s.i += 6
	return nil
}

func (s *scanner) readNumber() error {
	s.takeByte('-')
	switch {
	case s.takeByte('0'):
	case !s.readDigits():
		return s.newUnexpectedError()
	}
	if s.takeByte('.') && !s.readDigits() {
		return s.newUnexpectedError()
	}
	if s.takeByte('e') || s.takeByte('E') {
		if !s.takeByte('-') {
			s.takeByte('+')
		}
		if !s.readDigits() {
			return s.newUnexpectedError()
		}
	}
	return nil
}

func (s *scanner) readDigits() bool {
	start := s.i
	for s.i < len(s.b) && isDigit(s.b[s.i]) {
		s.i++
	}
	return s.i > start
}

func (s *scanner) readWord(w string) error {
	for j := range len(w) {
		if s.i == len(s.b) || s.b[s.i] != w[j] {
			return s.newUnexpectedError()
		}
		s.i++
	}
	return nil
}

// takeByte reads c if it comes next.
func (s *scanner) takeByte(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) newUnexpectedError() error {
	if s.i >= len(s.b) {
		return s.newSyntaxError("unexpected end", len(s.b))
	}
	r, _ := utf8.DecodeRune(s.b[s.i:])
	return s.newSyntaxError("unexpected "+strconv.QuoteRune(r), s.i)
}

func (s *scanner) newSyntaxError(detail string, at int) error {
	return &Error{Kind: Syntax, Offset: at, detail: detail}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
