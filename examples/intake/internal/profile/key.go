package profile

import (
	"bytes"

	"golang.org/x/text/unicode/norm"
)

// Key returns the form in which texts are compared, grouped, joined and counted as distinct: without the white space
// around them, in lower case, and composed, so that é is one character however it was typed. The result is valid until
// b changes or buf is used again. A nil buf stands for a new buffer.
func Key(b []byte, buf *[]byte) []byte {
	b = bytes.TrimSpace(b)
	for _, c := range b {
		switch {
		case c >= 0x80:
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

// fold returns b composed and in lower case. Some letters have another composition in lower case.
func fold(b []byte) []byte { return norm.NFC.Bytes(bytes.ToLower(norm.NFC.Bytes(b))) }

// appendLower returns b in lower case.
func appendLower(buf *[]byte, b []byte) []byte {
	*buf = append((*buf)[:0], b...)
	for i, c := range *buf {
		switch {
		case c >= 0x80:
			return fold(b)
		case 'A' <= c && c <= 'Z':
			(*buf)[i] = c + 'a' - 'A'
		}
	}
	return *buf
}
