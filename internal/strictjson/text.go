package strictjson

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// The ranges of UTF-16 surrogates.
const (
	surrogates    = 0xd800 // the first high one
	lowSurrogates = 0xdc00 // the first low one
	surrogatesEnd = 0xe000 // the first rune beyond
)

// replaceInvalid returns b with U+FFFD for each byte that is not UTF-8, as encoding/json reads it.
func replaceInvalid(b []byte) []byte {
	out := make([]byte, 0, len(b)+len(b)/8)
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		out, b = utf8.AppendRune(out, r), b[size:]
	}
	return out
}

// readHex4 reads four hexadecimal digits at b[i:].
func readHex4(b []byte, i int) (r rune, ok bool) {
	if len(b)-i < 4 {
		return 0, false
	}
	for _, c := range b[i : i+4] {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// lowSurrogate reads a \u escape of a low surrogate at b[i:].
func lowSurrogate(b []byte, i int) (r rune, ok bool) {
	if len(b)-i < 6 || b[i] != '\\' || b[i+1] != 'u' {
		return 0, false
	}
	r, ok = readHex4(b, i+2)
	return r, ok && lowSurrogates <= r && r < surrogatesEnd
}

// EscapeLength returns the length of the escape that b begins with: 0 if more bytes must come, -1 if it is invalid. The
// two halves of a surrogate pair are one escape.
func EscapeLength(b []byte) int {
	switch {
	case len(b) < 2:
		return 0
	case b[1] != 'u' && bytes.IndexByte([]byte(`"\/bfnrt`), b[1]) < 0:
		return -1
	case b[1] != 'u':
		return 2
	case len(b) < 6:
		return 0
	}
	r, ok := readHex4(b, 2)
	switch {
	case !ok || lowSurrogates <= r && r < surrogatesEnd:
		return -1
	case r < surrogates || surrogatesEnd <= r:
		return 6
	case len(b) < 12:
		return 0
	}
	if _, ok := lowSurrogate(b, 6); !ok {
		return -1
	}
	return 12
}

// decodeEscapes decodes the text between the quotes of a valid string.
func decodeEscapes(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			out = append(out, b[i])
			continue
		}
		i++
		switch c := b[i]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := readHex4(b, i+1)
			i += 4
			if low, ok := lowSurrogate(b, i+1); ok && surrogates <= r && r < lowSurrogates {
				r = (r-surrogates)<<10 + (low - lowSurrogates) + 0x10000
				i += 6
			}
			out = utf8.AppendRune(out, r)
		default: // a quote, a backslash or a slash
			out = append(out, c)
		}
	}
	return out
}

// firstInvalid returns the offset of the first byte that is not UTF-8.
func firstInvalid(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(b)
}

// Repair returns b with U+FFFD in place of bytes that are not UTF-8 and of escapes that are half of a surrogate pair,
// as encoding/json decodes them. Use it for documents that are shown, such as the result of a tool; at a trust boundary
// it would make different texts equal. It does not repair other defects, so check its result. If b does not have text
// defects, Repair returns b itself.
func Repair(b []byte) []byte {
	if !utf8.Valid(b) {
		b = replaceInvalid(b)
	}
	out, copied := b, false
	for i := 0; i < len(b)-1; i++ {
		if b[i] != '\\' {
			continue
		}
		i++ // an escaped backslash or quote does not begin anything
		if b[i] != 'u' {
			continue
		}
		r, ok := readHex4(b, i+1)
		if !ok || r < surrogates || surrogatesEnd <= r {
			continue
		}
		if _, ok := lowSurrogate(b, i+5); ok && r < lowSurrogates {
			i += 10
			continue
		}
		if !copied {
			out, copied = slices.Clone(b), true
		}
		copy(out[i+1:], "fffd")
		i += 4
	}
	return out
}
