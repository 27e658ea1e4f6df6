package profile

import (
	"bytes"
	"hash/maphash"
	"maps"
	"strconv"
)

// typedValues counts the distinct values of a column by their values as numbers and dates: 1.50 is 1.5. It exists from
// the first value on whose text differs from that.
type typedValues struct{ distinct }

// countValue counts a value as distinct: by its text, and by its value.
func (c *column) countValue(v *value, b []byte, seed maphash.Seed) {
	c.cell.key = Key(b, &c.key)
	hash := maphash.Bytes(seed, c.cell.key)
	typed := hash
	if text := v.canonicalText(b); text != "" {
		typed = maphash.String(seed, text)
		if c.typed == nil && typed != hash {
			c.typed = &typedValues{distinct{maps.Clone(c.values.seen), c.values.max, c.values.skip}}
		}
	}
	c.values.add(hash)
	if c.typed != nil {
		c.typed.add(typed)
	}
}

// canonicalText returns the text of a number or a date in its plain form. It returns "" if the value has that form, or
// can be read in two ways. The form of a number that may be a date, such as 20260131, is that of the date.
func (v *value) canonicalText(b []byte) string {
	switch {
	case v.evidence == either:
	case v.kind == isDate && (len(b) != len(isoDate) || b[4] != '-' || b[7] != '-'):
		return formatDate(v.number[0])
	case v.kind != isInteger && v.kind != isDecimal || !v.isExact:
	case isPlain(b):
		if isCompactDate(b) {
			return formatDate(v.number[0])
		}
	default:
		text := FormatNumber(v.reading(0)) + v.unit
		if isCompactDate([]byte(text)) {
			return formatDate(v.number[0])
		}
		return text
	}
	return ""
}

// isPlain reports whether a number has the form in which results write it: digits without a leading zero, and perhaps a
// point and a fraction that does not end with zero.
func isPlain(b []byte) bool {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	whole, fraction, isFraction := bytes.Cut(b, []byte("."))
	switch {
	case len(whole) == 0 || !isDigits(whole) || len(whole) > 1 && whole[0] == '0':
		return false
	case !isFraction:
		return true
	}
	return len(fraction) > 0 && isDigits(fraction) && fraction[len(fraction)-1] != '0'
}

// distinctOf returns the count of distinct values by the type of the column.
func (c *column) distinctOf(out *Column) *distinct {
	isTyped := out.Type == Integer || out.Type == Decimal || out.Type == Date
	if c.typed != nil && isTyped && !out.Spelled {
		return &c.typed.distinct
	}
	return &c.values
}

// GroupKey returns the form in which a value of a column is compared, grouped and counted as distinct, and its text in
// a result. In a column of numbers that are not codes, a number is its value, so 1.50 is 1.5. In a column of dates, a
// date is its day. Other values are texts, see [Key]. buf is a buffer for the key.
func GroupKey(b []byte, c *Column, buf *[]byte) (key []byte, text string, v Value) {
	b = bytes.TrimSpace(b)
	if c == nil || c.Type == Text || c.Type == Boolean || c.Type == Empty || c.Spelled {
		return Key(b, buf), "", Value{}
	}
	v = ReadValue(b, c)
	switch isNumbers := c.Type == Integer || c.Type == Decimal; {
	case isNumbers && v.IsNumber() && v.IsExact:
		text = FormatNumber(v)
		if v.Unit != "" {
			text += " " + v.Unit
		}
		return []byte(text), text, v
	case isNumbers && v.IsNumber():
		text = strconv.FormatFloat(v.Number, 'g', -1, 64)
		return []byte(text), text, v
	case c.Type == Date && v.Type == Date:
		text = formatDate(v.Number)
		return []byte(text), text, v
	}
	return Key(b, buf), "", v
}
