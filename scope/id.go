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
	if len(id) == 36 && id[8] == '-' && id[13] == '-' && id[14] == '7' && id[18] == '-' && '8' <= id[19] && id[19] <= 'b' && id[23] == '-' &&
		isHex(id[:8]) && isHex(id[9:13]) && isHex(id[15:18]) && isHex(id[19:23]) && isHex(id[24:]) {
		return ""
	}
	return "is not a lower-case UUIDv7"
}

// isHex reports whether s is lower-case hexadecimal digits and nothing else.
func isHex(s string) bool {
	const letters, digits uint64 = (1<<6 - 1) << ('a' - 64), (1<<10 - 1) << '0' // as bits, 64–127 and 0–63
	ok := uint64(1)
	for i := range len(s) {
		c := s[i]
		if c >= 64 {
			ok &= letters >> (c - 64)
		} else {
			ok &= digits >> c
		}
	}
	return ok == 1
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
