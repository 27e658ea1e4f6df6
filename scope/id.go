package scope

import (
	"crypto/sha256"
	"encoding/base64"
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
		if c := id[i]; c >= 0x80 || !isInSet(c, idLow, idHigh) {
			return "has a character other than letters, digits, _ and -"
		}
	}
	return ""
}

// Letters, digits, _ and -, as bit sets of the characters 0–63 and 64–127.
const (
	idLow  = (1<<10-1)<<'0' | 1<<'-'
	idHigh = (1<<26-1)<<('A'-64) | (1<<26-1)<<('a'-64) | 1<<('_'-64)
)

// checkSession returns why id is not a canonical lower-case UUIDv7, or "".
func checkSession(id string) string {
	if len(id) == 36 && id[8] == '-' && id[13] == '-' && id[14] == '7' && id[18] == '-' && '8' <= id[19] && id[19] <= 'b' && id[23] == '-' &&
		isHex(id[:8]) && isHex(id[9:13]) && isHex(id[15:18]) && isHex(id[19:23]) && isHex(id[24:]) {
		return ""
	}
	return "is not a lower-case UUIDv7"
}

// isHex reports whether s consists of lower-case hexadecimal digits.
func isHex(s string) bool {
	const letters, digits uint64 = (1<<6 - 1) << ('a' - 64), (1<<10 - 1) << '0' // as bit sets, 64–127 and 0–63
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

// hexValue returns the value of a lower-case hexadecimal digit.
func hexValue(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
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
