package table

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"strings"
	"unicode/utf8"
)

// Value is the value of an attribute. It has one of these types:
//
//	nil, string, bool, int64, float64, []byte, []Value, map[string]Value
//
// Strings and map keys are UTF-8, map keys are not empty, and values nest at most 30
// deep. A float64 is zero, or its magnitude is from 1e-130 to below 1e126: the numbers
// of DynamoDB.
//
// A value keeps its type: an int64 is read as an int64 and a float64 as a float64,
// even if it is integral. Negative zero is read as zero, and a nil slice or map as an
// empty one. Put and Get copy values.
type Value = any

// MaxItem is the size of the largest item in bytes: DynamoDB's limit. The size counts
// names, values, keys and index entries, and 24 bytes for each number. It is an upper
// bound of the size by DynamoDB's rules, so the item fits every driver.
const MaxItem = 400 << 10

const (
	maxDepth    = 30  // containers around a value; DynamoDB allows 32
	maxName     = 255 // bytes of a name that an index may project
	numberSize  = 24
	minFloat    = 1e-130
	beyondFloat = 1e126
)

// isReserved reports whether a name is reserved for drivers, which store keys, the
// version, the expiry and index columns beside the attributes. Names that begin with
// "_" are reserved for later use.
func isReserved(name string) bool {
	switch name {
	case "pk", "sk", "v", "ttl", "i1p", "i1s", "i2p", "i2s", "i3p", "i3s":
		return true
	}
	return strings.HasPrefix(name, "_")
}

// copier copies attributes, checks them and adds up their size.
type copier struct{ size int }

// copyAttrs returns a deep copy of m, or an error if an attribute is invalid.
func (c *copier) copyAttrs(m map[string]Value) (map[string]Value, error) {
	out := make(map[string]Value, len(m))
	for name, v := range m {
		if reason := checkName(name); reason != "" {
			return nil, fmt.Errorf("%w: name %q %s", errAttr, name, reason)
		}
		if isReserved(name) {
			return nil, fmt.Errorf("%w: name %q is reserved for drivers", errAttr, name)
		}
		w, bad := c.copyValue(v, 0)
		if bad != nil {
			return nil, fmt.Errorf("%w: %q%s %s", errAttr, name, bad.path, bad.reason)
		}
		c.size += len(name)
		out[name] = w
	}
	return out, nil
}

// badValue is the path of an invalid value in an attribute, and the reason.
type badValue struct{ path, reason string }

func (b *badValue) addStep(step string) *badValue { b.path = step + b.path; return b }

func (c *copier) copyValue(v Value, depth int) (Value, *badValue) {
	if depth > maxDepth {
		return nil, &badValue{reason: fmt.Sprintf("is nested more than %d deep", maxDepth)}
	}
	c.size++ // the type of a scalar, or an element of a container
	switch v := v.(type) {
	case nil, bool:
		return v, nil
	case string:
		c.size += len(v)
		if !utf8.ValidString(v) {
			return nil, &badValue{reason: "is not valid UTF-8"}
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
			return nil, &badValue{reason: fmt.Sprintf("is %v: must be zero or of a magnitude from 1e-130 to below 1e126", v)}
		}
		return v, nil
	case []byte:
		c.size += len(v)
		return append([]byte{}, v...), nil
	case []Value:
		c.size += 3
		out := make([]Value, len(v))
		for i, e := range v {
			w, bad := c.copyValue(e, depth+1)
			if bad != nil {
				return nil, bad.addStep(fmt.Sprintf("[%d]", i))
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
			w, bad := c.copyValue(e, depth+1)
			if bad != nil {
				return nil, bad.addStep(fmt.Sprintf("[%q]", name))
			}
			c.size += len(name)
			out[name] = w
		}
		return out, nil
	}
	return nil, &badValue{reason: fmt.Sprintf("has the type %T: must be a table.Value, such as int64", v)}
}

func checkName(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxName:
		return fmt.Sprintf("is longer than %d bytes", maxName)
	case !utf8.ValidString(name):
		return "is not valid UTF-8"
	case hasControl(name):
		return "has a control character"
	}
	return ""
}

// cloneValue copies a valid value.
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
