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
	name     string
	counts   [numTypes]int64
	formats  []FormatCount
	min, max float64 // of the numbers
	from, to float64 // of the dates
	negative int64
	formulas int64
	longest  int
	values   distinct
	examples []string
}

func newColumn(name string, distinctValues int) *column {
	return &column{
		name: name, values: newDistinct(distinctValues),
		min: math.Inf(1), max: math.Inf(-1), from: math.Inf(1), to: math.Inf(-1),
	}
}

func (c *column) add(b []byte, seed maphash.Seed) {
	v := classify(b)
	c.counts[v.kind]++
	if v.kind == isEmpty {
		return
	}
	c.longest = max(c.longest, len(b))
	switch v.kind {
	case isInteger, isDecimal:
		c.min, c.max = min(c.min, v.number), max(c.max, v.number)
		if v.number < 0 {
			c.negative++
		}
	case isDate:
		c.from, c.to = min(c.from, v.number), max(c.to, v.number)
	case isText:
		if isFormula(b) {
			c.formulas++
		}
	}
	if v.format != "" {
		c.countFormat(v.format)
	}
	c.values.add(maphash.Bytes(seed, b))
	if len(c.examples) < maxExamples {
		c.addExample(b)
	}
}

func (c *column) countFormat(format string) {
	for i := range c.formats {
		if c.formats[i].Format == format {
			c.formats[i].Count++
			return
		}
	}
	if len(c.formats) < maxFormats {
		c.formats = append(c.formats, FormatCount{format, 1})
	}
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

// profile returns the results of the column.
func (c *column) profile() Column {
	out := Column{Name: c.name, Type: Empty, Missing: c.counts[isEmpty], Longest: c.longest, Formulas: c.formulas}
	out.Examples = append([]string{}, c.examples...)
	best := isEmpty
	numbers := c.counts[isInteger] + c.counts[isDecimal]
	most := int64(0)
	for kind, n := range c.counts {
		if kind == isInteger || kind == isDecimal {
			n = numbers
		}
		if kind != isEmpty && n > most {
			best, most = kind, n
		}
	}
	if best == isInteger && c.counts[isDecimal] > 0 {
		best = isDecimal
	}
	out.Type = typeNames[best]
	for kind, n := range c.counts {
		isNumber := kind == isInteger && best == isDecimal || kind == isDecimal && best == isInteger
		if kind != isEmpty && kind != best && !isNumber {
			out.Wrong += n
		}
		if n > 0 && kind != isEmpty {
			out.Types = append(out.Types, TypeCount{typeNames[kind], n})
		}
	}
	if best == isDate || best == isInteger || best == isDecimal {
		out.Formats = c.formatsOf(best)
	}
	switch best {
	case isInteger, isDecimal:
		out.Min, out.Max, out.Negative = formatNumber(c.min), formatNumber(c.max), c.negative
	case isDate:
		out.Min, out.Max = formatDate(c.from), formatDate(c.to)
	}
	n, isExact := c.values.values()
	out.Distinct, out.DistinctExact = n, isExact
	return out
}

// formatsOf returns the formats of the column's type, the most frequent one first.
func (c *column) formatsOf(kind int) []FormatCount {
	isNumber := func(f FormatCount) bool {
		return f.Format == thousandsComma || f.Format == thousandsDot || f.Format == decimalComma
	}
	var out []FormatCount
	rest := c.counts[isInteger] + c.counts[isDecimal]
	for _, f := range c.formats {
		if isNumber(f) == (kind != isDate) {
			out = append(out, f)
			rest -= f.Count
		}
	}
	if kind != isDate && len(out) > 0 && rest > 0 {
		out = append(out, FormatCount{"1234.5", rest})
	}
	slices.SortStableFunc(out, func(a, b FormatCount) int { return int(max(-1, min(1, b.Count-a.Count))) })
	return out
}

func formatNumber(n float64) string {
	if n == math.Trunc(n) && math.Abs(n) < 1e15 {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.6g", n)
}

func formatDate(n float64) string {
	d := int(n)
	return fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100)
}
