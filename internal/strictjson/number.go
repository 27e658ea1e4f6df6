package strictjson

import (
	"bytes"
	"math"
	"strconv"
)

// decimal is an exact number: digits × 10^exp, where digits neither begin nor end with 0. Zero has no digits.
type decimal struct {
	negative bool
	digits   []byte
	exp      int
}

// parseDecimal reads a valid JSON number. An exponent beyond an int saturates.
func parseDecimal(lit []byte) decimal {
	var d decimal
	if lit[0] == '-' {
		d.negative, lit = true, lit[1:]
	}
	if e := bytes.IndexAny(lit, "eE"); e >= 0 {
		exp, err := strconv.Atoi(string(lit[e+1:]))
		if err != nil {
			exp = min(max(exp, math.MinInt32), math.MaxInt32)
		}
		d.exp, lit = exp, lit[:e]
	}
	whole, fraction, _ := bytes.Cut(lit, []byte("."))
	d.exp -= len(fraction)
	d.digits = bytes.TrimLeft(append(bytes.Clone(whole), fraction...), "0")
	n := len(d.digits)
	d.digits = bytes.TrimRight(d.digits, "0")
	d.exp += n - len(d.digits)
	if len(d.digits) == 0 {
		return decimal{}
	}
	return d
}

// Integer returns the plain decimal form of a Number without a fraction, such as "300" for 3e2 and "0" for -0.0. It
// returns false for fractions and for other types.
func (v Value) Integer() (string, bool) {
	if v.Type() != Number {
		return "", false
	}
	raw := v.Raw()
	if !bytes.ContainsAny(raw, ".eE") && string(raw) != "-0" {
		return string(raw), true
	}
	d := parseDecimal(raw)
	if d.exp < 0 {
		return "", false
	}
	return string(d.plain(nil)), true
}

// plain appends an integer, which has at most 309 digits because the scanner rejects larger numbers.
func (d decimal) plain(dst []byte) []byte {
	if len(d.digits) == 0 {
		return append(dst, '0')
	}
	if d.negative {
		dst = append(dst, '-')
	}
	dst = append(dst, d.digits...)
	for range d.exp {
		dst = append(dst, '0')
	}
	return dst
}

// canonical appends the number in the layout of RFC 8785 (ECMAScript's), with all its digits.
func (d decimal) canonical(dst []byte) []byte {
	point := len(d.digits) + d.exp // where the decimal point stands, counted from the first digit
	if d.exp >= 0 && point <= 21 {
		return d.plain(dst)
	}
	if d.negative {
		dst = append(dst, '-')
	}
	switch {
	case 0 < point && point <= 21:
		dst = append(dst, d.digits[:point]...)
		dst = append(dst, '.')
		return append(dst, d.digits[point:]...)
	case -6 < point && point <= 0:
		dst = append(dst, "0."...)
		for range -point {
			dst = append(dst, '0')
		}
		return append(dst, d.digits...)
	}
	dst = append(dst, d.digits[0])
	if len(d.digits) > 1 {
		dst = append(dst, '.')
		dst = append(dst, d.digits[1:]...)
	}
	dst = append(dst, 'e')
	if point > 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(point-1), 10)
}
