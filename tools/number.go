package tools

import (
	"math"
	"reflect"
	"slices"
	"strconv"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// checkNumber checks a number against its schema and its Go type. A number that passes decodes.
func (c *checker) checkNumber(s *jsonschema.Schema, v strictjson.Value) {
	literal := string(v.Raw())
	t := c.types[s]
	if t != nil && t.Kind() != reflect.Float32 && t.Kind() != reflect.Float64 {
		if plain, ok := v.Integer(); ok && plain != literal {
			c.rewrites = append(c.rewrites, rewrite{v.Offset(), len(literal), plain})
			literal = plain
		}
	}
	var f float64
	if s.Minimum != nil || s.Maximum != nil || s.Enum != nil {
		f, _ = strconv.ParseFloat(literal, 64) // ±Inf beyond float64
	}
	misfits := c.countMisfits()
	if s.Minimum != nil && f < *s.Minimum {
		c.report("must be at least %s, not %s", formatNumber(*s.Minimum), truncateNumber(literal))
	}
	if s.Maximum != nil && f > *s.Maximum {
		c.report("must be at most %s, not %s", formatNumber(*s.Maximum), truncateNumber(literal))
	}
	if s.Enum != nil && !slices.Contains(s.Enum, any(f)) {
		c.report("must be one of %s, not %s", listChoices(s.Enum), truncateNumber(literal))
	}
	if t != nil && c.countMisfits() == misfits {
		if least, most := numberRange(t, literal); most != "" {
			c.report("must be a number from %s to %s, not %s", least, most, truncateNumber(literal))
		}
	}
}

// numberRange returns the least and the largest number of t if the literal is out of range, otherwise "".
func numberRange(t reflect.Type, literal string) (least, most string) {
	bits := t.Bits()
	switch t.Kind() {
	case reflect.Float32, reflect.Float64:
		if _, err := strconv.ParseFloat(literal, bits); err != nil {
			most := math.MaxFloat64
			if bits == 32 {
				most = math.MaxFloat32
			}
			return strconv.FormatFloat(-most, 'g', -1, bits), strconv.FormatFloat(most, 'g', -1, bits)
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if _, err := strconv.ParseUint(literal, 10, bits); err != nil {
			return "0", strconv.FormatUint(math.MaxUint64>>(64-bits), 10)
		}
	default:
		if _, err := strconv.ParseInt(literal, 10, bits); err != nil {
			return strconv.FormatInt(math.MinInt64>>(64-bits), 10), strconv.FormatInt(math.MaxInt64>>(64-bits), 10)
		}
	}
	return "", ""
}

func isNumber(t reflect.Type) bool { return reflect.Int <= t.Kind() && t.Kind() <= reflect.Float64 }

// truncateNumber returns a number for a message, truncated if it is long.
func truncateNumber(literal string) string {
	if cut, ok := truncateRunes(literal, 40); ok {
		return cut + "…"
	}
	return literal
}

// formatNumber returns a bound for a message, with an exponent only if it is large.
func formatNumber(f float64) string {
	if math.Abs(f) < 1e15 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// applyRewrites returns raw with the rewrites applied, which may be in any order.
func applyRewrites(raw []byte, rewrites []rewrite) []byte {
	if len(rewrites) == 0 {
		return raw
	}
	slices.SortFunc(rewrites, func(a, b rewrite) int { return a.at - b.at })
	out := make([]byte, 0, len(raw))
	from := 0
	for _, r := range rewrites {
		out = append(append(out, raw[from:r.at]...), r.plain...)
		from = r.at + r.length
	}
	return append(out, raw[from:]...)
}
