package profile

import (
	"math"
	"math/big"
	"strconv"
)

// The formats of numbers that are not written in plain digits.
const (
	thousandsComma = "1,234.5"
	thousandsDot   = "1.234,5"
	decimalComma   = "1,5"
)

const (
	// maxNumber is the length of the longest number in bytes. Longer ones, such as serial numbers, are texts.
	maxNumber = 40
	// maxExact is the number of digits that an int64 has. Longer numbers are kept as a big.Int.
	maxExact = 18
	// maxScale is the number of zeros that an exponent adds to an exact number, before or after its point.
	maxScale = 40
)

// parseNumber parses a number in plain digits, in scientific notation, with a decimal comma, or with groups of three
// digits. It has two readings if a dot or a comma is before its last three digits, such as in 1.234. A number with
// leading zeros, such as 00123, is an integer too: its column decides whether it is a code, see [Column].
func parseNumber(b []byte) (value, bool) {
	if len(b) > maxNumber {
		return value{}, false
	}
	negative := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		negative = b[0] == '-'
		b = b[1:]
	}
	s, ok := scanNumber(b)
	if !ok {
		return value{}, false
	}
	v, ok := s.interpret()
	if !ok {
		return value{}, false
	}
	if negative {
		v.negate()
	}
	return v, !math.IsInf(v.number[0], 0)
}

// scannedNumber is the shape of a number.
type scannedNumber struct {
	text     []byte // without the exponent
	digits   int
	exponent int
	hasExp   bool
	counts   [2]int // of dots and commas
	last     int    // the index of the last dot or comma
}

// scanNumber scans digits, dots and commas, and an exponent.
func scanNumber(b []byte) (s scannedNumber, ok bool) {
	s.text = b
	for i, c := range b {
		switch {
		case c-'0' <= 9:
			s.digits++
		case c == '.':
			s.counts[0]++
			s.last = i
		case c == ',':
			s.counts[1]++
			s.last = i
		case c|0x20 == 'e':
			s.text, s.hasExp = b[:i], true
			s.exponent, ok = parseExponent(b[i+1:])
			return s, ok && s.digits > 0
		default:
			return s, false
		}
	}
	return s, s.digits > 0
}

func parseExponent(b []byte) (int, bool) {
	if len(b) > 0 && b[0] == '+' {
		b = b[1:]
	}
	n, err := strconv.ParseInt(string(b), 10, 16)
	return int(n), err == nil && b[0] != '+'
}

// interpret returns the readings of a number.
func (s *scannedNumber) interpret() (value, bool) {
	dots, commas := s.counts[0], s.counts[1]
	before, after := s.last, len(s.text)-s.last-1
	switch {
	case dots+commas == 0:
		v := s.value(0, 0)
		if !s.hasExp {
			v.kind = isInteger
		}
		return v, true
	case s.hasExp && commas > 0, commas == 1 && dots == 0 && (before == 0 || after == 0):
		return value{}, false
	case dots+commas == 1 && after == 3 && before >= 1 && before <= 3 && s.text[0] != '0' && !s.hasExp:
		if dots == 1 {
			v := s.value(3, 0)
			v.evidence, v.format = either, [2]string{"", thousandsDot}
			return v, true
		}
		v := s.value(0, 3)
		v.evidence, v.format = either, [2]string{thousandsComma, decimalComma}
		return v, true
	case dots == 1 && commas == 0:
		v := s.value(after, after)
		v.evidence = first
		return v, true
	case commas == 1 && dots == 0:
		v := s.value(after, after)
		v.evidence, v.format = second, [2]string{decimalComma, decimalComma}
		return v, true
	}
	return s.interpretGroups(after)
}

// interpretGroups interprets a number with groups of three digits and perhaps a fraction.
func (s *scannedNumber) interpretGroups(after int) (value, bool) {
	whole, places := s.text, 0
	group := byte(',')
	switch {
	case s.hasExp:
		return value{}, false
	case s.counts[0] > 0 && s.counts[1] > 0:
		if s.text[s.last] == ',' {
			group = '.'
		}
		whole, places = s.text[:s.last], after
	case s.counts[0] > 0:
		group = '.'
	}
	if after == 0 || !isGrouped(whole, group) {
		return value{}, false
	}
	v := s.value(places, places)
	v.evidence, v.format = first, [2]string{thousandsComma, thousandsComma}
	if group == '.' {
		v.evidence, v.format = second, [2]string{thousandsDot, thousandsDot}
	}
	return v, true
}

// isGrouped reports whether b is one to three digits and then groups of three digits, or groups of two and then one of
// three, as in 12,34,567.
func isGrouped(b []byte, separator byte) bool {
	if n := len(b); separator == ',' && n > 6 && b[n-4] == ',' && isDigits(b[n-3:]) && b[n-7] == ',' {
		return isGroupedByTwo(b[:n-4])
	}
	for len(b) > 3 {
		if b[len(b)-4] != separator || !isDigits(b[len(b)-3:]) {
			return false
		}
		b = b[:len(b)-4]
	}
	return len(b) > 0 && isDigits(b)
}

// isGroupedByTwo reports whether b is one or two digits and then groups of two digits.
func isGroupedByTwo(b []byte) bool {
	for len(b) > 2 {
		if b[len(b)-3] != ',' || !isDigits(b[len(b)-2:]) {
			return false
		}
		b = b[:len(b)-3]
	}
	return len(b) > 0 && isDigits(b)
}

func isDigits(b []byte) bool {
	for _, c := range b {
		if c-'0' > 9 {
			return false
		}
	}
	return true
}

// value returns the number whose digits have that many decimal places in its two readings.
func (s *scannedNumber) value(places, otherPlaces int) value {
	v := value{kind: isDecimal}
	if s.digits > maxExact || s.hasExp {
		for i, p := range [2]int{places, otherPlaces} {
			v.number[i], _ = strconv.ParseFloat(string(s.onlyDigits())+"e"+strconv.Itoa(s.exponent-p), 64)
		}
		s.keepDigits(&v, places, otherPlaces)
		return v
	}
	n := int64(0)
	for _, c := range s.text {
		if c-'0' <= 9 {
			n = n*10 + int64(c-'0')
		}
	}
	v.digits, v.places, v.isExact = n, [2]int{places, otherPlaces}, true
	v.number = [2]float64{float64(n) / math.Pow10(places), float64(n) / math.Pow10(otherPlaces)}
	return v
}

// keepDigits keeps the digits of a number that is long or has an exponent, unless its exponent is too large.
func (s *scannedNumber) keepDigits(v *value, places, otherPlaces int) {
	if s.exponent > maxScale || s.exponent < -maxScale {
		return
	}
	n, ok := new(big.Int).SetString(string(s.onlyDigits()), 10)
	if !ok {
		return
	}
	if s.exponent > places {
		n.Mul(n, power10(s.exponent-places))
		places = s.exponent
	}
	v.places, v.isExact = [2]int{places - s.exponent, places - s.exponent}, true
	if !s.hasExp {
		v.places[1] = otherPlaces
	}
	if n.IsInt64() {
		v.digits = n.Int64()
	} else {
		v.long = n
	}
}

func power10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func (s *scannedNumber) onlyDigits() []byte {
	out := make([]byte, 0, maxNumber)
	for _, c := range s.text {
		if c-'0' <= 9 {
			out = append(out, c)
		}
	}
	return out
}
