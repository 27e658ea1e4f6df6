package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// secretWords are the words in property names whose values must not be logged. Their plurals are too, except "tokens",
// which is a count.
var secretWords = []string{
	"password", "passwd", "pwd", "passphrase", "secret", "token", "credential", "authorization", "cookie", "pin", "otp",
	"apikey", "privatekey", "accesskey",
}

// secretPairs are secret words that are written as two words.
var secretPairs = [][2]string{{"api", "key"}, {"private", "key"}, {"access", "key"}, {"pass", "word"}}

const redactedValue = "[redacted]"

// The limits of a text in characters and of the redacted input in bytes.
const (
	maxAuditText  = 256
	maxAuditInput = 8192
)

// redactor redacts the values of secret names.
type redactor struct{ names map[string]bool } // in lower case

func newRedactor(o *AuditOptions) redactor {
	r := redactor{names: map[string]bool{}}
	if o != nil {
		for _, n := range o.Redact {
			r.names[strings.ToLower(n)] = true
		}
	}
	return r
}

// redactInput returns arguments without secrets and long texts. It returns valid JSON for any input.
func (r redactor) redactInput(args json.RawMessage) json.RawMessage {
	var v any
	dec := json.NewDecoder(bytes.NewReader(args))
	dec.UseNumber() // keep the digits of numbers
	if dec.Decode(&v) != nil || dec.InputOffset() < int64(len(bytes.TrimRight(args, " \t\r\n"))) {
		return inputNote("%d bytes that are not JSON", len(args))
	}
	out, err := json.Marshal(r.redactValue(v))
	if err != nil || len(out) > maxAuditInput {
		return inputNote("%d bytes", len(args))
	}
	return out
}

// inputNote returns a JSON text that replaces an input.
func inputNote(format string, args ...any) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`"[`+format+`]"`, args...))
}

func (r redactor) redactValue(v any) any {
	switch v := v.(type) {
	case string:
		return truncateText(v)
	case []any:
		for i := range v {
			v[i] = r.redactValue(v[i])
		}
	case map[string]any:
		for name := range v {
			if r.isSecret(name) {
				v[name] = redactedValue
			} else {
				v[name] = r.redactValue(v[name])
			}
		}
	}
	return v
}

func (r redactor) isSecret(name string) bool {
	if r.names[strings.ToLower(name)] {
		return true
	}
	before := ""
	for _, w := range splitWords(name) {
		singular := w
		if w != "tokens" {
			singular = strings.TrimSuffix(w, "s")
		}
		if slices.Contains(secretWords, w) || slices.Contains(secretWords, singular) ||
			slices.Contains(secretPairs, [2]string{before, singular}) {
			return true
		}
		before = w
	}
	return false
}

// truncateText returns the beginning of a long text, with its full size.
func truncateText(s string) string {
	if c, ok := truncateRunes(s, maxAuditText); ok {
		return fmt.Sprintf("%s… (%d bytes)", c, len(s))
	}
	return s
}
