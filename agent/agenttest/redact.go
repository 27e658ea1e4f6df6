package agenttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
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

const placeholderPrefix = "[redacted:"

// placeholder is what stands for a secret: its kind, and which of that kind it is.
var placeholder = regexp.MustCompile(`\[redacted:([a-z0-9-]+):(\d+)\]`)

// vault gives each secret a placeholder, the same one each time, and remembers which is which.
type vault struct {
	rules []rule
	names map[string]string // secret → placeholder, whose kind is what it was first taken for
	count map[string]int    // placeholders by kind
}

// newVault returns a vault for the built-in secrets and for those of the caller, which come first.
func newVault(own []Redactor) (*vault, error) {
	v := &vault{names: map[string]string{}, count: map[string]int{}}
	for i, r := range own {
		switch {
		case !kindGrammar.MatchString(r.Kind):
			return nil, fmt.Errorf("agenttest: redactor %d: the kind %q does not match %s", i, r.Kind, kindGrammar)
		case r.Pattern == nil:
			return nil, fmt.Errorf("agenttest: redactor %d (%s): no pattern", i, r.Kind)
		}
		v.rules = append(v.rules, rule{kind: r.Kind, pattern: r.Pattern})
	}
	v.rules = append(v.rules, secrets...)
	return v, nil
}

// name is the placeholder of a secret.
func (v *vault) name(kind, secret string) string {
	if p, ok := v.names[secret]; ok {
		return p
	}
	v.count[kind]++
	p := fmt.Sprintf("%s%s:%d]", placeholderPrefix, kind, v.count[kind])
	v.names[secret] = p
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
	lower := strings.ToLower(s)
	for _, r := range v.rules {
		if r.worthwhile(lower) {
			s = v.replace(s, r)
		}
	}
	return s
}

// replace puts placeholders for what a rule finds outside other placeholders. A finding that holds one is left alone:
// what was secret in it is gone.
func (v *vault) replace(s string, r rule) string {
	found := r.pattern.FindAllStringSubmatchIndex(s, -1)
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
		if secret == "" || inside || r.only != nil && !r.only(secret) {
			continue
		}
		b.WriteString(s[at:from])
		b.WriteString(v.name(r.kind, secret))
		at = to
	}
	return b.String() + s[at:]
}

// json is raw without the secrets in its strings, and valid as it was. What is no JSON is redacted as text.
func (v *vault) json(raw []byte) []byte {
	if !json.Valid(raw) {
		return []byte(v.plain(string(raw)))
	}
	var b bytes.Buffer
	in := []level{{}}
	for i := 0; i < len(raw); {
		end, c, here := i+1, raw[i], &in[len(in)-1]
		switch {
		case c == '{':
			in = append(in, level{})
		case c == '[':
			in = append(in, level{member: here.member, array: true})
		case c == '}', c == ']':
			in = in[:len(in)-1]
		case c == ',' && !here.array:
			here.member = ""
		case c == '"':
			end = literalEnd(raw, i)
			var s string
			_ = json.Unmarshal(raw[i:end], &s) // it is a valid literal
			isKey := bytes.HasPrefix(bytes.TrimLeft(raw[end:], " \t\r\n"), []byte(":"))
			safe := v.text(s)
			if !isKey && s != "" && telltale.MatchString(here.member) && placeholder.ReplaceAllString(safe, "") != "" {
				safe = v.name("secret", s) // no more is known of it
			}
			if isKey {
				here.member = s
			}
			if safe != s {
				b.Write(quote(safe))
				i = end
				continue
			}
		case (c == '-' || '0' <= c && c <= '9') && telltale.MatchString(here.member):
			for end < len(raw) && !bytes.ContainsRune([]byte(" \t\r\n,]}"), rune(raw[end])) {
				end++
			}
			b.Write(quote(v.name("secret", string(raw[i:end]))))
			i = end
			continue
		}
		b.Write(raw[i:end])
		i = end
	}
	return b.Bytes()
}

// level is an object or an array that is being read, and the member that the next value belongs to: that of an array
// is the member that holds the array.
type level struct {
	member string
	array  bool
}

// quote is s as a JSON string that a person can read.
func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
