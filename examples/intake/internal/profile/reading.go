package profile

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The values of Column.Decimal and Column.DateOrder.
const (
	DecimalPoint = "."
	DecimalComma = ","
	DayFirst     = "day"
	MonthFirst   = "month"
)

// readings are the ranges of a column's numbers or dates in both readings, and the evidence for them.
type readings struct {
	counts   [either + 1]int64
	min, max [2]float64
	example  string // that can be read in two ways
}

func newReadings() readings {
	inf := math.Inf(1)
	return readings{min: [2]float64{inf, inf}, max: [2]float64{-inf, -inf}}
}

func (r *readings) add(v *value, b []byte) {
	if v.evidence == either && r.example == "" {
		r.example = string(bytes.TrimSpace(b))
	}
	r.counts[v.evidence]++
	for i, n := range v.number {
		r.min[i], r.max[i] = min(r.min[i], n), max(r.max[i], n)
	}
}

// isShown reports whether a value depends on the reading or shows it.
func (r *readings) isShown() bool { return r.counts[first]+r.counts[second]+r.counts[either] > 0 }

// fallback is the reading of a column that does not show one.
type fallback struct {
	reading   int
	isAssumed bool
}

// resolve returns the reading of the column, and whether it is assumed for some values.
func (r *readings) resolve(f fallback) (reading int, isAssumed bool) {
	isAmbiguous := r.counts[either] > 0
	switch a, b := r.counts[first], r.counts[second]; {
	case a > 0 && b == 0:
		return 0, false
	case a == 0 && b > 0:
		return 1, false
	case a == 0:
		return f.reading, isAmbiguous && f.isAssumed
	case b > a:
		return 1, isAmbiguous
	}
	return 0, isAmbiguous
}

// fileEvidence holds the readings that the columns of a file show together.
type fileEvidence struct{ numbers, dates fallback }

func (p *Profiler) evidence() *fileEvidence {
	numbers, dates := newReadings(), newReadings()
	for _, c := range p.columns {
		for e := first; e <= second; e++ {
			numbers.counts[e] += min(c.numbers.counts[e], 1)
			dates.counts[e] += min(c.dates.counts[e], 1)
		}
	}
	usual := 0
	if p.Separator == ";" {
		usual = 1
	}
	return &fileEvidence{numbers.fallback(usual), dates.fallback(0)}
}

func (r *readings) fallback(usual int) fallback {
	switch a, b := r.counts[first], r.counts[second]; {
	case a > 0 && b == 0:
		return fallback{0, false}
	case a == 0 && b > 0:
		return fallback{1, false}
	}
	return fallback{usual, true}
}

// Value is a value as a column has it.
type Value struct {
	// Type is Empty for a missing value, such as "n/a".
	Type Type
	// Number is that of an integer or a decimal, or a date as YYYYMMDD. HasTime reports that a date has a time of day.
	Number  float64
	HasTime bool
	// Digits are those of a number without its point, and Places the number of them after it, if IsExact. A number with
	// an exponent or more than 18 digits is not exact.
	Digits  int64
	Places  int
	IsExact bool
	// Unit is that of a number, such as $ or %, or empty.
	Unit string
	// Assumed reports that it can be read in two ways and that nothing in the file decides.
	Assumed bool
}

// IsNumber reports whether the value is a number.
func (v Value) IsNumber() bool { return v.Type == Integer || v.Type == Decimal }

// ReadValue reads a value as its column is read. A nil column does not decide anything: then a dot is a decimal point,
// and the day comes first.
func ReadValue(b []byte, c *Column) Value {
	v := classify(b)
	out := Value{Type: typeNames[v.kind], HasTime: v.hasTime, Digits: v.digits, IsExact: v.isExact, Unit: v.unit}
	if c != nil && c.CompactDates && v.kind == isInteger && isCompactDate(b) {
		return Value{Type: Date, Number: v.number[0]}
	}
	if c != nil && c.Codes && v.kind == isInteger {
		return Value{Type: Text}
	}
	reading, isDecided := 0, false
	if c != nil {
		shown, other := c.Decimal, DecimalComma
		if v.kind == isDate {
			shown, other = c.DateOrder, MonthFirst
		}
		isDecided = shown != "" && c.Assumed == 0
		if shown == other {
			reading = 1
		}
	}
	out.Number, out.Places = v.number[reading], v.places[reading]
	out.Assumed = v.evidence == either && !isDecided
	return out
}

// FormatDate writes a date YYYYMMDD as 2026-01-31.
func FormatDate(n float64) string { return formatDate(n) }

// CountOf returns a number with the words for one or for several things, such as 1 row is.
func CountOf(n int64, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + several
}

// maxRemarks is the number of columns that the remarks name.
const maxRemarks = 6

// Remarks returns sentences about what was read by an assumption or in part.
func (p *Profile) Remarks() (list []string) {
	if p.Cut > 0 {
		list = append(list, CountOf(p.Cut, "row is too long and was", "rows are too long and were")+" read in part: "+
			"the last values count as missing, and such rows are not compared to find repetitions")
	}
	if p.Twice > 0 {
		list = append(list, CountOf(p.Twice, "record has", "records have")+" a name twice: the first value counts")
	}
	if p.Rows == 0 {
		list = append(list, "the file does not have any rows of data")
	}
	for _, remark := range []string{p.TableRemark(), p.TotalRemark()} {
		if remark != "" {
			list = append(list, remark)
		}
	}
	list = append(list, p.unitRemarks()...)
	named, more := 0, 0
	for i := range p.Columns {
		c := &p.Columns[i]
		switch {
		case c.Assumed == 0:
			continue
		case more > 0 || named == maxRemarks:
			more++
			continue
		}
		named++
		v := ReadValue([]byte(c.AssumedExample), c)
		shown := formatNumber(v.Number)
		if v.Type == Date {
			shown = formatDate(v.Number)
		}
		list = append(list, fmt.Sprintf("%s of %.60q can be read in two ways, and the file does not decide: "+
			"%s is read as %s", CountOf(c.Assumed, "value", "values"), c.Name, c.AssumedExample, shown))
	}
	if more > 0 {
		list = append(list, "values of "+CountOf(int64(more), "more column", "more columns")+" can be read in two ways")
	}
	return list
}

// unitRemarks returns a sentence for each of the first columns whose numbers have several units.
func (p *Profile) unitRemarks() (list []string) {
	for i := range p.Columns {
		c := &p.Columns[i]
		if len(c.Units) < 2 || len(list) == maxRemarks {
			continue
		}
		var units []string
		for _, u := range c.Units {
			units = append(units, fmt.Sprintf("%s (%d)", cmp.Or(u.Format, "none"), u.Count))
		}
		list = append(list, fmt.Sprintf("numbers of %.60q have several units: %s", c.Name, strings.Join(units, ", ")))
	}
	return list
}
