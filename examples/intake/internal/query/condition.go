package query

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// Condition compares a column with a value. The operators eq, ne, lt, le, gt and ge compare numbers or dates if the
// value is one, and otherwise texts; dates are compared by day. eq, ne and contains ignore case, see [profile.Key];
// missing and present ignore the value. A value is missing if a profile counts it so, such as "n/a". A column whose
// profile says that it has numbers or dates is compared with a number or a date only.
type Condition struct{ Column, Operator, Value string }

// The operators of a Condition.
const (
	Equal    = "eq"
	NotEqual = "ne"
	Below    = "lt"
	AtMost   = "le"
	Above    = "gt"
	AtLeast  = "ge"
	Contains = "contains"
	Missing  = "missing"
	Present  = "present"
)

// Operators returns the operators of a Condition.
func Operators() []string {
	return []string{Equal, NotEqual, Below, AtMost, Above, AtLeast, Contains, Missing, Present}
}

func isOrder(operator string) bool {
	return operator == Below || operator == AtMost || operator == Above || operator == AtLeast
}

// checkValue returns an error for a condition that compares a column of numbers or of dates with a value of another
// type. c is the profile of the column, or nil.
func checkValue(w Condition, v profile.Value, c *profile.Column) error {
	isCompared := w.Operator != Contains && w.Operator != Missing && w.Operator != Present
	if c == nil || !isCompared {
		return nil
	}
	var want string
	switch isNumber := v.IsNumber(); {
	case (c.Type == profile.Integer || c.Type == profile.Decimal) && !isNumber:
		want = "numbers: must be a number such as 100"
	case c.Type == profile.Date && v.Type != profile.Date:
		want = "dates: must be a day such as 2026-01-31"
	default:
		return nil
	}
	return fmt.Errorf("%w: value %.60q: the column %.60q has %s", ErrOptions, w.Value, w.Column, want)
}

// matches reports whether a value fulfils condition i.
func (q *Query) matches(b []byte, i int) bool {
	c, want := q.o.Where[i], q.values[i]
	b = bytes.TrimSpace(b)
	if c.Operator == Contains {
		return bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(c.Value)))
	}
	v := q.read(b, c.Column)
	switch c.Operator {
	case Missing:
		return v.Type == profile.Empty
	case Present:
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
	case Equal:
		return compared == 0
	case NotEqual:
		return compared != 0
	case Below:
		return compared < 0
	case AtMost:
		return compared <= 0
	case Above:
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
