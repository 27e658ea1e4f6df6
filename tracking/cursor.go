package tracking

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/carrel-go/carrel/scope"
)

// A cursor is base64url, without padding, of a 16-byte digest of scope and
// class, and the session id after which the page goes on. It holds no secret
// and needs none: where to look is always said by the caller's own scope, so
// a forged cursor seeks among the caller's own rows.

const digestSize = 16

func cursorDigest(s scope.Scope, c Class) string {
	sum := sha256.Sum256([]byte("tracking.list\x00" + s.Partition() + "\x00" + string(c)))
	return string(sum[:digestSize])
}

func makeCursor(after string, s scope.Scope, c Class) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorDigest(s, c) + after))
}

// parseCursor returns the session id in a cursor that was made for s and c.
func parseCursor(cursor string, s scope.Scope, c Class) (string, error) {
	const bad = "a cursor that is not of this list"
	if len(cursor) > 128 {
		return "", invalid(bad)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || strings.ContainsAny(cursor, "\r\n") { // the decoder skips line ends
		return "", invalid(bad)
	}
	after, ok := strings.CutPrefix(string(raw), cursorDigest(s, c))
	if !ok {
		return "", invalid(bad)
	}
	if _, ok := sessionID(s, after); !ok {
		return "", invalid(bad)
	}
	return after, nil
}
