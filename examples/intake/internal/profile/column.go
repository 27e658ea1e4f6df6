package profile

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxExamples = 5
	maxExample  = 60 // bytes of an example
	maxFormats  = 8
)

// column is the state of a column.
type column struct {
	name       string
	counts     [numTypes]int64
	formats    []formatPair
	units      []FormatCount
	numbers    readings
	dates      readings
	negative   int64
	formulas   int64
	values     distinct
	examples   []string
	row        int64 // the last record that had the column
	at         int64 // the last row of the table that had the column, with its value there:
	cell       cell
	sums       columnSums
	words      []FormatCount // for missing values
	shortCodes int64
	hasStrings bool   // of JSON, that would be missing in CSV
	compact    int64  // numbers that are dates such as 20260131
	nearly     int64  // numbers such as 20260230
	days       [2]int // the first and the last one of the compact dates
	codes      int64  // numbers that look like codes, such as 00123 and 3E2
	longCode   string // the longest of them
	amounts    int64  // decimal numbers that are not codes
	whole      int64  // whole numbers in plain digits, as a result writes them
	notWhole   string // the first number or date of another form
	minPlaces  int    // of numbers with a point
	maxPlaces  int
	mixed      int64  // texts with digits
	zeroAtEnd  string // the first number with a zero at the end of its fraction
	key        []byte // a buffer
	typed      *typedValues
}

func newColumn(name string, distinctValues int) *column {
	return &column{name: name, values: newDistinct(distinctValues)}
}

// jsonType is the type of a value of JSON.
type jsonType int

const (
	notJSON jsonType = iota
	jsonOther
	jsonNumber // has a decimal point
	jsonString // is never missing, unless it is empty
)

// add adds the value of a row.
func (c *column) add(b []byte, seed maphash.Seed, row int64, json jsonType) {
	v := classify(b)
	if json == jsonNumber && v.evidence == either {
		v.evidence, v.number[1], v.format[1] = first, v.number[0], v.format[0]
	}
	if json == jsonString && v.kind == isEmpty && len(bytes.TrimSpace(b)) > 0 {
		v.kind, c.hasStrings = isText, true
	}
	c.at, c.cell = row, cell{kind: v.kind, number: v.number, unit: v.unit, text: b}
	c.counts[v.kind]++
	if v.kind == isEmpty {
		c.noteWord(b)
		return
	}
	switch v.kind {
	case isInteger, isDecimal:
		c.numbers.add(&v, b)
		c.countUnit(v.unit)
		c.noteForm(&v, b, json)
		if v.number[0] < 0 {
			c.negative++
		}
	case isDate:
		c.dates.add(&v, b)
	case isText:
		if isFormula(b) {
			c.formulas++
		}
		if isShortCode(b) {
			c.shortCodes++
		}
		if isMixedCode(b) {
			c.mixed++
		}
	}
	if v.format != [2]string{} {
		c.countFormat(v.format)
	}
	c.noteWhole(v.kind, b)
	c.countValue(&v, b, seed)
	if len(c.examples) < maxExamples {
		c.addExample(b)
	}
}

func (c *column) countFormat(format [2]string) {
	for i := range c.formats {
		if c.formats[i].format == format {
			c.formats[i].count++
			return
		}
	}
	if len(c.formats) < maxFormats {
		c.formats = append(c.formats, formatPair{format, 1})
	}
}

// countUnit counts the unit of a number, which may be empty. There are few units.
func (c *column) countUnit(unit string) {
	if unit == "" && len(c.units) == 0 {
		return
	}
	i := slices.IndexFunc(c.units, func(u FormatCount) bool { return u.Format == unit })
	if i < 0 {
		i, c.units = len(c.units), append(c.units, FormatCount{Format: unit})
	}
	c.units[i].Count++
}

// unitsOf returns the units of the numbers. The empty one stands for numbers without a unit.
func (c *column) unitsOf() []FormatCount {
	if len(c.units) == 0 {
		return nil
	}
	rest := c.counts[isInteger] + c.counts[isDecimal]
	var out []FormatCount
	for _, u := range c.units {
		if u.Format != "" {
			out = append(out, u)
			rest -= u.Count
		}
	}
	if rest > 0 {
		out = append(out, FormatCount{"", rest})
	}
	return out
}

// formatPair is the number of values with these formats in the two readings.
type formatPair struct {
	format [2]string
	count  int64
}

func (c *column) addExample(b []byte) {
	b = bytes.TrimSpace(b)
	text := strings.ToValidUTF8(string(b[:min(len(b), maxExample)]), "")
	if len(b) > maxExample {
		text += "…"
	}
	if !utf8.ValidString(text) || slices.Contains(c.examples, text) {
		return
	}
	c.examples = append(c.examples, text)
}

// profile returns the results of the column. The evidence of the file counts where the column does not have any.
func (c *column) profile(file *fileEvidence, sense Sense) Column {
	isCode := sense == Codes
	out := Column{Name: c.name, Type: Empty, Missing: c.counts[isEmpty], Formulas: c.formulas}
	out.Examples = append([]string{}, c.examples...)
	out.noteWords(c)
	out.KeepsTexts = c.hasStrings
	counts := c.counts
	counts[isText] += out.Kept
	if out.CompactDates = !isCode && c.hasCompactDates(sense); out.CompactDates {
		out.DatesByValues = sense != Days && c.counts[isDate] == 0
		counts[isDate] += c.compact
		counts[isInteger] -= c.compact
	}
	out.LikelyDates = !isCode && sense != Amounts && !out.CompactDates && c.hasOnlyCompactDates()
	if out.Codes = c.hasCodes(sense); out.Codes {
		counts[isText] += counts[isInteger] + counts[isDecimal]
		counts[isInteger], counts[isDecimal] = 0, 0
		out.CodeExample = c.longCode
	}
	values := sum(counts) - counts[isEmpty]
	if out.Whole = values > 0 && c.whole == values; isCode && !out.Whole {
		out.Codes, out.CodesByName, out.CodeExample = true, true, c.notWhole
		counts = [numTypes]int64{isEmpty: counts[isEmpty], isText: values}
	}
	best := out.countTypes(counts)
	if isNumber := best == isInteger || best == isDecimal; isNumber && c.isSpelled(sense) {
		out.Spelled, out.MayBeCodes, out.CodeExample = true, sense == MayBeCodes, c.zeroAtEnd
	}
	c.profileValues(&out, best, file)
	n, isExact := c.distinctOf(&out).values()
	n = min(n, sum(c.counts)-c.counts[isEmpty]) // an estimate may be larger
	if out.Kept > 0 && out.KeepsCodes {
		n++ // NA
	}
	out.Distinct, out.DistinctExact = n, isExact
	return out
}

// profileValues adds the results about the numbers or dates of a column of that type.
func (c *column) profileValues(out *Column, best int, file *fileEvidence) {
	if out.CodesByName {
		return
	}
	out.ShortYears, out.ShortYear = c.dates.shortYears, c.dates.shortYear
	number, isNumberAssumed := c.numbers.resolve(file.numbers)
	date, isDateAssumed := c.dates.resolve(file.dates)
	if c.numbers.isShown() {
		out.Decimal = [2]string{DecimalPoint, DecimalComma}[number]
	}
	if c.dates.isShown() {
		out.DateOrder = [2]string{DayFirst, MonthFirst}[date]
	}
	switch best {
	case isInteger, isDecimal:
		if isNumberAssumed || c.numbers.counts[first] > 0 && c.numbers.counts[second] > 0 {
			out.Formats = c.formatsOf(best, number, false)
		}
		out.Min, out.Max = FormatNumber(c.numbers.min[number]), FormatNumber(c.numbers.max[number])
		out.Negative, out.Units = c.negative, c.unitsOf()
		if n := &c.numbers; !isNumberAssumed && n.counts[first]+n.counts[second] == 0 && n.counts[either] > 0 {
			out.Elsewhere = n.example
		}
		if isNumberAssumed {
			out.Assumed, out.AssumedExample = c.numbers.counts[either], c.numbers.example
		}
	case isDate:
		c.profileDates(out, date, isDateAssumed)
	}
}

// countTypes sets the type of the column, the number of values of other types, and that of each type. It returns the
// type.
func (c *Column) countTypes(counts [numTypes]int64) (best int) {
	numbers, most := counts[isInteger]+counts[isDecimal], int64(0)
	for kind, n := range counts {
		if kind == isInteger || kind == isDecimal {
			n = numbers
		}
		if kind != isEmpty && n > most {
			best, most = kind, n
		}
	}
	if best == isInteger && counts[isDecimal] > 0 {
		best = isDecimal
	}
	c.Type = typeNames[best]
	for kind, n := range counts {
		isNumber := kind == isInteger && best == isDecimal || kind == isDecimal && best == isInteger
		if kind != isEmpty && kind != best && !isNumber {
			c.Wrong += n
		}
		if n > 0 && kind != isEmpty {
			c.Types = append(c.Types, TypeCount{typeNames[kind], n})
		}
	}
	return best
}

// noteForm counts the forms of a number that decide the type of the column at the end.
func (c *column) noteForm(v *value, b []byte, json jsonType) {
	switch {
	case (json == notJSON || json == jsonString) && isExponentCode(b):
		c.noteCode(b)
	case v.kind == isDecimal:
		if !bytes.ContainsAny(b, "eE") { // 1E5 is a code that a spreadsheet has read as a number
			c.amounts++
			c.notePlaces(b)
		}
	case isCompactDate(b):
		day := int(v.digits)
		if c.compact == 0 {
			c.days = [2]int{day, day}
		}
		c.compact++
		c.days = [2]int{min(c.days[0], day), max(c.days[1], day)}
	case isNearlyCompactDate(b):
		c.nearly++
	case hasLeadingZero(b):
		c.noteCode(b)
	}
}

// formatsOf returns the formats of the column's type, the most frequent one first.
func (c *column) formatsOf(kind, reading int, isAssumed bool) []FormatCount {
	var out []FormatCount
	rest := c.counts[isInteger] + c.counts[isDecimal]
	for _, f := range c.formats {
		format := f.format[reading]
		if kind == isDate && isAssumed && f.format[0] != f.format[1] {
			format = eitherFirst
		}
		isNumber := format == thousandsComma || format == thousandsDot || format == decimalComma
		if format == "" || isNumber == (kind == isDate) {
			continue
		}
		rest -= f.count
		if i := slices.IndexFunc(out, func(o FormatCount) bool { return o.Format == format }); i >= 0 {
			out[i].Count += f.count
			continue
		}
		out = append(out, FormatCount{format, f.count})
	}
	if kind != isDate && len(out) > 0 && rest > 0 {
		out = append(out, FormatCount{"1234.5", rest})
	}
	slices.SortStableFunc(out, mostFirst)
	return out
}

func formatNumber(n float64) string {
	if n == 0 {
		return "0" // also for -0
	}
	if n == math.Trunc(n) && math.Abs(n) < 1e15 {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.6g", n)
}

func formatDate(n float64) string {
	d := int(n)
	text := []byte("0000-00-00")
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] != '-' {
			text[i], d = '0'+byte(d%10), d/10
		}
	}
	return string(text)
}
