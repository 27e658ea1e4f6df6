package tools

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// The tags that constrain the values of a field beyond its Go type.
var (
	constraintTags = []string{"enum", "min", "max", "minlen", "maxlen", "minitems", "maxitems", "pattern", "format"}
	// Keywords of JSON Schema. As tags they would be ignored.
	mistakenTags = []string{"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "regexp"}
)

// findTags returns the constraint tags of a field.
func findTags(tag reflect.StructTag) (names []string) {
	for _, name := range slices.Concat(constraintTags, mistakenTags) {
		if _, ok := tag.Lookup(name); ok {
			names = append(names, name)
		}
	}
	return names
}

// applyTags adds the tags of one field to its schema. For a list, tags of values apply to the innermost items.
func (c constraints) applyTags(tag reflect.StructTag, s *jsonschema.Schema) error {
	leaf := s
	for leaf.Type == "array" {
		leaf = leaf.Items
	}
	for _, name := range findTags(tag) {
		if slices.Contains(mistakenTags, name) {
			return fmt.Errorf("invalid tag %q: must be one of %q", name, constraintTags)
		}
		if err := c.applyTag(name, tag.Get(name), s, leaf); err != nil {
			return fmt.Errorf("the tag %s:%q %w", name, tag.Get(name), err)
		}
	}
	for _, b := range []struct {
		what     string
		min, max *int
	}{{"length", leaf.MinLength, leaf.MaxLength}, {"number of items", s.MinItems, s.MaxItems}} {
		if b.min != nil && b.max != nil && *b.min > *b.max {
			return fmt.Errorf("a %s cannot be at least %d and at most %d", b.what, *b.min, *b.max)
		}
	}
	// Each value of an enum must fit the other constraints.
	for _, e := range leaf.Enum {
		b, err := json.Marshal(e)
		if err != nil {
			return err
		}
		v, err := strictjson.Parse(b)
		if err != nil {
			return err
		}
		check := checker{constraints: &c}
		if check.checkValue(leaf, v); len(check.found) > 0 {
			return fmt.Errorf("the enum does not fit the other tags: %s", check.message())
		}
	}
	return nil
}

var errMisplaced = errors.New("does not fit the field's type")

// applyTag adds one tag to the schema of the field, s, or of its values, leaf.
func (c constraints) applyTag(name, value string, s, leaf *jsonschema.Schema) error {
	var fits bool
	switch name {
	case "enum":
		fits = leaf.Type == "string" || leaf.Type == "integer" || leaf.Type == "number"
	case "min", "max":
		fits = leaf.Type == "integer" || leaf.Type == "number"
	case "minitems": // a Go array has it already
		fits = s.Type == "array" && s.MinItems == nil
	case "maxitems":
		fits = s.Type == "array" && s.MaxItems == nil
	default:
		fits = leaf.Type == "string"
	}
	if !fits {
		return errMisplaced
	}
	var err error
	switch name {
	case "enum":
		leaf.Enum, err = parseEnum(value, leaf.Type)
	case "min":
		leaf.Minimum, err = parseBound(value, leaf)
	case "max":
		leaf.Maximum, err = parseBound(value, leaf)
	case "minlen":
		leaf.MinLength, err = parseCount(value)
	case "maxlen":
		leaf.MaxLength, err = parseCount(value)
	case "minitems":
		s.MinItems, err = parseCount(value)
	case "maxitems":
		s.MaxItems, err = parseCount(value)
	case "pattern":
		leaf.Pattern, err = value, c.addPattern(value)
	case "format":
		if _, ok := formats[value]; !ok {
			return fmt.Errorf("is not a known format: must be one of %q", slices.Sorted(maps.Keys(formats)))
		}
		if leaf.Format != "" && leaf.Format != value {
			return errMisplaced
		}
		leaf.Format = value
	}
	return err
}

// parseEnum reads the values of an enum, which commas separate.
func parseEnum(value, kind string) (out []any, err error) {
	for part := range strings.SplitSeq(value, ",") {
		var v any = part
		if part == "" || part != strings.TrimSpace(part) {
			return nil, errors.New("has a value that is empty or has a space at an end")
		}
		if kind != "string" {
			if v, err = parseNumber(part, kind); err != nil {
				return nil, err
			}
		}
		if slices.Contains(out, v) {
			return nil, fmt.Errorf("has %q twice", part)
		}
		out = append(out, v)
	}
	return out, nil
}

// parseBound reads a bound of numbers. A tag may only narrow the bounds of the Go type.
func parseBound(value string, s *jsonschema.Schema) (*float64, error) {
	f, err := parseNumber(value, s.Type)
	if err != nil {
		return nil, err
	}
	if s.Minimum != nil && f < *s.Minimum || s.Maximum != nil && f > *s.Maximum {
		return nil, errors.New("lies beyond the other bound or the field's type")
	}
	return &f, nil
}

// parseNumber reads a number as JSON writes it. It rejects integers beyond 2^53-1, because not every reader of JSON
// can tell them from their neighbours.
func parseNumber(value, kind string) (float64, error) {
	var f float64
	if err := json.Unmarshal([]byte(value), &f); err != nil || value == "null" || value != strings.TrimSpace(value) {
		return 0, fmt.Errorf("has %q, which is not a number", value)
	}
	if kind == "integer" && (f != math.Trunc(f) || math.Abs(f) > 1<<53-1) {
		return 0, fmt.Errorf("has %q, which is not an integer within ±(2^53-1)", value)
	}
	return f, nil
}

func parseCount(value string) (*int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("has %q, which is not a count", value)
	}
	return &n, nil
}

// goOnly finds syntax of Go's regular expressions that JSON Schema, which uses JavaScript's, lacks or reads
// differently: flags and named groups, \A \z \a \C \Q \E \p \P, \x{…}, classes such as [[:alpha:]].
var goOnly = regexp.MustCompile(`^(?:[^\\]|\\.)*?(?:\(\?[^:]|\\[AzaCQEpP]|\\x\{|\[:\^?[a-z]+:\])`)

// pattern is a compiled pattern tag.
type pattern struct {
	*regexp.Regexp
	size int // instructions of its program, the largest cost of a byte of text
}

// addPattern compiles a pattern. It rejects regular expressions that JSON Schema reads differently from Go.
func (c constraints) addPattern(value string) error {
	tree, err := syntax.Parse(value, syntax.Perl)
	if err != nil {
		return err
	}
	if value == "" || goOnly.MatchString(value) {
		return errors.New("is empty, or has syntax that JSON Schema does not have: " +
			"flags, named groups, \\A, \\z, \\p, [:class:]")
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return err
	}
	re, err := regexp.Compile(value)
	if err != nil {
		return err
	}
	c.patterns[value] = pattern{re, len(program.Inst)}
	return nil
}
