package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// truncateNote is the number of bytes that are reserved for the note about the truncation.
const truncateNote = 128

// Truncate limits the texts and the JSON of a result to n bytes in total. If it truncates, it appends a note for the
// model with the number of bytes that were left out; n includes the note. It keeps blocks in order until the limit. It
// cuts a text between two characters. It cuts JSON between two values, or within a text of more than 64 bytes, which
// then ends in "…", and closes the open lists and objects, so that the result is valid JSON. Members at the end, also
// those of the last object, may then be missing. Media, errors and the Summary are unchanged.
//
// A result within the limit costs one pass over its JSON. Put Truncate inside [Audit] and outside [RetryTransient]. It
// panics if n is less than 256.
func Truncate(n int) Middleware {
	if n < 2*truncateNote {
		panic(fmt.Sprintf("tools: invalid result limit %d: must be at least %d", n, 2*truncateNote))
	}
	return func(next Handler) Handler {
		return func(ctx context.Context, c *Call) (Result, error) {
			res, err := next(ctx, c)
			if err != nil {
				return res, err
			}
			return truncateResult(res, n), nil
		}
	}
}

func truncateResult(res Result, n int) Result {
	res = res.repairText() // before measuring, because U+FFFD is longer than a byte
	total := 0
	for _, b := range res.Blocks {
		total += len(b.Text) + len(b.JSON)
	}
	if total <= n || res.Check() != nil { // leave an invalid result unchanged: Tool.Call rejects it
		return res
	}
	if res.Summary == "" {
		res.Summary = res.makeSummary() // before truncation
	}
	room, kept := n-truncateNote, 0
	var blocks []Block
	for _, b := range res.Blocks {
		if size := len(b.Text) + len(b.JSON); size > room {
			// Leave out all that follows: it would seem to be adjacent.
			if b.JSON != nil {
				b.JSON = cutJSON(b.JSON, room)
			} else {
				b.Text = cutText(b.Text, room)
			}
			room = 0
			if len(b.Text)+len(b.JSON) == 0 {
				continue
			}
		} else {
			room -= size
		}
		kept += len(b.Text) + len(b.JSON)
		blocks = append(blocks, b)
	}
	blocks = append(blocks, Block{Text: fmt.Sprintf("[Cut to fit: %d of %d bytes are shown, and the last value may be "+
		"incomplete.]", kept, total)})
	res.Blocks = blocks
	return res
}

// cutText returns at most n bytes of s, which is valid UTF-8, whole characters.
func cutText(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }

// cutJSON returns the longest beginning of strict JSON that can be closed within n bytes, and closes it. It returns nil
// if that is empty, as for a number. raw must be longer than n.
func cutJSON(raw json.RawMessage, n int) json.RawMessage {
	var open []byte // the closing brackets of the open containers, the innermost last
	end, tail, closing := 0, "", []byte(nil)
	value := true // whether the next string is a value, not a name
scan:
	for i := 0; i < len(raw); i++ {
		at := i // a place where the JSON can be closed
		switch b := raw[i]; b {
		case '{', '[':
			value = b == '['
			open = append(open, b+2) // in ASCII, the closing bracket is two later
			at = i + 1
		case '}', ']':
			open = open[:len(open)-1]
			continue
		case ',':
			value = open[len(open)-1] == ']'
		case ':':
			value = true
			continue
		case '"':
			last := findStringEnd(raw, i)
			if room := n - len(open) - len(cutMark); value && last-i > cutLong && last > room {
				if p := findStringCut(raw, i, room); p-i > cutLong {
					end, tail, closing = p, cutMark, open
					break scan
				}
			}
			i = last
			continue
		default:
			continue
		}
		if at+len(open) > n {
			break
		}
		end, closing = at, append(closing[:0], open...)
	}
	if end == 0 {
		return nil
	}
	slices.Reverse(closing)
	return slices.Concat(raw[:end], []byte(tail), closing)
}

const (
	cutLong = 64    // texts in JSON up to this length are not cut
	cutMark = "…\"" // the end of a cut text
)

// findStringEnd returns the index of the closing quote of the string that opens at i.
func findStringEnd(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i
}

// findStringCut returns the last index, at most limit, where a string that opens at i can be cut: not within a
// character, an escape or a pair of surrogates.
func findStringCut(b []byte, i, limit int) int {
	for i++; ; {
		size := 1
		switch {
		case b[i] >= utf8.RuneSelf:
			_, size = utf8.DecodeRune(b[i:])
		case b[i] != '\\':
		case b[i+1] != 'u':
			size = 2
		case b[i+2]|0x20 == 'd' && b[i+3] >= '8': // \ud8 to \udf: a pair of surrogates
			size = 12
		default:
			size = 6
		}
		if i+size > limit {
			return i
		}
		i += size
	}
}
