package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// secretWords are words of property names whose values do not belong into a log.
var secretWords = []string{
	"password", "passwd", "passphrase", "secret", "token", "credential", "credentials", "authorization", "cookie", "pin",
}

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
	return r.names[strings.ToLower(name)] ||
		slices.ContainsFunc(words(name), func(w string) bool { return slices.Contains(secretWords, w) })
}

// cut keeps the beginning of a text, and says how much there was.
func (r redactor) cut(s string) string {
	if c, ok := clip(s, r.maxText); ok {
		return fmt.Sprintf("%s… (%d bytes)", c, len(s))
	}
	return s
}
