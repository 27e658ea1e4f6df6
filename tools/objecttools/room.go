package objecttools

import (
	"strings"
	"unicode/utf8"
)

// frame is what a result needs beside the contents that it carries: names of fields, numbers, notes, the file's name.
const frame = 3 << 10

// room is how many bytes of JSON are left for contents.
type room struct{ left int }

// take takes n bytes if they are there.
func (r *room) take(n int) bool {
	if n > r.left {
		return false
	}
	r.left -= n
	return true
}

// cost is how many bytes s has as a JSON string, with its quotes and the comma behind it.
func cost(s string) int {
	n := 3
	for _, r := range s { // an invalid byte counts as U+FFFD, which it is when it is shown
		n += runeCost(r)
	}
	return n
}

// runeCost is how many bytes encoding/json writes for r, without its escapes for HTML.
func runeCost(r rune) int {
	switch {
	case r == '"' || r == '\\' || r == '\n' || r == '\r' || r == '\t' || r == '\b' || r == '\f':
		return 2
	case r < ' ' || r == '\u2028' || r == '\u2029':
		return 6
	}
	return utf8.RuneLen(r)
}

// show turns decoded bytes into text: each byte that is no part of a character becomes U+FFFD. It says how many.
func show(b []byte) (string, int) {
	if utf8.Valid(b) {
		return string(b), 0
	}
	var s strings.Builder
	s.Grow(len(b) + 16)
	bad := 0
	for len(b) > 0 {
		r, w := utf8.DecodeRune(b)
		if r == utf8.RuneError && w == 1 {
			bad++
		}
		s.WriteRune(r)
		b = b[w:]
	}
	return s.String(), bad
}

// fit returns the longest beginning of s, at a rune's edge, that costs at most n bytes.
func fit(s string, n int) string {
	n -= 3
	for i, r := range s {
		if n -= runeCost(r); n < 0 {
			return s[:i]
		}
	}
	return s
}

// clipRunes returns at most n runes of s, with a mark where something was cut off.
func clipRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i] + "…"
		}
		n--
	}
	return s
}
