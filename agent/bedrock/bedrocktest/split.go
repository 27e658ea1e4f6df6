package bedrocktest

// Split cuts s before the bytes at the given offsets, which must not decrease: in the middle of a rune, of a number or
// of a JSON escape if they say so. The fragments are for [Text], [Reasoning] and [ToolUse]; joined they are s.
//
// The SDK keeps half a rune as it is, but not in a fragment that also holds what JSON escapes (a quote, a backslash, a
// control character): there it becomes U+FFFD before any code of ours sees it.
func Split(s string, at ...int) []string {
	fragments := make([]string, 0, len(at)+1)
	from := 0
	for _, to := range at {
		fragments = append(fragments, s[from:to])
		from = to
	}
	return append(fragments, s[from:])
}

// Chunks cuts s into fragments of n bytes, the last of which may be shorter: with 1, every rune and every escape is
// split wherever it can be.
func Chunks(s string, n int) []string {
	var fragments []string
	for len(s) > n {
		fragments = append(fragments, s[:n])
		s = s[n:]
	}
	return append(fragments, s)
}
