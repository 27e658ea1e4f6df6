package profile

import (
	"cmp"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Big returns the digits of an exact number. They must not be changed.
func (v *Value) Big() *big.Int {
	if v.Long != nil {
		return v.Long
	}
	return big.NewInt(v.Digits)
}

// closeness is the relative distance within which numbers are compared by their digits: a float64 does not tell them
// apart for sure.
const closeness = 1e-12

// Compare compares two numbers, or two dates, by their exact values.
func Compare(a, b Value) int {
	switch {
	case !a.IsExact || !b.IsExact:
		return cmp.Compare(a.Number, b.Number)
	case a.Places == b.Places && a.Long == nil && b.Long == nil:
		return cmp.Compare(a.Digits, b.Digits)
	case math.Abs(a.Number-b.Number) > closeness*math.Abs(a.Number):
		return cmp.Compare(a.Number, b.Number)
	}
	x, y := a.Big(), b.Big()
	switch {
	case a.Places < b.Places:
		x = new(big.Int).Mul(x, power10(b.Places-a.Places))
	case a.Places > b.Places:
		y = new(big.Int).Mul(y, power10(a.Places-b.Places))
	}
	return x.Cmp(y)
}

// FormatNumber writes a number: exactly, and without zeros at the end of its fraction, if it is exact.
func FormatNumber(v Value) string {
	switch {
	case !v.IsExact:
		return formatNumber(v.Number)
	case v.Long == nil && v.Places == 0:
		return strconv.FormatInt(v.Digits, 10)
	}
	return formatExact(v.Big(), v.Places)
}

// formatExact writes an integer with that many of its digits after the point, without zeros at the end of them.
func formatExact(n *big.Int, places int) string {
	digits := new(big.Int).Abs(n).String()
	if missing := places + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	for places > 0 && digits[len(digits)-1] == '0' {
		digits, places = digits[:len(digits)-1], places-1
	}
	s := digits[:len(digits)-places]
	if places > 0 {
		s += "." + digits[len(digits)-places:]
	}
	if n.Sign() < 0 {
		s = "-" + s
	}
	return s
}
