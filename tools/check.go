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

// misfitsMax is the largest number of misfits that a message names, and enumMax that of the values of an enum.
const (
	misfitsMax = 8
	enumMax    = 16
)

// checker checks whether a value fits a schema of newSchema and decodes into its Go type. It reports each misfit with
// its path in the value, always in the same order, as in "pages[2].number: must be an integer, not "x"". It supports
// only the keywords that newSchema produces.
type checker struct {
	*constraints
	path  []step
	found []string
	more  int   // misfits beyond those in found
	work  int64 // of patterns, see patternWork

	rewrites []rewrite
}

// rewrite replaces a number that its Go type does not decode, such as 3.0 or 3e2 for an integer, by plain digits.
type rewrite struct {
	at, length int
	plain      string
}

// step is one step of a path: a name, or with an empty name an index.
type step struct {
	name  string
	index int
}

// message returns the misfits in one line, or "".
func (c *checker) message() string {
	if c.more > 0 {
		return fmt.Sprintf("%s; and %d more", strings.Join(c.found, "; "), c.more)
	}
	return strings.Join(c.found, "; ")
}

func (c *checker) countMisfits() int { return len(c.found) + c.more }

func (c *checker) report(format string, args ...any) {
	if len(c.found) == misfitsMax {
		c.more++
		return
	}
	path := ""
	for _, s := range c.path {
		if s.name == "" {
			path = fmt.Sprintf("%s[%d]", path, s.index)
		} else {
			path = joinPath(path, s.name)
		}
	}
	c.found = append(c.found, pathPrefix(path)+fmt.Sprintf(format, args...))
}

// reportProperty reports a misfit of a property of the current value.
func (c *checker) reportProperty(name, format string, args ...any) {
	c.path = append(c.path, step{name: name})
	c.report(format, args...)
	c.path = c.path[:len(c.path)-1]
}

func (c *checker) checkValue(s *jsonschema.Schema, v strictjson.Value) {
	if got := schemaType(v); !acceptsType(s, got) {
		want := s.Type
		if want == "" {
			want = strings.Join(s.Types, " or ")
		}
		c.report("must be %s, not %s", withArticle(want), showValue(v, got))
		return
	}
	switch v.Type() {
	case strictjson.String:
		c.checkText(s, v.Text())
	case strictjson.Number:
		c.checkNumber(s, v)
	case strictjson.Array:
		c.checkList(s, v)
	case strictjson.Object:
		c.checkObject(s, v)
	}
}

func (c *checker) checkList(s *jsonschema.Schema, v strictjson.Value) {
	n := v.Len()
	if s.MinItems != nil && n < *s.MinItems {
		c.report("must have at least %d items, not %d", *s.MinItems, n)
	}
	if s.MaxItems != nil && n > *s.MaxItems {
		c.report("must have at most %d items, not %d", *s.MaxItems, n)
	}
	i := 0
	for item := range v.Items() {
		c.path = append(c.path, step{index: i})
		c.checkValue(s.Items, item)
		c.path = c.path[:len(c.path)-1]
		i++
	}
}

func (c *checker) checkText(s *jsonschema.Schema, v string) {
	misfits := c.countMisfits()
	if s.MinLength != nil || s.MaxLength != nil {
		n := utf8.RuneCountInString(v)
		if s.MinLength != nil && n < *s.MinLength {
			c.report("must have at least %d characters, not %d", *s.MinLength, n)
		}
		if s.MaxLength != nil && n > *s.MaxLength {
			c.report("must have at most %d characters, not %d", *s.MaxLength, n)
		}
	}
	if s.Enum != nil && !slices.Contains(s.Enum, any(v)) {
		c.report("must be one of %s, not %s", listChoices(s.Enum), quoteText(v))
	}
	if s.Pattern != "" {
		c.checkPattern(s.Pattern, v)
	}
	if s.Format != "" {
		if f := formats[s.Format]; !f.isValid(v) {
			c.report("must be a valid %s, for example %s, not %s", s.Format, f.example, quoteText(v))
		}
	}
	if t := c.types[s]; t != nil && c.countMisfits() == misfits { // a type that checks its text itself
		if err := reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(v)); err != nil {
			c.report("%s is not valid: %v", quoteText(v), err)
		}
	}
}

// patternWork limits the cost of the patterns of one call, in bytes of text times instructions of the program, to a
// quarter of a second or less. The model chooses the text, and matching cannot be interrupted.
const patternWork = 1 << 24

func (c *checker) checkPattern(expr, v string) {
	p := c.patterns[expr]
	if c.work += int64(len(v)) * int64(p.size); c.work > patternWork {
		c.report("%s is too long to compare with %s: send shorter texts", quoteText(v), expr)
	} else if !p.MatchString(v) {
		c.report("must match %s, not %s", expr, quoteText(v))
	}
}

func (c *checker) checkObject(s *jsonschema.Schema, v strictjson.Value) {
	known := 0
	for _, name := range s.PropertyOrder {
		if item, ok := v.Get(name); ok {
			known++
			c.path = append(c.path, step{name: name})
			c.checkValue(s.Properties[name], item)
			c.path = c.path[:len(c.path)-1]
		} else if slices.Contains(s.Required, name) {
			c.reportProperty(name, "is missing")
		}
	}
	if known == v.Len() {
		return
	}
	for name := range v.Members() {
		if s.Properties[name] == nil {
			n, _ := truncateRunes(name, 64)
			c.reportProperty(n, "is not known here; the names are %q", s.PropertyOrder)
		}
	}
}

// acceptsType reports whether s takes values of a type: "number" takes integers too.
func acceptsType(s *jsonschema.Schema, kind string) bool {
	if s.Types == nil {
		return s.Type == kind || kind == "integer" && s.Type == "number"
	}
	return slices.Contains(s.Types, kind) || kind == "integer" && slices.Contains(s.Types, "number")
}

// schemaType returns the schema type of a value. By the rule of JSON Schema, a number without a fraction is an integer
// however it is written: 3, 3.0 and 3e0.
func schemaType(v strictjson.Value) string {
	if v.IsInteger() {
		return "integer"
	}
	return string(v.Type())
}

// showValue returns a value for a message: the value itself, or its type if that is shorter.
func showValue(v strictjson.Value, kind string) string {
	if len(v.Raw()) > 40 || kind == "object" || kind == "array" {
		return withArticle(kind)
	}
	return string(v.Raw())
}

// withArticle returns the name of a type with its article: "an object", "a string".
func withArticle(kind string) string {
	if strings.IndexByte("aio", kind[0]) >= 0 {
		return "an " + kind
	}
	return "a " + kind
}

// quoteText returns a text for a message, truncated if it is long.
func quoteText(s string) string {
	if cut, ok := truncateRunes(s, 40); ok {
		return strconv.Quote(cut) + "…"
	}
	return strconv.Quote(s)
}

func listChoices(enum []any) string {
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
			out = append(out, formatNumber(e))
		}
	}
	return strings.Join(out, ", ")
}
