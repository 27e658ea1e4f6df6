package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// secretWords are words of property names whose values do not belong into a log, and so are their plurals, but for
// "tokens", which are counted.
var secretWords = []string{
	"password", "passwd", "pwd", "passphrase", "secret", "token", "credential", "authorization", "cookie", "pin", "otp",
	"apikey", "privatekey", "accesskey",
}

// secretPairs are secretWords in two words.
var secretPairs = [][2]string{{"api", "key"}, {"private", "key"}, {"access", "key"}, {"pass", "word"}}

// redacted stands where a value was left out.
const redacted = "[redacted]"

// redactor prepares arguments for a record.
type redactor struct {
	names             map[string]bool // in lower case
	maxText, maxInput int
}

func newRedactor(o *AuditOptions) redactor {
	if o == nil {
		o = &AuditOptions{}
	}
	if o.MaxText < 0 || o.MaxInput < 0 {
		panic(fmt.Sprintf("tools: audit: texts of %d characters, inputs of %d bytes", o.MaxText, o.MaxInput))
	}
	r := redactor{names: map[string]bool{}, maxText: 256, maxInput: 8192}
	if o.MaxText > 0 {
		r.maxText = o.MaxText
	}
	if o.MaxInput > 0 {
		r.maxInput = o.MaxInput
	}
	for _, n := range o.Redact {
		r.names[strings.ToLower(n)] = true
	}
	return r
}

// input gives arguments without what is secret or long. What it gives is JSON, whatever it is given.
func (r redactor) input(args json.RawMessage) json.RawMessage {
	var v any
	dec := json.NewDecoder(bytes.NewReader(args))
	dec.UseNumber() // so that a number stays as it was written
	if dec.Decode(&v) != nil || dec.InputOffset() < int64(len(bytes.TrimRight(args, " \t\r\n"))) {
		return note("%d bytes that are not JSON", len(args))
	}
	out, err := json.Marshal(r.value(v))
	if err != nil || len(out) > r.maxInput {
		return note("%d bytes", len(args))
	}
	return out
}

// note is a text in place of an input.
func note(format string, args ...any) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`"[`+format+`]"`, args...))
}

func (r redactor) value(v any) any {
	switch v := v.(type) {
	case string:
		return r.cut(v)
	case []any:
		for i := range v {
			v[i] = r.value(v[i])
		}
	case map[string]any:
		for name := range v {
			if r.secret(name) {
				v[name] = redacted
			} else {
				v[name] = r.value(v[name])
			}
		}
	}
	return v
}

func (r redactor) secret(name string) bool {
	if r.names[strings.ToLower(name)] {
		return true
	}
	before := ""
	for _, w := range words(name) {
		one := w
		if w != "tokens" {
			one = strings.TrimSuffix(w, "s")
		}
		if slices.Contains(secretWords, w) || slices.Contains(secretWords, one) || slices.Contains(secretPairs, [2]string{before, one}) {
			return true
		}
		before = w
	}
	return false
}

// cut keeps the beginning of a text, and says how much there was.
func (r redactor) cut(s string) string {
	if c, ok := clip(s, r.maxText); ok {
		return fmt.Sprintf("%s… (%d bytes)", c, len(s))
	}
	return s
}
