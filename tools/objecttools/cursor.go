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
	// maxCursor is the length of the longest cursor in characters.
	maxCursor = (1 + maxNumbers*binary.MaxVarintLen64 + digestLen) * 4 / 3
)

// invalidCursor returns a correction for the model.
func invalidCursor() error {
	return tools.Correct("cursor is not valid: it must come from an earlier result of this tool for the same arguments " +
		"and the same version of the file. Call the tool again without a cursor.")
}

// encodeCursor returns the base64url encoding of the kind, the numbers as varints, and a digest over these and the
// binding, which identifies the file and the arguments. The numbers must not be negative.
//
// A cursor is not secret. A forged cursor can only name another position in the file that the call may read anyway.
func encodeCursor(kind byte, binding string, numbers ...int64) string {
	raw := []byte{kind}
	for _, n := range numbers {
		raw = binary.AppendUvarint(raw, uint64(n))
	}
	return base64.RawURLEncoding.EncodeToString(append(raw, cursorDigest(raw, binding)...))
}

// parseCursor is the exact inverse of encodeCursor. It accepts a cursor of one of the kinds with n numbers, and returns
// a correction otherwise.
func parseCursor(s, binding string, n int, kinds string) (kind byte, numbers []int64, err error) {
	if len(s) > maxCursor || strings.ContainsAny(s, "\r\n") { // the decoder ignores line ends
		return 0, nil, invalidCursor()
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) < 1+digestLen || strings.IndexByte(kinds, raw[0]) < 0 {
		return 0, nil, invalidCursor()
	}
	body, sum := raw[:len(raw)-digestLen], raw[len(raw)-digestLen:]
	if !bytes.Equal(sum, cursorDigest(body, binding)) {
		return 0, nil, invalidCursor()
	}
	numbers = make([]int64, 0, n)
	rest := body[1:]
	for len(rest) > 0 && len(numbers) < n {
		v, w := binary.Uvarint(rest)
		if w <= 0 || v > math.MaxInt64 || w > 1 && rest[w-1] == 0 { // the last: not the shortest encoding
			return 0, nil, invalidCursor()
		}
		numbers, rest = append(numbers, int64(v)), rest[w:]
	}
	if len(numbers) != n || len(rest) > 0 {
		return 0, nil, invalidCursor()
	}
	return body[0], numbers, nil
}

func cursorDigest(body []byte, binding string) []byte {
	h := sha256.New()
	h.Write(binary.AppendUvarint(nil, uint64(len(body))))
	h.Write(body)
	h.Write([]byte(binding))
	return h.Sum(nil)[:digestLen]
}

// boolNumber encodes a flag as a number of a cursor.
func boolNumber(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
