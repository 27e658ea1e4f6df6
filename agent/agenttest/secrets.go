package agenttest

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// rule is a Redactor with what must be in a text, in small letters, for its pattern to be worth a look: patterns are
// slow. only narrows down what the pattern finds.
type rule struct {
	kind    string
	hints   []string
	pattern *regexp.Regexp
	only    func(string) bool
}

// secrets are taken out of every recording. The order is that in which they are looked for: what is whole comes
// before what may be a piece of it.
var secrets = []rule{
	{"private-key", []string{"private key-----"}, regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`), nil},
	{"credential", []string{"x-amz-credential"}, regexp.MustCompile(`(?i)X-Amz-Credential(?:=|%3D|\\u003d)([^&\s"'<>\\\[\]]+)`), nil},
	{"credential", []string{"credential="}, regexp.MustCompile(`AWS4-HMAC-SHA256 Credential=([^,\s"'<>\\\[\]]+)`), nil},
	{"signature", []string{"x-amz-signature"}, regexp.MustCompile(`(?i)X-Amz-Signature(?:=|%3D|\\u003d)([^&\s"'<>\\\[\]]+)`), nil},
	{"signature", []string{"signature="}, regexp.MustCompile(`\bSignature=([0-9a-fA-F]{64})\b`), nil},
	{"session-token", []string{"x-amz-security-token"}, regexp.MustCompile(`(?i)X-Amz-Security-Token(?:=|%3D|\\u003d|:\s*)([^&\s"'<>\\\[\]]+)`), nil},
	{"session-token", []string{"iqoj", "fwog", "fqog", "aqod"}, regexp.MustCompile(`\b(?:IQoJ|FwoG|FQoG|AQoD)[A-Za-z0-9/+_=-]{60,}`), nil},
	{"token", []string{"eyj"}, regexp.MustCompile(`\beyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`), nil}, // a JWT, whose header begins with {"
	{"token", []string{"authorization"}, regexp.MustCompile(`(?i)\bauthorization["']?\s*[:=]\s*["']?(?:bearer|basic)\s+([A-Za-z0-9._~+/=-]+)`), nil},
	{"token", []string{"bearer"}, regexp.MustCompile(`(?i)\bbearer\s+([A-Za-z0-9._~+/=-]*[0-9._~+/=][A-Za-z0-9._~+/=-]{7,})`), nil},
	{"access-key", []string{"akia", "asia", "abia", "acca"}, regexp.MustCompile(`\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b`), nil},
	{"secret-key", []string{"secret"}, regexp.MustCompile(`(?i)secret_?(?:access)?_?key["']?\s*[:=]\s*["']?([A-Za-z0-9/+]{40})`), nil},
	{"secret", []string{"passw", "secret", "key"}, regexp.MustCompile(`(?i)\b(?:password|passwd|client_?secret|api_?key)\s*=\s*([^&\s"'<>\\\[\],;]+)`), nil},
	// The same in JSON that is cut, or that stands in a text.
	{"secret", []string{"passw", "passphrase", "token", "authorization", "cookie", "secret", "key"},
		regexp.MustCompile(`(?i)["']` + telltaleNames + `\\*["']\s*:\s*\\*["']([^"'\\]+)`), nil},
	{"account", []string{"arn:aws"}, regexp.MustCompile(`\barn:aws[a-z-]*:[A-Za-z0-9-]*:[A-Za-z0-9-]*:(\d{12})\b`), nil},
	{"email", []string{"@", "%40"}, regexp.MustCompile(`\b[A-Za-z0-9._%+-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b`), nil},
	{"secret-key", nil, regexp.MustCompile(`(?:[A-Za-z0-9/+]|%2[FfBb]){40,}`), looksRandom}, // one without any mark: 40 characters of base64
}

// telltaleNames are those of members of a JSON object whose value is a secret, whatever it looks like.
const telltaleNames = `(?:x-amz-)?(?:aws[-_]?)?(?:secret[-_]?(?:access[-_]?)?key|session[-_]?token|security[-_]?token|` +
	`(?:proxy-)?authorization|password|passwd|passphrase|(?:set-)?cookie|(?:access|id|refresh|bearer)[-_]?token|` +
	`client[-_]?secret|(?:x-)?api[-_]?key|private[-_]?key)`

var telltale = regexp.MustCompile(`(?i)^` + telltaleNames + `$`)

// worthwhile says whether a text, in small letters, may hold what the rule looks for.
func (r rule) worthwhile(lower string) bool {
	if r.only != nil {
		return hasLongWord(lower)
	}
	return r.hints == nil || slices.ContainsFunc(r.hints, func(h string) bool { return strings.Contains(lower, h) })
}

// hasLongWord says whether there are 40 bytes in a row without white space or punctuation of text.
func hasLongWord(s string) bool {
	n := 0
	for i := range len(s) {
		switch s[i] {
		case ' ', '\n', '\t', '.', ',', '"', '=', '&':
			n = 0
		default:
			if n++; n == 40 {
				return true
			}
		}
	}
	return false
}

var inURL = strings.NewReplacer("%2F", "/", "%2f", "/", "%2B", "+", "%2b", "+")

// looksRandom tells a secret access key from a digest in hexadecimal, a path and a long word. It may stand in a URL.
func looksRandom(s string) bool {
	s = inURL.Replace(s)
	has := func(f func(rune) bool) bool { return strings.ContainsFunc(s, f) }
	return len(s) == 40 && has(unicode.IsUpper) && has(unicode.IsLower) && has(unicode.IsDigit)
}
