package query

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// Condition compares a column with a value. The operators eq, ne, lt, le, gt and ge compare numbers or dates if the
// value is one, and otherwise texts; dates are compared by day. eq, ne and contains ignore case, see [profile.Key];
// missing and present ignore the value. A value is missing if a profile counts it so, such as "n/a". A column whose
// profile says that it has numbers or dates is compared with a number or a date only. A number with a unit, such as
// 5 EUR, is compared with numbers of that unit only. Codes, such as 00123 and 3E2, numbers that may be codes, and
// numbers in a column of texts are equal as texts, and codes
// those of a column that is named like codes have the order of texts.
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

// test is a condition that is ready to be compared.
type test struct {
	Condition
	want   profile.Value
	number profile.Value // want as a number, in a column of codes
	key    string
	// others is the number of matching rows whose values are missing or of another type, so that they are not equal.
	// codes is the number of codes that are another text than the value, but the same number.
	others, codes int64
	code          string
	spelled       string   // a number that is equal to the value, but written in another way
	units         []string // of the compared numbers, at most maxTestUnits
	otherUnits    []string // of numbers that are not compared, at most maxTestUnits; other is how many numbers have them
	other         int64
	unit          []byte // of the current row's number by the column of units
	// isOther is that of the current row. isTotal reports that the row looks like a total row, whose unit does not count.
	isOther, isTotal bool
}

// newTest checks a condition.
func (q *Query) newTest(c Condition) (t test, err error) {
	if !slices.Contains(Operators(), c.Operator) {
		return t, fmt.Errorf("%w: operator %.20q: must be one of %s", ErrOptions, c.Operator, joinTexts(Operators()))
	}
	column := q.o.Profiles[c.Column]
	t = test{Condition: c, key: string(profile.Key([]byte(c.Value), nil))}
	t.want = q.readValue([]byte(c.Value), c.Column)
	t.number = profile.ReadNumber([]byte(c.Value), column)
	if t.want.HasTime && isOrder(c.Operator) {
		return t, fmt.Errorf("%w: value %.40q: must be a day without a time, such as 2026-01-31", ErrOptions, c.Value)
	}
	if err := checkValue(c, t.want, column); err != nil {
		return t, err
	}
	if err := checkUnit(c, t.want, column); err != nil {
		return t, err
	}
	q.noteReading(&t)
	return t, nil
}

// plainNumber matches a number that has only one reading.
var plainNumber = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$`)

// noteReading notes how the value of a condition is read, unless it is plain.
func (q *Query) noteReading(t *test) {
	value := strings.TrimSpace(t.Value)
	isPlain := plainNumber.MatchString(value) && show(t.want) == show(profile.ReadValue([]byte(value), &profile.Column{
		Decimal: profile.DecimalPoint,
	}))
	switch {
	case t.Operator == Contains || t.Operator == Missing || t.Operator == Present:
	case comparesTexts(q.o.Profiles[t.Column], t.Operator) && t.want.IsNumber():
	case !t.want.IsNumber() && t.want.Type != profile.Date:
	case isPlain, show(t.want) == value, t.want.HasTime:
	default:
		q.result.Notes = append(q.result.Notes, fmt.Sprintf("the value %.60q for %.60q is read as %s", value, t.Column,
			show(t.want)))
	}
}

// checkValue returns an error for a condition that compares a column of numbers or of dates with a value of another
// type. c is the profile of the column, or nil.
func checkValue(w Condition, v profile.Value, c *profile.Column) error {
	isCompared := w.Operator != Contains && w.Operator != Missing && w.Operator != Present
	if c == nil || !isCompared || comparesTexts(c, w.Operator) {
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

// checkUnit returns an error for a value with a unit that the numbers of a column do not have.
func checkUnit(w Condition, v profile.Value, c *profile.Column) error {
	if v.Unit == "" || c == nil || w.Operator == Contains || c.Type == profile.Text {
		return nil
	}
	var units []string
	for _, u := range c.Units {
		if UnitKey(u.Format) == UnitKey(v.Unit) {
			return nil
		}
		if u.Format != "" {
			units = append(units, u.Format)
		}
	}
	has := "do not have units: must be a number such as 100"
	if len(units) > 0 {
		has = "have other units: " + strings.Join(units, ", ")
	}
	return fmt.Errorf("%w: value %.60q: the numbers of the column %.60q %s", ErrOptions, w.Value, w.Column, has)
}

// matchesAll reports whether a row fulfils all conditions.
func (q *Query) matchesAll(row Row, isTotal bool) bool {
	for i := range q.tests {
		t := &q.tests[i]
		t.unit, t.isTotal = nil, isTotal
		if column := q.o.ConditionUnits[t.Column]; column != "" {
			t.unit = row(column)
		}
		if t.isOther = false; !q.matches(row(t.Column), t) {
			return false
		}
	}
	for i := range q.tests {
		if q.tests[i].isOther {
			q.tests[i].others++
		}
	}
	return true
}

// matches reports whether a value fulfils a condition.
func (q *Query) matches(b []byte, t *test) bool {
	b = bytes.TrimSpace(b)
	if t.Operator == Contains {
		return bytes.Contains(profile.Key(b, &q.key), []byte(t.key))
	}
	v := q.readValue(b, t.Column)
	switch t.Operator {
	case Missing:
		return v.Type == profile.Empty
	case Present:
		return v.Type != profile.Empty
	}
	compared, isComparable := q.compare(b, v, t)
	switch {
	case isComparable:
	case v.IsNumber() && t.want.IsNumber():
		t.noteOtherUnit(v.Unit)
		q.result.OtherUnits++
		q.result.Incomparable++
		return false
	case v.Type != profile.Empty:
		q.result.Incomparable++
		return false
	default:
		return false
	}
	switch t.Operator {
	case Equal:
		return compared == 0
	case NotEqual:
		isOther := v.Type == profile.Empty || (t.want.IsNumber() || t.want.Type == profile.Date) && v.Type != t.want.Type &&
			v.IsNumber() != t.want.IsNumber()
		t.isOther = isOther && compared != 0
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

// comparesTexts reports whether a condition compares the numbers of a column as texts: in a column of codes, and for
// equality in one whose numbers may be codes or are few among texts.
func comparesTexts(c *profile.Column, operator string) bool {
	return c != nil && (c.Codes || !isOrder(operator) && (c.Spelled || c.Type == profile.Text))
}

// compareCode compares a number that is or may be a code with the value of a condition.
func (q *Query) compareCode(b []byte, c *profile.Column, t *test) (v, want profile.Value) {
	v, want = q.readValue(b, t.Column), t.want
	number := profile.ReadNumber(b, c)
	switch {
	case isOrder(t.Operator) && t.number.IsNumber() && !c.CodesByName:
		return number, t.number
	case isOrder(t.Operator) || !number.IsNumber():
		return v, want
	case t.number.IsNumber() && profile.Compare(number, t.number) == 0:
		t.noteCode(b, string(profile.Key(b, &q.key)) != t.key)
	}
	return profile.Value{Type: profile.Text}, want
}

// compare compares a value with that of a condition. It reports whether they have an order, which equality does not
// need.
func (q *Query) compare(b []byte, v profile.Value, t *test) (n int, isComparable bool) {
	want := t.want
	if c := q.o.Profiles[t.Column]; comparesTexts(c, t.Operator) {
		v, want = q.compareCode(b, c, t)
	}
	isDay := v.Type == profile.Date && want.Type == profile.Date && (!want.HasTime || isOrder(t.Operator))
	switch isMeasured := want.IsNumber() || want.Type == profile.Date; {
	case v.IsNumber() && want.IsNumber():
		if want.Unit != "" && UnitKey(v.Unit) != UnitKey(want.Unit) {
			return 1, !isOrder(t.Operator)
		}
		t.noteUnit(v.Unit)
		n = profile.Compare(v, want)
		if n == 0 && t.spelled == "" && v.Unit == "" && !isOrder(t.Operator) && string(profile.Key(b, &q.key)) != t.key {
			t.spelled = text(b)
		}
		return n, true
	case isDay:
		return profile.Compare(v, want), true
	case isMeasured && isOrder(t.Operator), v.Type == profile.Empty && isOrder(t.Operator):
		return 0, false
	case string(profile.Key(b, &q.key)) == t.key:
		return 0, true
	}
	return bytes.Compare(b, []byte(t.Value)), true
}

// noteCode counts a code that is the same number as the value, but another text.
func (t *test) noteCode(b []byte, isApart bool) {
	if !isApart {
		return
	}
	if t.codes++; t.code == "" {
		t.code = text(b)
	}
}
