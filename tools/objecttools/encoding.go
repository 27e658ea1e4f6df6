package objecttools

import (
	"bytes"
	"net/http"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// headLen is the number of bytes that encoding and format detection look at.
const headLen = 8 << 10

// encoding is the text encoding of a file.
type encoding int

const (
	utf8Text encoding = iota
	utf16LE
	utf16BE
	notText
)

// String returns the name of the encoding in results.
func (e encoding) String() string {
	return [...]string{"UTF-8", "UTF-16LE", "UTF-16BE", "binary"}[e]
}

// detectEncoding detects the encoding from the first bytes of a file, and returns the length of the byte order mark.
// isWhole reports whether head is the whole file. UTF-16 without a mark is not detected: it counts as binary.
func detectEncoding(head []byte, isWhole bool) (e encoding, bom int) {
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		bom = 3
	case bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00")): // UTF-32, or UTF-16 that begins with NUL
		return notText, 0
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return utf16LE, 2
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return utf16BE, 2
	case bytes.HasPrefix(head, []byte("%PDF-")):
		return notText, 0
	}
	if !isWhole {
		head = head[:len(head)-partialRuneLen(head)]
	}
	controls, invalid := 0, 0
	for b := head[bom:]; len(b) > 0; {
		r, w := utf8.DecodeRune(b)
		b = b[w:]
		switch {
		case r == 0:
			return notText, 0
		case r == utf8.RuneError && w == 1:
			invalid++
		case r < ' ' && !strings.ContainsRune("\t\n\r\f\b\x1b", r):
			controls++
		}
	}
	// Up to about a third of the bytes of text in an 8-bit encoding are invalid UTF-8.
	if controls*50 > len(head) || invalid*2 > len(head) || invalid > 0 && hasBinaryType(head) {
		return notText, 0
	}
	return utf8Text, bom
}

// hasBinaryType reports whether head is detected as a binary format, such as an image.
func hasBinaryType(head []byte) bool {
	return !strings.HasPrefix(http.DetectContentType(head), "text/")
}

// partialRuneLen returns the length of an incomplete character at the end of b.
func partialRuneLen(b []byte) int {
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

// storedLen returns the number of bytes that the decoded text b takes in the file. An invalid byte in b stands for one
// code unit of UTF-16.
func (e encoding) storedLen(b []byte) int64 {
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

// decodeUTF16 appends raw to dst as UTF-8. It writes a lone surrogate or half a code unit as the byte 0xff, which never
// occurs in UTF-8. It returns the bytes that need more input to be decoded, unless last is true.
func (e encoding) decodeUTF16(dst, raw []byte, last bool) (out, rest []byte) {
	for len(raw) >= 2 {
		r := e.codeUnit(raw)
		w := 2
		if utf16.IsSurrogate(r) {
			if r < 0xdc00 && len(raw) < 4 && !last {
				return dst, raw
			}
			pair := rune(utf8.RuneError)
			if len(raw) >= 4 {
				pair = utf16.DecodeRune(r, e.codeUnit(raw[2:]))
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

func (e encoding) codeUnit(b []byte) rune {
	if e == utf16LE {
		return rune(b[0]) | rune(b[1])<<8
	}
	return rune(b[0])<<8 | rune(b[1])
}
