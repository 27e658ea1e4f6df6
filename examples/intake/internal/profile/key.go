package profile

import (
	"bytes"

	"golang.org/x/text/unicode/norm"
)

// Key returns the form in which texts are compared, grouped, joined and counted as distinct: without the white space
// around them, with one space for white space between words, in lower case, and composed, so that é is one character
// however it was typed. The result is valid until b changes or buf is used again. A nil buf stands for a new buffer.
func Key(b []byte, buf *[]byte) []byte {
	b = bytes.TrimSpace(b)
	for i, c := range b {
		switch {
		case c >= 0x80, isWide(b, i):
			return fold(b)
		case 'A' <= c && c <= 'Z':
			if buf == nil {
				buf = new([]byte)
			}
			return appendLower(buf, b)
		}
	}
	return b
}

// isWide reports whether other white space than one space begins at a byte.
func isWide(b []byte, i int) bool {
	return '\t' <= b[i] && b[i] <= '\r' || b[i] == ' ' && b[i-1] == ' ' // the first byte is not white space
}

// fold returns b composed, in lower case, and with one space between words. Some letters have another composition in
// lower case.
func fold(b []byte) []byte {
	b = norm.NFC.Bytes(bytes.ToLower(norm.NFC.Bytes(b)))
	return bytes.Join(bytes.Fields(b), []byte(" "))
}

// appendLower returns b in lower case.
func appendLower(buf *[]byte, b []byte) []byte {
	*buf = append((*buf)[:0], b...)
	for i, c := range *buf {
		switch {
		case c >= 0x80, isWide(b, i):
			return fold(b)
		case 'A' <= c && c <= 'Z':
			(*buf)[i] = c + 'a' - 'A'
		}
	}
	return *buf
}
