package strictjson

import (
	"bytes"
	"strconv"
)

// decimal is an exact number: digits × 10^exp, where digits neither begin nor end with 0. The digits of zero are empty.
type decimal struct {
	negative bool
	digits   []byte
	exp      int
}

// parseDecimal reads a valid JSON number. It returns false if the exponent does not fit 32 bits.
func parseDecimal(lit []byte) (d decimal, ok bool) {
	if lit[0] == '-' {
		d.negative, lit = true, lit[1:]
	}
	if e := bytes.IndexAny(lit, "eE"); e >= 0 {
		exp, err := strconv.ParseInt(string(lit[e+1:]), 10, 32)
		if err != nil {
			return decimal{}, false
		}
		d.exp, lit = int(exp), lit[:e]
	}
	whole, fraction, _ := bytes.Cut(lit, []byte("."))
	d.exp -= len(fraction)
	d.digits = bytes.TrimLeft(append(bytes.Clone(whole), fraction...), "0")
	n := len(d.digits)
	d.digits = bytes.TrimRight(d.digits, "0")
	d.exp += n - len(d.digits)
	if len(d.digits) == 0 {
		return decimal{}, true
	}
	return d, true
}

// maxInteger is how many digits Integer writes: those of the largest float64.
const maxInteger = 309

// isPlain reports whether lit, a valid number, is an integer in the form that plain has, of at most that many bytes.
func isPlain(lit []byte, most int) bool {
	return len(lit) <= most && !bytes.ContainsAny(lit, ".eE") && string(lit) != "-0"
}

// IsInteger reports whether v is a Number for which Integer returns true.
func (v Value) IsInteger() bool {
	if v.Type() != Number {
		return false
	}
	if isPlain(v.Raw(), maxInteger) {
		return true
	}
	_, ok := v.Integer()
	return ok
}

// Integer returns the plain decimal form of a Number without a fraction, such as "300" for 3e2 and "0" for -0.0. It
// returns false for fractions, for numbers of more than 309 digits, and for other types.
func (v Value) Integer() (string, bool) {
	if v.Type() != Number {
		return "", false
	}
	raw := v.Raw()
	if isPlain(raw, maxInteger) {
		return string(raw), true
	}
	d, ok := parseDecimal(raw)
	if !ok || d.exp < 0 || len(d.digits)+d.exp > maxInteger {
		return "", false
	}
	return string(d.appendPlain(nil)), true
}

// appendPlain appends an integer.
func (d decimal) appendPlain(dst []byte) []byte {
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

// appendCanonical appends the number in the layout of RFC 8785 (ECMAScript's), with all its digits.
func (d decimal) appendCanonical(dst []byte) []byte {
	point := len(d.digits) + d.exp // where the decimal point stands, counted from the first digit
	if d.exp >= 0 && point <= 21 {
		return d.appendPlain(dst)
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
