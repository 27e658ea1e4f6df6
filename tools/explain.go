package tools

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// explainMax is how many misfits one message names.
const explainMax = 8

// explain says where v does not fit s, each place by its path in v: "pages[2].number: is text, want integer".
// The resolved schema decides whether v fits, and cause is its error; this finds better words, the same ones each
// time, and for every misfit instead of the first.
func explain(s *jsonschema.Schema, v any, cause error) string {
	var e explainer
	e.walk(s, v, "")
	if len(e.found) == 0 {
		return cause.Error()
	}
	if more := len(e.found) - explainMax; more > 0 {
		e.found = append(e.found[:explainMax], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(e.found, "; ")
}

type explainer struct{ found []string }

func (e *explainer) say(path, format string, args ...any) {
	e.found = append(e.found, at(path)+fmt.Sprintf(format, args...))
}

func (e *explainer) walk(s *jsonschema.Schema, v any, path string) {
	want := s.Types
	if want == nil {
		want = []string{s.Type}
	}
	got := kind(v)
	if !slices.Contains(want, got) && !(got == "integer" && slices.Contains(want, "number")) {
		e.say(path, "is %s, want %s", shown(v, got), strings.Join(want, " or "))
		return
	}
	switch v := v.(type) {
	case float64:
		if s.Minimum != nil && v < *s.Minimum {
			e.say(path, "%v is less than %v", v, *s.Minimum)
		}
		if s.Maximum != nil && v > *s.Maximum {
			e.say(path, "%v is more than %v", v, *s.Maximum)
		}
	case []any:
		if s.MinItems != nil && len(v) < *s.MinItems {
			e.say(path, "has %d items, want at least %d", len(v), *s.MinItems)
		}
		if s.MaxItems != nil && len(v) > *s.MaxItems {
			e.say(path, "has %d items, want at most %d", len(v), *s.MaxItems)
		}
		for i, item := range v {
			e.walk(s.Items, item, fmt.Sprintf("%s[%d]", path, i))
		}
	case map[string]any:
		for _, name := range s.PropertyOrder {
			if item, ok := v[name]; ok {
				e.walk(s.Properties[name], item, join(path, name))
			} else if slices.Contains(s.Required, name) {
				e.say(join(path, name), "is missing")
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if s.Properties[name] == nil {
				n, _ := clip(name, 64)
				e.say(join(path, n), "is not known here; the names are %q", s.PropertyOrder)
			}
		}
	}
}

// kind is the schema type of a value that encoding/json has read.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == math.Trunc(v) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

// shown is a value in a message: short ones as they are, with their type, others by their type alone.
func shown(v any, kind string) string {
	b, err := json.Marshal(v)
	if err != nil || len(b) > 40 || kind == "null" || kind == "object" || kind == "array" {
		return kind
	}
	return kind + " " + string(b)
}
