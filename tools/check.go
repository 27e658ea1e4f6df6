package tools

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// misfitsMax is how many misfits one message names, and enumMax how many values of an enum.
const (
	misfitsMax = 8
	enumMax    = 16
)

// checker decides whether a value fits a schema that newSchema has made and decodes into its Go type, and says where it
// does not: each place by its path in the value, the same ones each time, as in "pages[2].number: is string "x", want
// integer". It knows the keywords that newSchema can produce, and no others.
type checker struct {
	*constraints
	path  []step
	found []string
	more  int   // misfits beyond those in found
	work  int64 // of patterns, see patternWork

	rewrites []rewrite
}

// rewrite is a number that is written in another way than its Go type decodes: 3.0 or 3e2 for an integer.
type rewrite struct {
	at, length int
	plain      string
}

// step is one step of a path: a name, or with an empty name an index.
type step struct {
	name  string
	index int
}

// message puts the misfits into one line; empty if there are none.
func (c *checker) message() string {
	if c.more > 0 {
		return fmt.Sprintf("%s; and %d more", strings.Join(c.found, "; "), c.more)
	}
	return strings.Join(c.found, "; ")
}

func (c *checker) say(format string, args ...any) {
	if len(c.found) == misfitsMax {
		c.more++
		return
	}
	path := ""
	for _, s := range c.path {
		if s.name == "" {
			path = fmt.Sprintf("%s[%d]", path, s.index)
		} else {
			path = join(path, s.name)
		}
	}
	c.found = append(c.found, at(path)+fmt.Sprintf(format, args...))
}

// sayAt is say for a property of the value that is being checked.
func (c *checker) sayAt(name, format string, args ...any) {
	c.path = append(c.path, step{name: name})
	c.say(format, args...)
	c.path = c.path[:len(c.path)-1]
}

func (c *checker) walk(s *jsonschema.Schema, v strictjson.Value) {
	if got := kind(v); !takes(s, got) {
		want := s.Types
		if want == nil {
			want = []string{s.Type}
		}
		c.say("is %s, want %s", shown(v, got), strings.Join(want, " or "))
		return
	}
	switch v.Type() {
	case strictjson.String:
		c.text(s, v.Text())
	case strictjson.Number:
		c.number(s, v)
	case strictjson.Array:
		c.list(s, v)
	case strictjson.Object:
		c.object(s, v)
	}
}

func (c *checker) list(s *jsonschema.Schema, v strictjson.Value) {
	n := v.Len()
	if s.MinItems != nil && n < *s.MinItems {
		c.say("has %d items, want at least %d", n, *s.MinItems)
	}
	if s.MaxItems != nil && n > *s.MaxItems {
		c.say("has %d items, want at most %d", n, *s.MaxItems)
	}
	i := 0
	for item := range v.Items() {
		c.path = append(c.path, step{index: i})
		c.walk(s.Items, item)
		c.path = c.path[:len(c.path)-1]
		i++
	}
}

func (c *checker) text(s *jsonschema.Schema, v string) {
	if s.MinLength != nil || s.MaxLength != nil {
		n := utf8.RuneCountInString(v)
		if s.MinLength != nil && n < *s.MinLength {
			c.say("has %d characters, want at least %d", n, *s.MinLength)
		}
		if s.MaxLength != nil && n > *s.MaxLength {
			c.say("has %d characters, want at most %d", n, *s.MaxLength)
		}
	}
	if s.Enum != nil && !slices.Contains(s.Enum, any(v)) {
		c.say("%s is not one of %s", quoted(v), choices(s.Enum))
	}
	if s.Pattern != "" {
		c.pattern(s.Pattern, v)
	}
	if s.Format != "" {
		if f := formats[s.Format]; !f.fits(v) {
			c.say("%s is not a valid %s (example: %s)", quoted(v), s.Format, f.such)
		}
	}
	if t := c.types[s]; t != nil && len(c.found) == 0 { // a text with rules of its own
		if err := reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(v)); err != nil {
			c.say("%s is not valid: %v", quoted(v), err)
		}
	}
}

// patternWork is how much the patterns of one call may cost, in bytes of text times instructions of the program: a
// quarter of a second or less. The text is the model's, and matching cannot be interrupted.
const patternWork = 1 << 24

func (c *checker) pattern(expr, v string) {
	p := c.patterns[expr]
	if c.work += int64(len(v)) * int64(p.size); c.work > patternWork {
		c.say("%s is too long to be compared with %s: send shorter texts", quoted(v), expr)
	} else if !p.MatchString(v) {
		c.say("%s does not match %s", quoted(v), expr)
	}
}

func (c *checker) object(s *jsonschema.Schema, v strictjson.Value) {
	known := 0
	for _, name := range s.PropertyOrder {
		if item, ok := v.Get(name); ok {
			known++
			c.path = append(c.path, step{name: name})
			c.walk(s.Properties[name], item)
			c.path = c.path[:len(c.path)-1]
		} else if slices.Contains(s.Required, name) {
			c.sayAt(name, "is missing")
		}
	}
	if known == v.Len() {
		return
	}
	for name := range v.Members() {
		if s.Properties[name] == nil {
			n, _ := clip(name, 64)
			c.sayAt(n, "is not known here; the names are %q", s.PropertyOrder)
		}
	}
}

// takes reports whether s takes values of a type: "number" takes integers too.
func takes(s *jsonschema.Schema, kind string) bool {
	if s.Types == nil {
		return s.Type == kind || kind == "integer" && s.Type == "number"
	}
	return slices.Contains(s.Types, kind) || kind == "integer" && slices.Contains(s.Types, "number")
}

// kind is the schema type of a value. A number without a fraction is an integer however it is written, by JSON Schema's
// rule: 3, 3.0 and 3e0.
func kind(v strictjson.Value) string {
	if v.Type() == strictjson.Number {
		if _, ok := v.Integer(); ok {
			return "integer"
		}
	}
	return string(v.Type())
}

// shown is a value in a message: short ones as they are, with their type, others by their type alone.
func shown(v strictjson.Value, kind string) string {
	if len(v.Raw()) > 40 || kind == "null" || kind == "object" || kind == "array" {
		return kind
	}
	return kind + " " + string(v.Raw())
}

// quoted is a text in a message, cut where it is long.
func quoted(s string) string {
	if cut, ok := clip(s, 40); ok {
		return strconv.Quote(cut) + "…"
	}
	return strconv.Quote(s)
}

// choices lists the values of an enum.
func choices(enum []any) string {
	var out []string
	for i, e := range enum {
		if i == enumMax {
			out = append(out, fmt.Sprintf("and %d more", len(enum)-i))
			break
		}
		switch e := e.(type) {
		case string:
			out = append(out, strconv.Quote(e))
		case float64:
			out = append(out, shownNumber(e))
		}
	}
	return strings.Join(out, ", ")
}
