package agent

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// partialScanner reads the beginning of a JSON object. At any moment it can return a whole object that contains
// everything certain so far. It reads every byte once. Invalid JSON ends the object before it.
type partialScanner struct {
	buf       []byte
	pos       int    // bytes read
	cut       int    // buf[:cut] is valid once open texts and brackets are closed
	open      []byte // the open brackets, '{' or '['
	state     scanState
	cutInText bool // the cut lies in a text
	start     int  // where the current number or word begins
	taken     int  // size of the object that takeObject returned last
}

// scanState is the state of a partialScanner: the token that it expects or reads.
type scanState int

const (
	wantObject   scanState = iota // at the top
	wantFirstKey                  // or the end of the object
	wantKey
	inKey
	wantColon
	wantFirst // the first value of an array, or its end
	wantValue
	inText
	inNumber
	inWord
	wantMore // a comma or an end
	wantEnd
	invalid
)

// write reads on.
func (s *partialScanner) write(text string) {
	s.buf = append(s.buf, text...)
	for s.pos < len(s.buf) && s.state != invalid && s.readNext() {
	}
}

// isInvalid reports whether the text cannot begin an object.
func (s *partialScanner) isInvalid() bool { return s.cut == 0 && s.state == invalid }

// closedSize returns the size of the object that closedJSON returns, or 0.
func (s *partialScanner) closedSize() int {
	if s.cut == 0 {
		return 0
	}
	n := s.cut + len(s.open)
	if s.cutInText {
		n++
	}
	return n
}

// eachPartial is the size of an object up to which every step of it is a Partial.
const eachPartial = 4 << 10

// hasGrown reports whether the object is worth another Partial. Each Partial is a copy, so a large object must have
// grown by a 64th: the copies of n bytes then take less than 65 n, however small the model's deltas are.
func (s *partialScanner) hasGrown() bool {
	n := s.closedSize()
	if n <= s.taken {
		return false
	}
	return n <= eachPartial || s.state == wantEnd || n-s.taken >= s.taken/64
}

// takeObject returns the object, and notes its size for hasGrown.
func (s *partialScanner) takeObject() []byte {
	s.taken = s.closedSize()
	return s.closedJSON()
}

// closedJSON returns a copy of the object, or nil if none has begun.
func (s *partialScanner) closedJSON() []byte {
	if s.cut == 0 {
		return nil
	}
	out := make([]byte, s.cut, s.closedSize())
	copy(out, s.buf)
	if s.cutInText {
		out = append(out, '"')
	}
	for i := len(s.open) - 1; i >= 0; i-- {
		out = append(out, s.open[i]+2) // '{' and '}' are two apart, and so are '[' and ']'
	}
	return out
}

// readNext reads one token, or one character of a text. It returns false if more bytes must come first.
func (s *partialScanner) readNext() bool {
	switch s.state {
	case inKey, inText:
		return s.readText()
	case inNumber:
		return s.readNumber()
	case inWord:
		s.pos++
		return s.readWord()
	}
	c := s.buf[s.pos]
	s.pos++
	if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
		return true
	}
	return s.readToken(c)
}

// readToken reads a bracket, a comma, a colon or the beginning of a key or value.
func (s *partialScanner) readToken(c byte) bool {
	switch s.state {
	case wantObject:
		if c == '{' {
			return s.beginGroup(c, wantFirstKey)
		}
	case wantFirstKey, wantKey:
		if c == '"' {
			s.state = inKey
			return true
		}
		if c == '}' && s.state == wantFirstKey {
			return s.endGroup()
		}
	case wantColon:
		if c == ':' {
			s.state = wantValue
			return true
		}
	case wantMore:
		last := s.open[len(s.open)-1]
		switch {
		case c == last+2:
			return s.endGroup()
		case c == ',' && last == '{':
			s.state = wantKey
			return true
		case c == ',':
			s.state = wantValue
			return true
		}
	case wantFirst, wantValue:
		if c == ']' && s.state == wantFirst {
			return s.endGroup()
		}
		return s.beginValue(c)
	}
	return s.markInvalid()
}

// markInvalid ignores everything from here on.
func (s *partialScanner) markInvalid() bool {
	s.state = invalid
	return false
}

// advanceCut moves the cut to here.
func (s *partialScanner) advanceCut(next scanState) bool {
	s.cut, s.cutInText, s.state = s.pos, false, next
	return true
}

func (s *partialScanner) beginGroup(bracket byte, next scanState) bool {
	s.open = append(s.open, bracket)
	return s.advanceCut(next)
}

func (s *partialScanner) endGroup() bool {
	s.open = s.open[:len(s.open)-1]
	if len(s.open) == 0 {
		return s.advanceCut(wantEnd)
	}
	return s.advanceCut(wantMore)
}

// beginValue begins a value with c, which has just been read.
func (s *partialScanner) beginValue(c byte) bool {
	switch {
	case c == '{':
		return s.beginGroup(c, wantFirstKey)
	case c == '[':
		return s.beginGroup(c, wantFirst)
	case c == '"':
		s.cut, s.cutInText, s.state = s.pos, true, inText
	case c == '-' || '0' <= c && c <= '9':
		s.start, s.state = s.pos-1, inNumber
	case c == 't' || c == 'f' || c == 'n':
		s.start, s.state = s.pos-1, inWord
	default:
		return s.markInvalid()
	}
	return true
}

// readNumber reads a character of a number, or ends it.
func (s *partialScanner) readNumber() bool {
	if strings.IndexByte("0123456789+-.eE", s.buf[s.pos]) >= 0 {
		s.pos++
		return true
	}
	if !json.Valid(s.buf[s.start:s.pos]) {
		return s.markInvalid()
	}
	return s.advanceCut(wantMore) // the character is still to be read
}

// readWord reads on in true, false or null.
func (s *partialScanner) readWord() bool {
	got := string(s.buf[s.start:s.pos])
	for _, w := range []string{"true", "false", "null"} {
		if got == w {
			return s.advanceCut(wantMore)
		}
		if strings.HasPrefix(w, got) {
			return true
		}
	}
	return s.markInvalid()
}

// readText reads one character of a key or a text.
func (s *partialScanner) readText() bool {
	rest := s.buf[s.pos:]
	n := 1
	switch c := rest[0]; {
	case c == '"':
		s.pos++
		if s.state == inKey {
			s.state = wantColon
			return true
		}
		return s.advanceCut(wantMore)
	case c < ' ':
		return s.markInvalid()
	case c == '\\':
		switch n = strictjson.EscapeLength(rest); n {
		case 0:
			return false
		case -1:
			return s.markInvalid()
		}
	case c >= utf8.RuneSelf:
		if !utf8.FullRune(rest) {
			return false
		}
		var r rune
		if r, n = utf8.DecodeRune(rest); r == utf8.RuneError && n == 1 {
			return s.markInvalid()
		}
	}
	s.pos += n
	if s.state == inText {
		s.cut = s.pos
	}
	return true
}
