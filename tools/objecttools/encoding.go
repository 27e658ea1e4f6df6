package objecttools

import (
	"bytes"
	"net/http"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// headLen is the number of bytes that encoding and format detection look at.
const headLen = 8 << 10

// encoding is the text encoding of a file.
type encoding int

const (
	utf8Text encoding = iota
	utf16LE
	utf16BE
	windows1252
	notText
)

// String returns the name of the encoding in results.
func (e encoding) String() string {
	return [...]string{"UTF-8", "UTF-16LE", "UTF-16BE", "Windows-1252", "binary"}[e]
}

// isDecoded reports whether the text in the file is not UTF-8.
func (e encoding) isDecoded() bool { return e != utf8Text }

// isUTF16 reports whether a code unit has two bytes.
func (e encoding) isUTF16() bool { return e == utf16LE || e == utf16BE }

// detectEncoding detects the encoding from the first bytes of a file, and returns the length of the byte order mark.
// isWhole reports whether head is the whole file. UTF-16 without a mark is not detected: it counts as binary. Text that
// is not valid UTF-8 is assumed to be Windows-1252, unless it has as many characters of UTF-8.
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
	controls, invalid, stray, multi := 0, 0, 0, 0
	for b := head[bom:]; len(b) > 0; {
		r, w := utf8.DecodeRune(b)
		switch {
		case r == 0:
			return notText, 0
		case r == utf8.RuneError && w == 1:
			if w = brokenLen(b); w == 0 {
				w = 1
				stray++
			} else {
				multi++
			}
			invalid += w
		case w > 1:
			multi++
		case r < ' ' && !strings.ContainsRune("\t\n\r\f\b\x1b", r):
			controls++
		}
		b = b[w:]
	}
	// Up to about a third of the bytes of text in an 8-bit encoding are invalid UTF-8.
	if controls*50 > len(head) || invalid*2 > len(head) || invalid > 0 && hasBinaryType(head) {
		return notText, 0
	}
	if stray > multi && bom == 0 {
		return windows1252, 0
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

// decode1252 returns the character of a byte of Windows-1252, or utf8.RuneError for one of the five without a
// character.
func decode1252(b byte) rune {
	if r := charmap.Windows1252.DecodeByte(b); r < 0x80 || r >= 0xa0 {
		return r
	}
	return utf8.RuneError
}

// brokenLen returns the number of bytes at the beginning of b, which are not valid UTF-8, that are an incomplete or
// invalid character: a byte that begins one, and those that continue it. It returns 0 for a single byte that is more
// likely a character of Windows-1252.
func brokenLen(b []byte) int {
	n := 1
	if b[0] >= 0xc0 && b[0] < 0xf8 {
		for n < len(b) && n < utf8.UTFMax && b[n]&0xc0 == 0x80 {
			n++
		}
	}
	if n == 1 && decode1252(b[0]) != utf8.RuneError {
		return 0
	}
	return n
}

// decodeChar returns the first character of decoded text and its length. In UTF-8 a single invalid byte is the
// character that it has in Windows-1252. Other invalid bytes are broken, and each of them is shown as r, U+FFFD.
func (e encoding) decodeChar(b []byte) (r rune, size int, isBroken bool) {
	r, size = utf8.DecodeRune(b)
	switch {
	case r != utf8.RuneError || size != 1:
		return r, size, false
	case e != utf8Text:
		return r, size, true
	case brokenLen(b) > 0:
		return r, brokenLen(b), true
	}
	return decode1252(b[0]), 1, false
}

// toText converts decoded text to a string, with U+FFFD for each byte that is not part of a character, and counts the
// invalid bytes.
func (e encoding) toText(b []byte) (s string, invalid int) {
	if utf8.Valid(b) {
		return string(b), 0
	}
	out := make([]byte, 0, len(b)+len(b)/2)
	invalid = countInvalid(b)
	for len(b) > 0 {
		r, size, isBroken := e.decodeChar(b)
		out = utf8.AppendRune(out, r)
		for n := 1; isBroken && n < size; n++ {
			out = utf8.AppendRune(out, r)
		}
		b = b[size:]
	}
	return string(out), invalid
}

// storedLen returns the number of bytes that the decoded text b takes in the file. An invalid byte in b stands for one
// code unit of UTF-16, or one byte of Windows-1252.
func (e encoding) storedLen(b []byte) int64 {
	switch e {
	case utf8Text:
		return int64(len(b))
	case windows1252:
		return int64(utf8.RuneCount(b))
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

// decode appends raw, which is not UTF-8, to dst as UTF-8. It writes a lone surrogate, half a code unit or a byte
// without a character as the byte 0xff, which never occurs in UTF-8. It returns the bytes that need more input to be
// decoded, unless last is true.
func (e encoding) decode(dst, raw []byte, last bool) (out, rest []byte) {
	if e == windows1252 {
		for _, b := range raw {
			if r := decode1252(b); r != utf8.RuneError {
				dst = utf8.AppendRune(dst, r)
			} else {
				dst = append(dst, 0xff)
			}
		}
		return dst, nil
	}
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
