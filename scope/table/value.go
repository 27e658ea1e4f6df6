package table

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"strings"
	"unicode/utf8"
)

// Value is an attribute's value. The list of types is closed:
//
//	nil, string, bool, int64, float64, []byte, []Value, map[string]Value
//
// Strings and map keys are UTF-8, map keys are not empty, and values nest at
// most 30 deep. What was put comes back with the type that it had: an int64
// as an int64, and a float64 as a float64, also where it is integral. A
// float64 is finite, and zero or of a magnitude from 1e-130 to below 1e126,
// DynamoDB's numbers; negative zero comes back as zero. A nil slice or map
// comes back as an empty one.
//
// Values are copied on the way in and on the way out.
type Value = any

// MaxItem is the largest item, in bytes: DynamoDB's limit. The size is an
// upper bound of DynamoDB's own rule (names and values, keys and index
// entries; 24 bytes a number), so an item within it fits every driver.
const MaxItem = 400 << 10

const (
	maxDepth    = 30  // containers around a value; DynamoDB's own limit is 32
	maxName     = 255 // bytes of a name that an index may project
	numberSize  = 24
	minFloat    = 1e-130
	beyondFloat = 1e126
)

// isReserved reports whether drivers use a top-level name beside the
// attributes: for the keys, the version, the expiry and the index columns.
// Names that begin with "_" are kept for what they may need later.
func isReserved(name string) bool {
	switch name {
	case "pk", "sk", "v", "ttl", "i1p", "i1s", "i2p", "i2s", "i3p", "i3s":
		return true
	}
	return strings.HasPrefix(name, "_")
}

// checker makes a checked copy of attributes and adds up their size.
type checker struct{ size int }

// attrs returns a deep copy of m, checked; the error wraps [ErrAttr].
func (c *checker) attrs(m map[string]Value) (map[string]Value, error) {
	out := make(map[string]Value, len(m))
	for name, v := range m {
		if reason := checkName(name); reason != "" {
			return nil, fmt.Errorf("%w: name %q %s", ErrAttr, name, reason)
		}
		if isReserved(name) {
			return nil, fmt.Errorf("%w: name %q is reserved for drivers", ErrAttr, name)
		}
		w, bad := c.value(v, 0)
		if bad != nil {
			return nil, fmt.Errorf("%w: %q%s %s", ErrAttr, name, bad.path, bad.reason)
		}
		c.size += len(name)
		out[name] = w
	}
	return out, nil
}

// badValue is where in an attribute a value was refused, and why.
type badValue struct{ path, reason string }

func (b *badValue) in(step string) *badValue { b.path = step + b.path; return b }

func (c *checker) value(v Value, depth int) (Value, *badValue) {
	if depth > maxDepth {
		return nil, &badValue{reason: fmt.Sprintf("is nested more than %d deep", maxDepth)}
	}
	c.size++ // a container counts one byte an element; a scalar has a type
	switch v := v.(type) {
	case nil, bool:
		return v, nil
	case string:
		c.size += len(v)
		if !utf8.ValidString(v) {
			return nil, &badValue{reason: "is not UTF-8"}
		}
		return v, nil
	case int64:
		c.size += numberSize
		return v, nil
	case float64:
		c.size += numberSize
		switch abs := math.Abs(v); {
		case v == 0:
			return float64(0), nil
		case math.IsNaN(v), abs < minFloat, abs >= beyondFloat:
			return nil, &badValue{reason: fmt.Sprintf("is %v, outside the range of numbers", v)}
		}
		return v, nil
	case []byte:
		c.size += len(v)
		return append([]byte{}, v...), nil
	case []Value:
		c.size += 3
		out := make([]Value, len(v))
		for i, e := range v {
			w, bad := c.value(e, depth+1)
			if bad != nil {
				return nil, bad.in(fmt.Sprintf("[%d]", i))
			}
			out[i] = w
		}
		return out, nil
	case map[string]Value:
		c.size += 3
		out := make(map[string]Value, len(v))
		for name, e := range v {
			if reason := checkName(name); reason != "" {
				return nil, &badValue{reason: fmt.Sprintf("has a name %q that %s", name, reason)}
			}
			w, bad := c.value(e, depth+1)
			if bad != nil {
				return nil, bad.in(fmt.Sprintf("[%q]", name))
			}
			c.size += len(name)
			out[name] = w
		}
		return out, nil
	}
	return nil, &badValue{reason: fmt.Sprintf("is a %T, which is no Value", v)}
}

func checkName(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxName:
		return fmt.Sprintf("is longer than %d bytes", maxName)
	case !utf8.ValidString(name):
		return "is not UTF-8"
	case hasControl(name):
		return "has a control character"
	}
	return ""
}

// cloneValue copies a value that has been checked.
func cloneValue(v Value) Value {
	switch v := v.(type) {
	case []byte:
		return bytes.Clone(v)
	case []Value:
		out := make([]Value, len(v))
		for i, e := range v {
			out[i] = cloneValue(e)
		}
		return out
	case map[string]Value:
		return cloneAttr(v)
	}
	return v
}

func cloneAttr(m map[string]Value) map[string]Value {
	out := maps.Clone(m)
	for name, v := range out {
		switch v.(type) {
		case []byte, []Value, map[string]Value:
			out[name] = cloneValue(v)
		}
	}
	return out
}
