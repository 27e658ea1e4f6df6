package objecttools

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"

	"github.com/carrel-go/carrel/tools"
)

// The kinds of cursors.
const (
	cursorList     = 'l'
	cursorStop     = 'm'
	cursorBytes    = 'b'
	cursorLines    = 'n'
	cursorRows     = 'r'
	cursorSearch   = 's'
	cursorDescribe = 'd'
)

const (
	digestLen  = 6
	maxNumbers = 8
	// maxCursor is how long a cursor may be, in characters.
	maxCursor = (1 + maxNumbers*binary.MaxVarintLen64 + digestLen) * 4 / 3
)

// errCursor is for the model.
func errCursor() error {
	return tools.Correct("the cursor is not one that this tool gave for these arguments and for the file as it is now: begin again without a cursor")
}

// writeCursor makes a cursor: base64url of its kind, the numbers as varints, and a digest of all that with bind, which
// says what the cursor belongs to. There is no secret in it. Whoever forges one reaches another place of the same file,
// which they may read anyway: the file comes from the call.
func writeCursor(kind byte, bind string, numbers ...int64) string {
	raw := []byte{kind}
	for _, n := range numbers {
		raw = binary.AppendUvarint(raw, uint64(n)) // never negative
	}
	return base64.RawURLEncoding.EncodeToString(append(raw, digest(raw, bind)...))
}

// readCursor is the exact inverse of writeCursor for a cursor of n numbers and one of these kinds. It gives the kind
// too. Its error is a correction.
func readCursor(s, bind string, n int, kinds string) (byte, []int64, error) {
	if len(s) > maxCursor || strings.ContainsAny(s, "\r\n") { // which the decoder would pass over
		return 0, nil, errCursor()
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) < 1+digestLen || bytes.IndexByte([]byte(kinds), raw[0]) < 0 {
		return 0, nil, errCursor()
	}
	body, sum := raw[:len(raw)-digestLen], raw[len(raw)-digestLen:]
	if !bytes.Equal(sum, digest(body, bind)) {
		return 0, nil, errCursor()
	}
	numbers := make([]int64, 0, n)
	rest := body[1:]
	for len(rest) > 0 && len(numbers) < n {
		v, w := binary.Uvarint(rest)
		if w <= 0 || v > math.MaxInt64 || w > 1 && rest[w-1] == 0 { // the last: not the shortest form
			return 0, nil, errCursor()
		}
		numbers, rest = append(numbers, int64(v)), rest[w:]
	}
	if len(numbers) != n || len(rest) > 0 {
		return 0, nil, errCursor()
	}
	return body[0], numbers, nil
}

func digest(body []byte, bind string) []byte {
	h := sha256.New()
	h.Write(binary.AppendUvarint(nil, uint64(len(body))))
	h.Write(body)
	h.Write([]byte(bind))
	return h.Sum(nil)[:digestLen]
}
