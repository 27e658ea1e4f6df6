package strictjson

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"
)

// The ranges of UTF-16 surrogates.
const (
	surrogates    = 0xd800 // the first high one
	lowSurrogates = 0xdc00 // the first low one
	surrogatesEnd = 0xe000 // the first rune beyond
)

// readHex4 reads four hexadecimal digits at b[i:].
func readHex4(b []byte, i int) (r rune, ok bool) {
	if len(b)-i < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[i:i+4]), 16, 16)
	return rune(n), err == nil
}

// hasLowSurrogate reports whether a \u escape of a low surrogate is at b[i:].
func hasLowSurrogate(b []byte, i int) bool {
	if len(b)-i < 6 || b[i] != '\\' || b[i+1] != 'u' {
		return false
	}
	r, ok := readHex4(b, i+2)
	return ok && lowSurrogates <= r && r < surrogatesEnd
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
	if !hasLowSurrogate(b, 6) {
		return -1
	}
	return 12
}

// decodeEscapes returns the text of a valid string, which is in quotes.
func decodeEscapes(quoted []byte) []byte {
	var text string
	_ = json.Unmarshal(quoted, &text) // the scanner has accepted it
	return []byte(text)
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
		b = []byte(string([]rune(string(b)))) // U+FFFD for each byte, as encoding/json reads it
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
		if r < lowSurrogates && hasLowSurrogate(b, i+5) {
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
