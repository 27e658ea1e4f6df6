package agent

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// prefix is the beginning of a JSON object, and gives at any moment a whole object that says as much as is certain.
// It reads every byte once. Where the text is no JSON it stays with what came before.
type prefix struct {
	buf   []byte
	pos   int    // read so far
	cut   int    // buf[:cut], with everything closed that is open, is whole
	open  []byte // the brackets that are open, '{' or '['
	want  want
	quote bool   // the cut lies in a text
	start int    // where the number or word under way begins
	told  []byte // what has been yielded last
}

// want is what comes next.
type want int

const (
	wantObject   want = iota // the one at the top
	wantFirstKey             // or the end of the object
	wantKey
	inKey
	wantColon
	wantFirst // value of an array, or its end
	wantValue
	inText
	inNumber
	inWord
	wantMore // a comma or an end
	wantNothing
	lost // this is no JSON
)

// write reads on.
func (p *prefix) write(s string) {
	p.buf = append(p.buf, s...)
	for p.pos < len(p.buf) && p.want != lost && p.step() {
	}
}

// json is the whole object, or nil as long as none has begun. It is the caller's.
func (p *prefix) json() []byte {
	if p.cut == 0 {
		return nil
	}
	out := make([]byte, p.cut, p.cut+len(p.open)+1)
	copy(out, p.buf)
	if p.quote {
		out = append(out, '"')
	}
	for i := len(p.open) - 1; i >= 0; i-- {
		out = append(out, p.open[i]+2) // '{' and '}', '[' and ']' are two apart
	}
	return out
}

// step reads one thing, and gives false when it takes more bytes to know it.
func (p *prefix) step() bool {
	c := p.buf[p.pos]
	switch p.want {
	case inKey, inText:
		return p.text()
	case inNumber:
		if strings.IndexByte("0123456789+-.eE", c) >= 0 {
			p.pos++
			return true
		}
		if !json.Valid(p.buf[p.start:p.pos]) {
			return p.lose()
		}
		p.whole(wantMore) // c is still to be read
		return true
	case inWord:
		p.pos++
		return p.word()
	}
	p.pos++
	if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
		return true
	}
	switch {
	case p.want == wantObject && c == '{':
		p.begin(c, wantFirstKey)
	case (p.want == wantFirstKey || p.want == wantKey) && c == '"':
		p.want = inKey
	case p.want == wantColon && c == ':':
		p.want = wantValue
	case p.want == wantFirstKey && c == '}', p.want == wantFirst && c == ']', p.want == wantMore && c == p.open[len(p.open)-1]+2:
		p.end()
	case p.want == wantMore && c == ',':
		p.want = wantValue
		if p.open[len(p.open)-1] == '{' {
			p.want = wantKey
		}
	case p.want == wantFirst || p.want == wantValue:
		p.value(c)
	default:
		return p.lose()
	}
	return true
}

// lose gives up: what follows does not count.
func (p *prefix) lose() bool {
	p.want = lost
	return false
}

// whole says that everything up to here counts.
func (p *prefix) whole(next want) { p.cut, p.quote, p.want = p.pos, false, next }

func (p *prefix) begin(bracket byte, next want) {
	p.open = append(p.open, bracket)
	p.whole(next)
}

func (p *prefix) end() {
	p.open = p.open[:len(p.open)-1]
	p.whole(wantMore)
	if len(p.open) == 0 {
		p.want = wantNothing
	}
}

// value begins a value with the byte that has just been read.
func (p *prefix) value(c byte) {
	switch {
	case c == '{':
		p.begin(c, wantFirstKey)
	case c == '[':
		p.begin(c, wantFirst)
	case c == '"':
		p.cut, p.quote, p.want = p.pos, true, inText
	case c == '-' || '0' <= c && c <= '9':
		p.start, p.want = p.pos-1, inNumber
	case c == 't' || c == 'f' || c == 'n':
		p.start, p.want = p.pos-1, inWord
	default:
		p.lose()
	}
}

// word goes on with true, false or null.
func (p *prefix) word() bool {
	got := string(p.buf[p.start:p.pos])
	for _, w := range []string{"true", "false", "null"} {
		if got == w {
			p.whole(wantMore)
			return true
		}
		if strings.HasPrefix(w, got) {
			return true
		}
	}
	return p.lose()
}

// text reads one character of a key or a text.
func (p *prefix) text() bool {
	rest := p.buf[p.pos:]
	n := 1
	switch c := rest[0]; {
	case c == '"':
		p.pos++
		if p.want == inKey {
			p.want = wantColon
		} else {
			p.whole(wantMore)
		}
		return true
	case c < ' ':
		return p.lose()
	case c == '\\':
		switch n = escape(rest); n {
		case 0:
			return false
		case -1:
			return p.lose()
		}
	case c >= utf8.RuneSelf:
		if !utf8.FullRune(rest) {
			return false
		}
		var r rune
		if r, n = utf8.DecodeRune(rest); r == utf8.RuneError && n == 1 {
			return p.lose()
		}
	}
	p.pos += n
	if p.want == inText {
		p.cut = p.pos
	}
	return true
}

// escape is the length of the escape that b begins with: 0 where more bytes must come, -1 where it is none. Two
// halves of a surrogate pair are one escape.
func escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	if b[1] != 'u' {
		if strings.IndexByte(`"\/bfnrt`, b[1]) < 0 {
			return -1
		}
		return 2
	}
	r, ok := hex4(b[2:])
	switch {
	case !ok:
		return -1
	case len(b) < 6:
		return 0
	case r < 0xd800 || 0xe000 <= r:
		return 6
	case r >= 0xdc00:
		return -1
	}
	for i, want := range []byte(`\u`) {
		if len(b) <= 6+i {
			return 0
		}
		if b[6+i] != want {
			return -1
		}
	}
	low, ok := hex4(b[8:])
	switch {
	case !ok:
		return -1
	case len(b) < 12:
		return 0
	case low < 0xdc00 || 0xe000 <= low:
		return -1
	}
	return 12
}

// hex4 reads up to four hexadecimal digits; ok says that what is there of them are digits.
func hex4(b []byte) (r int, ok bool) {
	for _, c := range b[:min(4, len(b))] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | int(c)
	}
	return r, true
}
