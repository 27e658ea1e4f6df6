package objecttools

import (
	"fmt"
	"unicode/utf8"
)

// frameCost is the part of a result that is reserved for field names, numbers, notes and the name of the file.
const frameCost = 3 << 10

// budget limits the bytes of JSON in a result, or the work of a search.
type budget struct{ left int }

// take subtracts n if at least n is left, and reports whether it did.
func (b *budget) take(n int) bool {
	if n > b.left {
		return false
	}
	b.left -= n
	return true
}

// takeTexts takes the cost of each text that fits.
func (b *budget) takeTexts(texts []string) {
	for _, s := range texts {
		b.take(jsonCost(s))
	}
}

// spend subtracts n, even if less is left.
func (b *budget) spend(n int) { b.left -= n }

func (b *budget) isSpent() bool { return b.left <= 0 }

// notes are the remarks of a result.
type notes []string

func (n *notes) add(format string, args ...any) { *n = append(*n, fmt.Sprintf(format, args...)) }

// addInvalid adds a note if there are invalid bytes.
func (n *notes) addInvalid(count int, enc encoding) {
	if count > 0 {
		const stray = "%d bytes are not valid UTF-8: single ones are shown as their characters in Windows-1252, " +
			"others as U+FFFD"
		if enc == utf8Text {
			n.add(stray, count)
			return
		}
		n.add("%d bytes are not valid %s and are shown as U+FFFD", count, enc)
	}
}

func (n *notes) addEncoding(enc encoding) {
	if enc == windows1252 {
		n.add("the text is not UTF-8: it is read as Windows-1252, which is an assumption")
	}
}

// jsonCost returns the length of s as a JSON string, including its quotes and a comma.
func jsonCost(s string) int {
	n := 3
	for _, r := range s { // an invalid byte is decoded as U+FFFD, which is also how it is shown
		n += runeCost(r)
	}
	return n
}

// runeCost returns the number of bytes that encoding/json writes for r without HTML escapes.
func runeCost(r rune) int {
	switch {
	case r == '"' || r == '\\' || r == '\n' || r == '\r' || r == '\t' || r == '\b' || r == '\f':
		return 2
	case r < ' ' || r == '\u2028' || r == '\u2029':
		return 6
	}
	return utf8.RuneLen(r)
}

// countInvalid counts the bytes of b that are not part of a valid character.
func countInvalid(b []byte) (n int) {
	if utf8.Valid(b) {
		return 0
	}
	for len(b) > 0 {
		r, w := utf8.DecodeRune(b)
		if r == utf8.RuneError && w == 1 {
			n++
		}
		b = b[w:]
	}
	return n
}

// truncateCost returns the longest prefix of s, in whole runes, that costs at most n bytes of JSON.
func truncateCost(s string, n int) string {
	n -= 3
	for i, r := range s {
		if n -= runeCost(r); n < 0 {
			return s[:i]
		}
	}
	return s
}

// truncateRunes returns the first n runes of s, followed by an ellipsis if s is longer.
func truncateRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i] + "…"
		}
		n--
	}
	return s
}
