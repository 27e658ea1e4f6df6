package query

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// Condition compares a column with a value. The operators eq, ne, lt, le, gt and ge compare numbers or dates if the
// value is one, and otherwise texts; dates are compared by day. eq, ne and contains ignore case, see [profile.Key];
// missing and present ignore the value. A value is missing if a profile counts it so, such as "n/a".
type Condition struct{ Column, Operator, Value string }

// Operators returns the operators of a Condition.
func Operators() []string {
	return []string{"eq", "ne", "lt", "le", "gt", "ge", "contains", "missing", "present"}
}

func isOrder(operator string) bool {
	return operator == "lt" || operator == "le" || operator == "gt" || operator == "ge"
}

// matches reports whether a value fulfils condition i.
func (q *Query) matches(b []byte, i int) bool {
	c, want := q.o.Where[i], q.values[i]
	b = bytes.TrimSpace(b)
	if c.Operator == "contains" {
		return bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(c.Value)))
	}
	v := q.read(b, c.Column)
	switch c.Operator {
	case "missing":
		return v.Type == profile.Empty
	case "present":
		return v.Type != profile.Empty
	}
	compared := 0
	isDay := v.Type == profile.Date && want.Type == profile.Date && (!want.HasTime || isOrder(c.Operator))
	switch isMeasured := want.IsNumber() || want.Type == profile.Date; {
	case isDay, v.IsNumber() && want.IsNumber():
		compared = compareNumbers(v, want)
	case isMeasured && v.Type != profile.Empty && isOrder(c.Operator):
		q.result.Incomparable++
		return false
	case v.Type == profile.Empty && isOrder(c.Operator):
		return false
	case string(profile.Key(b, &q.key)) == q.keys[i]:
	default:
		compared = bytes.Compare(b, []byte(c.Value))
	}
	switch c.Operator {
	case "eq":
		return compared == 0
	case "ne":
		return compared != 0
	case "lt":
		return compared < 0
	case "le":
		return compared <= 0
	case "gt":
		return compared > 0
	}
	return compared >= 0
}

func compareNumbers(a, b profile.Value) int {
	if a.IsExact && b.IsExact && a.Places == b.Places {
		return cmp.Compare(a.Digits, b.Digits)
	}
	return cmp.Compare(a.Number, b.Number)
}
