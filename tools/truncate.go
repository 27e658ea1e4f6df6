package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// truncateNote is how many of the bytes are kept for the note that says what was left out.
const truncateNote = 128

// Truncate cuts the texts and JSON of a result to n bytes in all, the note included that then comes last and tells the
// model how much was left out. Blocks are kept in order as long as there is room. A text is cut between two
// characters. JSON is cut between two values, or in a text that is longer than 64 bytes and then ends in "…", and its
// lists and objects are closed, so that it stays JSON: what is missing is at its end, from the last object too. Images
// and documents, errors and the Summary stay as they are.
//
// A result that fits costs one pass over its JSON. Inside [Audit] and outside [RetryTransient] it cuts once. It panics
// if n is less than 256.
func Truncate(n int) Middleware {
	if n < 2*truncateNote {
		panic(fmt.Sprintf("tools: results of %d bytes", n))
	}
	return func(next Handler) Handler {
		return func(ctx context.Context, c *Call) (Result, error) {
			res, err := next(ctx, c)
			if err != nil {
				return res, err
			}
			return truncate(res, n), nil
		}
	}
}

func truncate(res Result, n int) Result {
	res = res.repairText() // before it is measured: U+FFFD is longer than a byte
	total := 0
	for _, b := range res.Blocks {
		total += len(b.Text) + len(b.JSON)
	}
	if total <= n || res.Check() != nil { // Tool.Call rejects an invalid result, so it is not made to look like a valid one
		return res
	}
	if res.Summary == "" {
		res.Summary = res.summary() // of the whole
	}
	room, kept := n-truncateNote, 0
	var blocks []Block
	for _, b := range res.Blocks {
		if size := len(b.Text) + len(b.JSON); size > room {
			// Nothing that follows is shown: it would read as if it came next.
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
	blocks = append(blocks, Block{Text: fmt.Sprintf("[Cut to fit: %d of %d bytes are shown, and the last value may be incomplete.]", kept, total)})
	res.Blocks = blocks
	return res
}

// cutText returns at most n bytes of s, whole characters.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:max(n, 0)]
}

// cutJSON returns the longest beginning of strict JSON that can be closed within n bytes, and closes it. It returns nil
// if there is none, as for a number. raw is longer than n.
func cutJSON(raw json.RawMessage, n int) json.RawMessage {
	var open []byte // what closes the containers that are open, the innermost last
	end, tail, closing := 0, "", []byte(nil)
	value := true // a string that comes next is a value, not a name
scan:
	for i := 0; i < len(raw); i++ {
		at := i // where the JSON may end if it is closed there
		switch b := raw[i]; b {
		case '{', '[':
			value = b == '['
			open = append(open, b+2) // the closing one is two further in ASCII
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
			last := stringEnd(raw, i)
			if room := n - len(open) - len(cutMark); value && last-i > cutLong && last > room {
				if p := stringCut(raw, i, room); p-i > cutLong {
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
	cutLong = 64    // how long a text in JSON is that may be cut within
	cutMark = "…\"" // how it then ends
)

// stringEnd is where the string ends whose opening quote is at i.
func stringEnd(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i
}

// stringCut is the last place, at most limit, where a string that opens at i can be cut: not within a character, an
// escape or a pair of them.
func stringCut(b []byte, i, limit int) int {
	for i++; ; {
		size := 1
		switch {
		case b[i] >= utf8.RuneSelf:
			_, size = utf8.DecodeRune(b[i:])
		case b[i] != '\\':
		case b[i+1] != 'u':
			size = 2
		case b[i+2]|0x20 == 'd' && b[i+3] >= '8': // \ud8 to \udf: a surrogate, and the other of the pair
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
