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

const (
	digestLen  = 6
	maxNumbers = 8
	// maxCursor is the length of the longest cursor in characters.
	maxCursor = (maxNumbers*binary.MaxVarintLen64 + digestLen) * 4 / 3
)

// invalidCursor returns a correction for the model.
func invalidCursor() error {
	return tools.Correct("cursor is not valid: it must come from an earlier result of this tool for the same arguments " +
		"and the same version of the file. Call the tool again without a cursor.")
}

// encodeCursor returns the base64url encoding of the numbers as varints and of a digest over these and the binding,
// which identifies the tool, the file and the arguments. The numbers must not be negative.
//
// A cursor is not secret. A forged cursor can only name another position in the file that the call may read anyway.
func encodeCursor(binding string, numbers ...int64) string {
	var raw []byte
	for _, n := range numbers {
		raw = binary.AppendUvarint(raw, uint64(n))
	}
	return base64.RawURLEncoding.EncodeToString(append(raw, cursorDigest(raw, binding)...))
}

// parseCursor is the exact inverse of encodeCursor. It returns a correction unless s is a cursor with n numbers.
func parseCursor(s, binding string, n int) ([]int64, error) {
	if len(s) > maxCursor || strings.ContainsAny(s, "\r\n") { // the decoder ignores line ends
		return nil, invalidCursor()
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) < digestLen {
		return nil, invalidCursor()
	}
	rest, sum := raw[:len(raw)-digestLen], raw[len(raw)-digestLen:]
	if !bytes.Equal(sum, cursorDigest(rest, binding)) {
		return nil, invalidCursor()
	}
	var numbers []int64
	for len(rest) > 0 {
		v, w := binary.Uvarint(rest)
		if w <= 0 || v > math.MaxInt64 || w > 1 && rest[w-1] == 0 { // the last: not the shortest encoding
			return nil, invalidCursor()
		}
		numbers, rest = append(numbers, int64(v)), rest[w:]
	}
	if len(numbers) != n {
		return nil, invalidCursor()
	}
	return numbers, nil
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
