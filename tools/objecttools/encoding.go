package objecttools

import (
	"bytes"
	"net/http"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// headLen is how much of a file is looked at to tell what it is.
const headLen = 8 << 10

// encoding is how a file writes text.
type encoding int

const (
	utf8Text encoding = iota
	utf16LE
	utf16BE
	notText
)

// String is the name for the model.
func (e encoding) String() string {
	return [...]string{"UTF-8", "UTF-16LE", "UTF-16BE", "binary"}[e]
}

// detect tells the encoding by the beginning of a file; whole says that head is all of it. bom is how many bytes the
// byte order mark has. UTF-16 without one is not guessed: it counts as binary.
func detect(head []byte, whole bool) (e encoding, bom int) {
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		bom = 3
	case bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00")): // UTF-32, or UTF-16 that begins with NUL
		return notText, 0
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return utf16LE, 2
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return utf16BE, 2
	}
	if bytes.HasPrefix(head, []byte("%PDF-")) {
		return notText, 0
	}
	if !whole {
		head = head[:len(head)-cutRune(head)]
	}
	controls, bad := 0, 0
	for b := head[bom:]; len(b) > 0; {
		r, w := utf8.DecodeRune(b)
		b = b[w:]
		switch {
		case r == 0:
			return notText, 0
		case r == utf8.RuneError && w == 1:
			bad++
		case r < ' ' && !strings.ContainsRune("\t\n\r\f\b\x1b", r):
			controls++
		}
	}
	// A few strange bytes make no binary; text in an 8-bit encoding has up to one in three or so.
	if controls*50 > len(head) || bad*2 > len(head) || bad > 0 && known(head) {
		return notText, 0
	}
	return utf8Text, bom
}

// known reports whether the head is that of a format that is no text, an image above all.
func known(head []byte) bool { return !strings.HasPrefix(http.DetectContentType(head), "text/") }

// cutRune is how many bytes at the end of b are the beginning of a character whose rest is not there.
func cutRune(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return n
			}
			break
		}
	}
	return 0
}

// rawLen is how many bytes decoded text had in the file. A byte that is no part of a character stands for one code
// unit that was none.
func (e encoding) rawLen(b []byte) int64 {
	if e == utf8Text {
		return int64(len(b))
	}
	n := int64(0)
	for len(b) > 0 {
		r, w := utf8.DecodeRune(b)
		n += 2
		if r > 0xffff {
			n += 2
		}
		b = b[w:]
	}
	return n
}

// decode16 appends UTF-16 to dst as UTF-8, a lone surrogate or half a unit as the byte 0xff, which is in no UTF-8.
// It returns the bytes that wait for what follows, unless last says that nothing does.
func (e encoding) decode16(dst, raw []byte, last bool) (out, rest []byte) {
	for len(raw) >= 2 {
		r := e.unit(raw)
		w := 2
		if utf16.IsSurrogate(r) {
			if r < 0xdc00 && len(raw) < 4 && !last {
				return dst, raw
			}
			pair := rune(utf8.RuneError)
			if len(raw) >= 4 {
				pair = utf16.DecodeRune(r, e.unit(raw[2:]))
			}
			if pair == utf8.RuneError {
				dst, raw = append(dst, 0xff), raw[2:]
				continue
			}
			r, w = pair, 4
		}
		dst, raw = utf8.AppendRune(dst, r), raw[w:]
	}
	if last && len(raw) == 1 {
		return append(dst, 0xff), nil
	}
	return dst, raw
}

func (e encoding) unit(b []byte) rune {
	if e == utf16LE {
		return rune(b[0]) | rune(b[1])<<8
	}
	return rune(b[0])<<8 | rune(b[1])
}
