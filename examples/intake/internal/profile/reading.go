package profile

import (
	"bytes"
	"cmp"
	"fmt"
	"math/big"
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
	min, max [2]Value
	hasRange bool
	example  string // that can be read in two ways
	// shortYears is the number of dates whose years have two digits, such as shortYear.
	shortYears int64
	shortYear  string
}

func (r *readings) add(v *value, b []byte) {
	if v.evidence == either && r.example == "" {
		r.example = string(bytes.TrimSpace(b))
	}
	r.counts[v.evidence]++
	if v.isShortYear {
		if r.shortYears == 0 {
			r.shortYear = string(bytes.TrimSpace(b))
		}
		r.shortYears++
	}
	for i, n := range v.number {
		if !r.hasRange || n <= r.min[i].Number && v.compare(i, r.min[i]) < 0 {
			r.min[i] = v.reading(i)
		}
		if !r.hasRange || n >= r.max[i].Number && v.compare(i, r.max[i]) > 0 {
			r.max[i] = v.reading(i)
		}
	}
	r.hasRange = true
}

// reading returns the number in one of its readings.
func (v *value) reading(i int) Value {
	return Value{Number: v.number[i], Digits: v.digits, Long: v.long, Places: v.places[i], IsExact: v.isExact}
}

func (v *value) compare(i int, other Value) int { return Compare(v.reading(i), other) }

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
	var numbers, dates readings
	for _, c := range p.columns {
		if p.senseOf(c) == Codes {
			continue
		}
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
	// Digits are those of a number without its point, and Places the number of them after it, if IsExact. If they do not
	// fit, Long has them. A number with a large exponent is not exact.
	Digits  int64
	Long    *big.Int
	Places  int
	IsExact bool
	// Unit is that of a number, such as $ or %, or empty.
	Unit string
	// Assumed reports that it can be read in two ways and that nothing in the file decides.
	Assumed bool
	// IsShortYear reports that the year of a date has two digits: 69 to 99 are of the last century.
	IsShortYear bool
}

// IsNumber reports whether the value is a number.
func (v Value) IsNumber() bool { return v.Type == Integer || v.Type == Decimal }

// ReadValue reads a value as its column is read. A nil column does not decide anything: then a dot is a decimal point,
// and the day comes first.
func ReadValue(b []byte, c *Column) Value {
	v := classify(b)
	if v.kind == isEmpty && c.isKept(b) {
		return Value{Type: Text}
	}
	if c != nil && c.CodesByName && v.kind != isEmpty {
		return Value{Type: Text}
	}
	if c != nil && c.CompactDates && v.kind == isInteger && isCompactDate(b) {
		return Value{Type: Date, Number: v.number[0]}
	}
	if c != nil && c.Codes && (v.kind == isInteger || v.kind == isDecimal) {
		return Value{Type: Text}
	}
	return v.read(c)
}

// ReadNumber reads a value like [ReadValue], but a code, such as 00123, as a number.
func ReadNumber(b []byte, c *Column) Value {
	if c == nil || !c.Codes {
		return ReadValue(b, c)
	}
	v := classify(b)
	return v.read(c)
}

// read returns the value in the reading of a column, which may be nil.
func (v *value) read(c *Column) Value {
	out := Value{
		Type: typeNames[v.kind], HasTime: v.hasTime, Digits: v.digits, Long: v.long, IsExact: v.isExact, Unit: v.unit,
		IsShortYear: v.isShortYear,
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
	if remark := p.TableRemark(); remark != "" {
		list = append(list, remark)
	}
	list = append(list, p.totalRemarks()...)
	if p.Blank > 0 {
		list = append(list, CountOf(p.Blank, "row has empty cells only and does not count",
			"rows have empty cells only and do not count"))
	}
	if p.Headers > 1 {
		list = append(list, fmt.Sprintf("%d rows repeat the names of the columns and do not count", p.Headers))
	}
	list = append(list, p.unitRemarks()...)
	list = append(list, p.yearRemarks()...)
	list = append(list, p.wordRemarks()...)
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

// yearRemarks returns a sentence for each of the first columns whose dates have years of two digits.
func (p *Profile) yearRemarks() (list []string) {
	for i := range p.Columns {
		c := &p.Columns[i]
		if c.ShortYears == 0 || len(list) == maxRemarks {
			continue
		}
		v := ReadValue([]byte(c.ShortYear), c)
		list = append(list, fmt.Sprintf("in %.60q, %s a year of two digits, which is taken as 1969 to 2068: %s is read as %s",
			c.Name, CountOf(c.ShortYears, "date has", "dates have"), c.ShortYear, formatDate(v.Number)))
	}
	return list
}

// ReadingRemarks returns sentences for an answer about how the values of the column are read, if its own values do not
// decide.
func (c *Column) ReadingRemarks() (list []string) {
	if c.DatesByValues && c.CompactDates {
		list = append(list, fmt.Sprintf("all numbers of %.60q have the form of dates and are read as dates, such as %s, "+
			"though its name does not say so", c.Name, c.Min))
	}
	if c.Elsewhere != "" {
		v := ReadValue([]byte(c.Elsewhere), c)
		list = append(list, fmt.Sprintf("numbers of %.60q can be read in two ways, and those of other columns decide: %s is "+
			"read as %s", c.Name, c.Elsewhere, FormatNumber(v)))
	}
	return list
}
