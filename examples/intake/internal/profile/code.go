package profile

import (
	"bytes"
	"slices"
)

// noteWhole counts whole numbers in plain digits, and keeps the first number or date of another form.
func (c *column) noteWhole(kind int, b []byte) {
	switch kind {
	case isInteger, isDecimal, isDate:
	default:
		return
	}
	b = bytes.TrimSpace(b)
	switch {
	case isDigits(b) && (b[0] != '0' || len(b) == 1):
		c.whole++
	case c.notWhole == "":
		c.notWhole = string(b)
	}
}

// noteCode keeps the longest code as an example, and one with leading zeros before others.
func (c *column) noteCode(b []byte) {
	c.codes++
	b = bytes.TrimSpace(b)
	isBetter := len(b) > len(c.longCode)
	if c.longCode != "" && (b[0] == '0') != (c.longCode[0] == '0') {
		isBetter = b[0] == '0'
	}
	if isBetter {
		c.longCode = string(b)
	}
}

// minCode is the length of a code beside fractions, such as 007.
const minCode = 3

// hasCodes reports whether the numbers of the column are codes: at least one has leading zeros, such as 00123, or
// letters, such as 3E2, and none is a quantity with a minus, a unit or groups of digits. Beside fractions, such as
// 12.5, only leading zeros count, and a code must be longer than 05. In a column that is named like amounts, only
// leading zeros count too.
func (c *column) hasCodes(sense Sense) bool {
	if sense == Amounts && c.longCode != "" && c.longCode[0] != '0' {
		return false
	}
	isGrouped := slices.ContainsFunc(c.formats, func(f formatPair) bool {
		return f.format[0] == thousandsComma || f.format[1] == thousandsDot
	})
	isCode := c.amounts == 0 || len(c.longCode) >= minCode && c.longCode[0] == '0'
	return c.codes > 0 && isCode && !isGrouped && c.negative == 0 && len(c.units) == 0
}

// hasLeadingZero reports whether a value is two or more digits, of which the first is zero.
func hasLeadingZero(b []byte) bool {
	b = bytes.TrimSpace(b)
	return len(b) > 1 && b[0] == '0' && isDigits(b)
}

// isExponentCode reports whether a value is digits, an E and digits, such as 3E2. Programs write numbers with a point
// or a sign in this notation: 3.0E2, 3E+02.
func isExponentCode(b []byte) bool {
	b = bytes.TrimSpace(b)
	i := bytes.IndexAny(b, "eE")
	return i > 0 && i < len(b)-1 && isDigits(b[:i]) && isDigits(b[i+1:])
}

// AsCodes returns the column as it is read if it has codes, whatever its name says.
func (c *Column) AsCodes() *Column {
	if c.CodesByName || c.Type == Empty || c.Whole && !c.CompactDates {
		return c
	}
	out := *c
	out.CompactDates, out.Decimal, out.DateOrder, out.Spelled, out.LikelyDates = false, "", "", false, false
	out.DatesByValues, out.Elsewhere = false, ""
	out.Formats, out.Units, out.Min, out.Max, out.Negative = nil, nil, "", "", 0
	out.Assumed, out.AssumedExample, out.ShortYears, out.ShortYear = 0, "", 0, ""
	if c.Whole {
		out.Type = Integer
		return &out
	}
	out.Type, out.Codes, out.CodesByName = Text, true, true
	return &out
}
