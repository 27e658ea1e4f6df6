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
	such string // an example, for messages
	fits func(string) bool
}

// formats is the closed list: what is claimed to a model is checked.
var formats = map[string]format{
	"date":      {"2026-01-31", isDate},
	"time":      {"15:04:05Z", isTime},
	"date-time": {"2026-01-31T15:04:05Z", isDateTime},
	"email":     {"name@example.com", isEmail},
	"uuid":      {"018f4e9a-7b1c-7d2e-9f3a-4b5c6d7e8f90", isUUID},
	"uri":       {"https://example.com/page", isURI},
}

// isDate: full-date of RFC 3339, section 5.6.
func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// isTime: full-time of RFC 3339, without leap seconds.
func isTime(s string) bool { return isDateTime("2000-01-01T" + s) }

// isDateTime: date-time of RFC 3339 in upper case and without leap seconds. All of these time.Time reads, and more.
func isDateTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil && dateTime.MatchString(s)
}

var dateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$`)

// isEmail: an address alone, as RFC 5321 has it: ASCII, without a name, at most 254 bytes.
func isEmail(s string) bool {
	if len(s) > 254 || !ascii(s) {
		return false
	}
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s
}

// isUUID: RFC 9562's text form of 36 characters.
func isUUID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }

// isURI: an absolute URI of RFC 3986, which is ASCII and names its scheme.
func isURI(s string) bool {
	for _, r := range s {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("-._~:/?#[]@!$&'()*+,;=%", r):
		default:
			return false
		}
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && (u.Host != "" || u.Opaque != "" || u.Path != "")
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
