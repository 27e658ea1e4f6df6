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
	if c := id[0]; c == '_' || c == '-' {
		return "does not start with a letter or digit"
	}
	for i := range len(id) {
		if c := id[i]; c >= 0x80 || !in(c, idLow, idHigh) {
			return "has a character other than letters, digits, _ and -"
		}
	}
	return ""
}

// Letters, digits, _ and -, as bits: 0–63 and 64–127.
const (
	idLow  = (1<<10-1)<<'0' | 1<<'-'
	idHigh = (1<<26-1)<<('A'-64) | (1<<26-1)<<('a'-64) | 1<<('_'-64)
)

// checkSession returns why id is no canonical lower-case UUIDv7, or "".
func checkSession(id string) string {
	const not = "is not a lower-case UUIDv7"
	if len(id) != 36 || id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-' || id[14] != '7' || id[19] < '8' || id[19] > 'b' {
		return not
	}
	dashes := 0
	for i := range len(id) {
		c := id[i]
		if c >= 0x80 || !in(c, hexLow, hexHigh) {
			return not
		}
		if c == '-' {
			dashes++
		}
	}
	if dashes != 4 { // besides those that have been seen
		return not
	}
	return ""
}

// Lower-case hexadecimal digits and -, as bits: 0–63 and 64–127.
const (
	hexLow  = (1<<10-1)<<'0' | 1<<'-'
	hexHigh = (1<<6 - 1) << ('a' - 64)
)

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
