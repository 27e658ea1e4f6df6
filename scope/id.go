package scope

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/google/uuid"
)

const maxID = 64

// checkID returns why id is not a valid tenant, user or class, or "".
func checkID(id string) string {
	if id == "" {
		return "is empty"
	}
	if len(id) > maxID {
		return "is longer than 64 bytes"
	}
	if c := id[0]; c == '_' || c == '-' {
		return "does not start with a letter or digit"
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return "has a character other than letters, digits, _ and -"
		}
	}
	return ""
}

// checkSession returns why id is not a canonical lower-case UUIDv7, or "".
func checkSession(id string) string {
	u, err := uuid.Parse(id) // which accepts other forms as well
	if err != nil || u.Version() != 7 || u.Variant() != uuid.RFC4122 || u.String() != id {
		return "is not a lower-case UUIDv7"
	}
	return ""
}

// EncodeID encodes an id of another system, such as an e-mail address or
// "auth0|42", as an id that [Tenant] and [Scope.User] accept. It returns "e_" and
// the id in base64url if the id has at most 46 bytes, and otherwise "h_" and its
// SHA-256 in base64url. Two different ids have different results, short of a
// collision of SHA-256.
//
// EncodeID encodes valid ids too. Use it for all ids of one kind or for none: in
// a mixture, a raw id "e_…" could equal the encoding of another id. It returns an
// error for the empty id.
func EncodeID(raw string) (string, error) {
	if raw == "" {
		return "", newInvalidError("id", raw, "is empty")
	}
	if len(raw) <= 46 {
		return "e_" + base64.RawURLEncoding.EncodeToString([]byte(raw)), nil
	}
	sum := sha256.Sum256([]byte(raw))
	return "h_" + base64.RawURLEncoding.EncodeToString(sum[:]), nil
}
