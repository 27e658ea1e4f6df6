package agenttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Redactor takes secrets of one kind out of a recording.
type Redactor struct {
	// Kind names the secret in its placeholder: small letters, digits and hyphens.
	Kind string
	// Pattern matches the secret: the whole match, or where it has a group, the first one. What stands in its place
	// must not match again.
	Pattern *regexp.Regexp
}

var kindGrammar = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// secrets are taken out of every recording. The order is that in which they are looked for: what is whole comes
// before what may be a piece of it.
var secrets = []Redactor{
	{"private-key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`)},
	{"credential", regexp.MustCompile(`(?i)X-Amz-Credential(?:=|%3D|\\u003d)([^&\s"'<>\\\[\]]+)`)},
	{"credential", regexp.MustCompile(`AWS4-HMAC-SHA256 Credential=([^,\s"'<>\\\[\]]+)`)},
	{"signature", regexp.MustCompile(`(?i)X-Amz-Signature(?:=|%3D|\\u003d)([^&\s"'<>\\\[\]]+)`)},
	{"signature", regexp.MustCompile(`\bSignature=([0-9a-fA-F]{64})\b`)},
	{"session-token", regexp.MustCompile(`(?i)X-Amz-Security-Token(?:=|%3D|\\u003d|:\s*)([^&\s"'<>\\\[\]]+)`)},
	{"session-token", regexp.MustCompile(`\b(?:IQoJ|FwoG|FQoG|AQoD)[A-Za-z0-9/+_=-]{60,}`)},
	{"token", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`)}, // a JWT, whose header begins with {"
	{"token", regexp.MustCompile(`(?i)\bauthorization["']?\s*[:=]\s*["']?(?:bearer|basic)\s+([A-Za-z0-9._~+/=-]+)`)},
	{"token", regexp.MustCompile(`(?i)\bbearer\s+([A-Za-z0-9._~+/=-]*[0-9._~+/=][A-Za-z0-9._~+/=-]{7,})`)},
	{"access-key", regexp.MustCompile(`\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b`)},
	{"secret-key", regexp.MustCompile(`(?i)secret_?(?:access)?_?key["']?\s*[:=]\s*["']?([A-Za-z0-9/+]{40})`)},
	{"secret", regexp.MustCompile(`(?i)\b(?:password|passwd|client_?secret|api_?key)\s*=\s*([^&\s"'<>\\\[\],;]+)`)},
	{"account", regexp.MustCompile(`\barn:aws[a-z-]*:[A-Za-z0-9-]*:[A-Za-z0-9-]*:(\d{12})\b`)},
	{"email", regexp.MustCompile(`\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b`)},
}

// bareKey is a run that may be a secret access key, which has no mark of its own: 40 characters of base64.
var bareKey = regexp.MustCompile(`[A-Za-z0-9/+]{40,}`)

// telltale is a member of a JSON object whose value is a secret, whatever it looks like.
var telltale = regexp.MustCompile(`(?i)^(?:x-amz-)?(?:aws_?)?(?:secret_?(?:access_?)?key|session_?token|security_?token|authorization|password|passwd|` +
	`(?:access|id|refresh|bearer)_?token|client_?secret|api_?key)$`)

const placeholderPrefix = "[redacted:"

// placeholder is what stands for a secret: its kind, and which of that kind it is.
var placeholder = regexp.MustCompile(`\[redacted:([a-z0-9-]+):(\d+)\]`)

// vault gives each secret a placeholder, the same one each time, and remembers which is which.
type vault struct {
	redactors []Redactor
	names     map[[2]string]string // kind and secret → placeholder
	count     map[string]int       // placeholders by kind
}

// newVault returns a vault for the built-in secrets and for those of the caller, which come first.
func newVault(own []Redactor) (*vault, error) {
	for i, r := range own {
		switch {
		case !kindGrammar.MatchString(r.Kind):
			return nil, fmt.Errorf("agenttest: redactor %d: the kind %q does not match %s", i, r.Kind, kindGrammar)
		case r.Pattern == nil:
			return nil, fmt.Errorf("agenttest: redactor %d (%s): no pattern", i, r.Kind)
		}
	}
	return &vault{redactors: slices.Concat(own, secrets), names: map[[2]string]string{}, count: map[string]int{}}, nil
}

// name is the placeholder of a secret.
func (v *vault) name(kind, secret string) string {
	key := [2]string{kind, secret}
	if p, ok := v.names[key]; ok {
		return p
	}
	v.count[kind]++
	p := fmt.Sprintf("%s%s:%d]", placeholderPrefix, kind, v.count[kind])
	v.names[key] = p
	return p
}

// text is s without secrets. A text that is a JSON object or array is redacted as one: the names in it tell more.
func (v *vault) text(s string) string {
	if t := strings.TrimLeft(s, " \t\r\n"); t != "" && (t[0] == '{' || t[0] == '[') && json.Valid([]byte(s)) {
		return string(v.json([]byte(s)))
	}
	return v.plain(s)
}

func (v *vault) plain(s string) string {
	for _, r := range v.redactors {
		s = v.replace(s, r.Kind, r.Pattern, nil)
	}
	return v.replace(s, "secret-key", bareKey, looksRandom)
}

// replace puts placeholders for what the pattern finds outside other placeholders. A finding that holds one is left
// alone: what was secret in it is gone.
func (v *vault) replace(s, kind string, pattern *regexp.Regexp, only func(string) bool) string {
	found := pattern.FindAllStringSubmatchIndex(s, -1)
	if found == nil {
		return s
	}
	taken := placeholder.FindAllStringIndex(s, -1)
	var b strings.Builder
	at := 0
	for _, m := range found {
		from, to := m[0], m[1]
		if len(m) > 2 && m[2] >= 0 {
			from, to = m[2], m[3]
		}
		secret := s[from:to]
		inside := slices.ContainsFunc(taken, func(t []int) bool { return from < t[1] && t[0] < to })
		if secret == "" || inside || only != nil && !only(secret) {
			continue
		}
		b.WriteString(s[at:from])
		b.WriteString(v.name(kind, secret))
		at = to
	}
	return b.String() + s[at:]
}

// looksRandom tells a secret access key from a digest in hexadecimal, a path and a long word.
func looksRandom(s string) bool {
	has := func(f func(rune) bool) bool { return strings.ContainsFunc(s, f) }
	return len(s) == 40 && has(unicode.IsUpper) && has(unicode.IsLower) && has(unicode.IsDigit)
}

// json is raw without the secrets in its strings, and valid as it was. What is no JSON is redacted as text.
func (v *vault) json(raw []byte) []byte {
	if !json.Valid(raw) {
		return []byte(v.plain(string(raw)))
	}
	var b bytes.Buffer
	member := "" // the key of the value that comes next
	for i := 0; i < len(raw); {
		if raw[i] != '"' {
			if raw[i] == ',' || raw[i] == '{' || raw[i] == '[' {
				member = ""
			}
			b.WriteByte(raw[i])
			i++
			continue
		}
		end := literalEnd(raw, i)
		literal := raw[i:end]
		var s string
		_ = json.Unmarshal(literal, &s) // it is a valid literal
		isKey := bytes.HasPrefix(bytes.TrimLeft(raw[end:], " \t\r\n"), []byte(":"))
		safe := v.text(s)
		if !isKey && s != "" && telltale.MatchString(member) && !placeholder.MatchString(s) {
			safe = v.name("secret", s)
		}
		if safe != s {
			literal = quote(safe)
		}
		b.Write(literal)
		if isKey {
			member = s
		}
		i = end
	}
	return b.Bytes()
}

// quote is s as a JSON string that a person can read.
func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
