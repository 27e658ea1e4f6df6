package tools

import (
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// format is one value of the format tag.
type format struct {
	example string
	isValid func(string) bool
}

// formats lists the supported formats. Each format in a schema is checked.
var formats = map[string]format{
	"date":      {"2026-01-31", isDate},
	"time":      {"15:04:05Z", isTime},
	"date-time": {"2026-01-31T15:04:05Z", isDateTime},
	"email":     {"name@example.com", isEmail},
	"uuid":      {"018f4e9a-7b1c-7d2e-9f3a-4b5c6d7e8f90", isUUID},
	"uri":       {"https://example.com/page", isURI},
}

// isDate reports whether s is a full-date of RFC 3339, section 5.6.
func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// isTime reports whether s is a full-time of RFC 3339 without leap seconds.
func isTime(s string) bool { return isDateTime("2000-01-01T" + s) }

// isDateTime reports whether s is a date-time of RFC 3339 in upper case and without leap seconds. time.Time reads all
// of these.
func isDateTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil && dateTime.MatchString(s)
}

var dateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$`)

// isEmail reports whether s is an address of RFC 5321: ASCII, without a display name, at most 254 bytes.
func isEmail(s string) bool {
	if len(s) > 254 || !isASCII(s) {
		return false
	}
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s
}

// isUUID reports whether s has RFC 9562's text form of 36 characters.
func isUUID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }

// isURI reports whether s is an absolute URI of RFC 3986: ASCII, with a scheme.
func isURI(s string) bool {
	for _, r := range s {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9',
			strings.ContainsRune("-._~:/?#[]@!$&'()*+,;=%", r):
		default:
			return false
		}
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && (u.Host != "" || u.Opaque != "" || u.Path != "")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
