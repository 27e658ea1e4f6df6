package scope

import (
	"crypto/sha256"
	"encoding/base64"
)

const maxID = 64

// checkID returns why id is outside the grammar of tenants, users and classes, or "".
func checkID(id string) string {
	if id == "" {
		return "is empty"
	}
	if len(id) > maxID {
		return "is longer than 64 bytes"
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case i > 0 && (c == '_' || c == '-'):
		case i == 0 && (c == '_' || c == '-'):
			return "does not start with a letter or digit"
		default:
			return "has a character other than letters, digits, _ and -"
		}
	}
	return ""
}

// checkSession returns why id is no canonical lower-case UUIDv7, or "".
func checkSession(id string) string {
	const not = "is not a lower-case UUIDv7"
	if len(id) != 36 {
		return not
	}
	for i := range len(id) {
		c := id[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return not
			}
		case 14:
			if c != '7' {
				return not
			}
		case 19:
			if c != '8' && c != '9' && c != 'a' && c != 'b' {
				return not
			}
		default:
			if unhex(c) == 0xff {
				return not
			}
		}
	}
	return ""
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}

// EncodeID turns an id from elsewhere, such as an e-mail address or
// "auth0|42", into one inside the grammar of [Tenant] and [Scope.User]: "e_"
// and the bytes in base64url up to 46 bytes, beyond that "h_" and their
// SHA-256 in base64url. Two different ids never give the same result (short
// of a collision of SHA-256).
//
// It encodes every id, also one inside the grammar already. Use it for all the
// ids of one kind or for none: mixed, a raw id "e_…" could be another's
// encoded one. The empty id is refused.
func EncodeID(raw string) (string, error) {
	if raw == "" {
		return "", invalid("id", raw, "is empty")
	}
	if len(raw) <= 46 {
		return "e_" + base64.RawURLEncoding.EncodeToString([]byte(raw)), nil
	}
	sum := sha256.Sum256([]byte(raw))
	return "h_" + base64.RawURLEncoding.EncodeToString(sum[:]), nil
}
