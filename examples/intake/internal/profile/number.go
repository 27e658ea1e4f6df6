package profile

import "math"

// The formats of numbers that are not written in plain digits.
const (
	thousandsComma = "1,234.5"
	thousandsDot   = "1.234,5"
	decimalComma   = "1,5"
)

// maxNumber is the length of the longest number in bytes. Longer ones, such as serial numbers, are texts.
const maxNumber = 40

// parseNumber parses a number in plain digits, in scientific notation, with a decimal comma, or with groups of three
// digits. A number with leading zeros, such as 00123, is an integer too: only its column's name says that it is a code.
func parseNumber(b []byte) (value, bool) {
	if len(b) > maxNumber {
		return value{}, false
	}
	sign := 1.0
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		if b[0] == '-' {
			sign = -1
		}
		b = b[1:]
	}
	if len(b) == 0 {
		return value{}, false
	}
	var n float64
	digits, i := 0, 0
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		n = n*10 + float64(b[i]-'0')
		digits++
	}
	if i == len(b) {
		return value{kind: isInteger, number: sign * n}, true
	}
	switch b[i] {
	case '.', 'e', 'E':
		if v, ok := parseFraction(b[i:], n, digits); ok {
			v.number *= sign
			return v, true
		}
	}
	v, ok := parseGroups(b)
	v.number *= sign
	return v, ok
}

// parseFraction parses the rest of a number after its digits, which are n.
func parseFraction(b []byte, n float64, digits int) (value, bool) {
	i := 0
	if b[0] == '.' {
		scale := 0.1
		for i = 1; i < len(b) && b[i]-'0' <= 9; i++ {
			n += float64(b[i]-'0') * scale
			scale /= 10
			digits++
		}
	}
	if digits == 0 {
		return value{}, false
	}
	if i == len(b) {
		return value{kind: isDecimal, number: n}, true
	}
	if b[i] != 'e' && b[i] != 'E' {
		return value{}, false
	}
	i++
	negative := false
	if i < len(b) && (b[i] == '-' || b[i] == '+') {
		negative = b[i] == '-'
		i++
	}
	exp, from := 0, i
	for ; i < len(b) && b[i]-'0' <= 9 && exp < 1000; i++ {
		exp = exp*10 + int(b[i]-'0')
	}
	if i == from || i < len(b) {
		return value{}, false
	}
	if negative {
		exp = -exp
	}
	n *= math.Pow10(exp)
	return value{kind: isDecimal, number: n}, !math.IsInf(n, 0) && !math.IsNaN(n)
}

// parseGroups parses 1,234.5 and 1.234,5 and 1,5. Three digits after a single comma are a group.
func parseGroups(b []byte) (value, bool) {
	var whole, fraction float64
	scale := 0.1
	group, decimal := byte(0), byte(0)
	run := 0 // digits since the last separator
	for i, c := range b {
		switch {
		case c-'0' <= 9 && decimal != 0:
			fraction += float64(c-'0') * scale
			scale /= 10
			run++
		case c-'0' <= 9:
			whole = whole*10 + float64(c-'0')
			run++
		case (c == ',' || c == '.') && decimal == 0 && i > 0 && run > 0:
			if group != 0 && run != 3 {
				return value{}, false
			}
			if startsGroup(b[i+1:]) && (group == 0 && run <= 3 || group == c) {
				group = c
			} else {
				decimal = c
			}
			run = 0
		default:
			return value{}, false
		}
	}
	if run == 0 || group != 0 && group == decimal || decimal == 0 && group == 0 || decimal == 0 && run != 3 {
		return value{}, false
	}
	format := decimalComma
	switch group {
	case ',':
		format = thousandsComma
	case '.':
		format = thousandsDot
	}
	return value{kind: isDecimal, format: format, number: whole + fraction}, true
}

// startsGroup reports whether b begins with three digits that are not followed by a fourth.
func startsGroup(b []byte) bool {
	for i := range 3 {
		if i >= len(b) || b[i]-'0' > 9 {
			return false
		}
	}
	return len(b) == 3 || b[3]-'0' > 9
}

// ParseNumber returns the number that a value is, in any of the formats that a profile counts as a number.
func ParseNumber(b []byte) (float64, bool) {
	v := classify(b)
	return v.number, v.kind == isInteger || v.kind == isDecimal
}
