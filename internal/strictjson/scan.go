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
	return s.document()
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

func (s *scanner) document() error {
	if len(s.b) > math.MaxInt32 {
		return s.syntax("2 GiB of input", 0)
	}
	if !utf8.Valid(s.b) {
		return &Error{Kind: NotUTF8, Offset: firstInvalid(s.b)}
	}
	s.i = skipSpace(s.b, 0)
	if err := s.value(); err != nil {
		return err
	}
	if s.i = skipSpace(s.b, s.i); s.i < len(s.b) {
		return &Error{Kind: Trailing, Offset: s.i}
	}
	return nil
}

// value reads the value that begins at s.i.
func (s *scanner) value() error {
	if s.i == len(s.b) {
		return s.unexpected()
	}
	at := s.open()
	var err error
	switch c := s.b[s.i]; {
	case c == '"':
		_, err = s.text()
	case c == '{':
		if err = s.enter(); err == nil {
			err = s.members()
			s.depth--
		}
	case c == '[':
		if err = s.enter(); err == nil {
			err = s.items()
			s.depth--
		}
	case c == '-' || isDigit(c):
		err = s.number()
	case c == 't':
		err = s.word("true")
	case c == 'f':
		err = s.word("false")
	case c == 'n':
		err = s.word("null")
	default:
		err = s.unexpected()
	}
	s.close(at)
	return err
}

// open begins a node at s.i.
func (s *scanner) open() int {
	if s.doc == nil {
		return 0
	}
	s.doc.nodes = append(s.doc.nodes, node{start: uint32(s.i)})
	return len(s.doc.nodes) - 1
}

// close ends the node at s.i.
func (s *scanner) close(at int) {
	if s.doc != nil {
		n := s.doc.nodes
		n[at].end, n[at].next = uint32(s.i), uint32(len(n))
	}
}

// enter reads an opening bracket and the space behind it.
func (s *scanner) enter() error {
	if s.depth == s.maxDepth {
		return &Error{Kind: Depth, Offset: s.i}
	}
	s.depth++
	s.i = skipSpace(s.b, s.i+1)
	return nil
}

func (s *scanner) items() error {
	if s.take(']') {
		return nil
	}
	for {
		if err := s.value(); err != nil {
			return err
		}
		s.i = skipSpace(s.b, s.i)
		if s.take(']') {
			return nil
		}
		if !s.take(',') {
			return s.unexpected()
		}
		s.i = skipSpace(s.b, s.i)
	}
}

func (s *scanner) members() error {
	if s.take('}') {
		return nil
	}
	var few [maxCompared / 2][]byte
	names := few[:0] // decoded
	for {
		name, err := s.member(names)
		if err != nil {
			return err
		}
		names = append(names, name)
		if err := s.value(); err != nil {
			return err
		}
		s.i = skipSpace(s.b, s.i)
		if s.take('}') {
			break
		}
		if !s.take(',') {
			return s.unexpected()
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

// member reads a name and its colon. The names before it in the same object are known.
func (s *scanner) member(known [][]byte) (name []byte, _ error) {
	if s.i == len(s.b) || s.b[s.i] != '"' {
		return nil, s.unexpected()
	}
	start, at := s.i, s.open()
	escaped, err := s.text()
	if err != nil {
		return nil, err
	}
	s.close(at)
	name = s.b[start+1 : s.i-1]
	if escaped {
		name = unescape(name)
	}
	if len(known) < maxCompared {
		for _, other := range known {
			if bytes.Equal(other, name) {
				return nil, &Error{Kind: Duplicate, Offset: start, Name: string(name)}
			}
		}
	}
	s.i = skipSpace(s.b, s.i)
	if !s.take(':') {
		return nil, s.unexpected()
	}
	s.i = skipSpace(s.b, s.i)
	return name, nil
}

// text reads a string, and reports whether it contains escapes.
func (s *scanner) text() (escaped bool, err error) {
	for s.i++; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return escaped, nil
		case c == '\\':
			escaped = true
			if err := s.escape(); err != nil {
				return true, err
			}
		case c < ' ':
			return escaped, s.unexpected()
		}
	}
	return escaped, s.unexpected()
}

// escape reads the escape at s.i up to its last byte.
func (s *scanner) escape() error {
	s.i++
	if s.i == len(s.b) {
		return s.unexpected()
	}
	switch s.b[s.i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
	default:
		return s.unexpected()
	}
	at := s.i - 1
	r, ok := hex4(s.b, s.i+1)
	if !ok {
		return s.syntax(`an invalid \u escape`, at)
	}
	s.i += 4
	if r < surrogates || surrogatesEnd <= r {
		return nil
	}
	if _, ok := lowSurrogate(s.b, s.i+1); !ok || r >= lowSurrogates {
		return &Error{Kind: Surrogate, Offset: at}
	}
	s.i += 6
	return nil
}

func (s *scanner) number() error {
	s.take('-')
	switch {
	case s.take('0'):
	case !s.digits():
		return s.unexpected()
	}
	if s.take('.') && !s.digits() {
		return s.unexpected()
	}
	if s.take('e') || s.take('E') {
		if !s.take('-') {
			s.take('+')
		}
		if !s.digits() {
			return s.unexpected()
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && isDigit(s.b[s.i]) {
		s.i++
	}
	return s.i > start
}

func (s *scanner) word(w string) error {
	for j := range len(w) {
		if s.i == len(s.b) || s.b[s.i] != w[j] {
			return s.unexpected()
		}
		s.i++
	}
	return nil
}

// take reads c if it comes next.
func (s *scanner) take(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) unexpected() error {
	if s.i >= len(s.b) {
		return s.syntax("unexpected end", len(s.b))
	}
	r, _ := utf8.DecodeRune(s.b[s.i:])
	return s.syntax("unexpected "+strconv.QuoteRune(r), s.i)
}

func (s *scanner) syntax(detail string, at int) error {
	return &Error{Kind: Syntax, Offset: at, detail: detail}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
