package bedrocktest

// Split cuts s before the bytes at the given offsets, which must not decrease. It may cut runes, numbers and JSON
// escapes. The fragments are for [Text], [Reasoning] and [ToolUse]; joined they are s.
//
// The SDK keeps an incomplete rune, except in a fragment that also contains a character that JSON escapes (a quote, a
// backslash, a control character): there the SDK replaces it by U+FFFD.
func Split(s string, at ...int) []string {
	fragments := make([]string, 0, len(at)+1)
	from := 0
	for _, to := range at {
		fragments = append(fragments, s[from:to])
		from = to
	}
	return append(fragments, s[from:])
}

// Chunks cuts s into fragments of n bytes, the last of which may be shorter. If n is 1, every rune and every escape is
// split.
func Chunks(s string, n int) []string {
	var fragments []string
	for len(s) > n {
		fragments = append(fragments, s[:n])
		s = s[n:]
	}
	return append(fragments, s)
}
