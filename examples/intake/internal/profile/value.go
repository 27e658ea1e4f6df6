package profile

import (
	"bytes"
	"math/big"
)

// Type is the type of a value or a column.
type Type string

// The types. A column of integers and decimals is of type decimal.
const (
	Empty   Type = "empty"
	Integer Type = "integer"
	Decimal Type = "decimal"
	Date    Type = "date"
	Boolean Type = "boolean"
	Text    Type = "text"
)

// The indexes of the types in a column's counts.
const (
	isEmpty = iota
	isInteger
	isDecimal
	isDate
	isBoolean
	isText
	numTypes
)

var typeNames = [numTypes]Type{Empty, Integer, Decimal, Date, Boolean, Text}

// value is a classified value. A number or a date has two readings: with a decimal point or a decimal comma, and with
// the day or the month first. They are the same unless its evidence is either.
type value struct {
	kind     int
	evidence evidence
	format   [2]string  // of a date or of a number that is not written in plain digits
	number   [2]float64 // of an integer, a decimal, or a date as YYYYMMDD
	hasTime  bool       // of a date
	// digits are those of a number without its point, and places the number of them after it, if isExact. If they are
	// too many for digits, they are in long.
	digits  int64
	long    *big.Int
	places  [2]int
	isExact bool
	unit    string // of a number, such as %
	// isShortYear reports that the year of a date has two digits.
	isShortYear bool
}

func (v *value) negate() {
	v.number[0], v.number[1] = -v.number[0], -v.number[1]
	v.digits = -v.digits
	if v.long != nil {
		v.long.Neg(v.long)
	}
}

// evidence is the reading that a value shows.
type evidence int

const (
	neutral evidence = iota
	first            // a decimal point, or the day first
	second           // a decimal comma, or the month first
	either           // one or the other
)

// missing are the texts that stand for a missing value, in lower case.
var missing = [][]byte{
	[]byte("null"), []byte("none"), []byte("n/a"), []byte("na"), []byte("nan"), []byte("nil"), []byte("-"), []byte("--"),
	[]byte("?"), []byte("#n/a"), []byte("unknown"),
}

var booleans = [][]byte{[]byte("true"), []byte("false"), []byte("yes"), []byte("no")}

// classify returns the type of a value, which is trimmed.
func classify(b []byte) value {
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return value{kind: isEmpty}
	}
	first := b[0]
	isDigit := '0' <= first && first <= '9'
	if isDigit || first == '-' || first == '+' || first == '.' {
		if v, ok := parseNumber(b); ok {
			return v
		}
		if isDigit {
			if v, ok := parseDate(b); ok {
				return v
			}
		}
	}
	if v, ok := parseNamedDate(b); ok {
		return v
	}
	if isDigit || first < '0' || first >= 0x80 || startsWithUnit(b) {
		if v, ok := parseQuantity(b); ok {
			return v
		}
	}
	return value{kind: classifyWord(b)}
}

// classifyWord returns whether a text stands for a missing value, is a boolean, or is neither. Most texts are neither,
// by their length or first letter.
func classifyWord(b []byte) int {
	if len(b) > 8 {
		return isText
	}
	switch b[0] | 0x20 {
	case 'n', 'u', '-', '?', '#' | 0x20:
		for _, m := range missing {
			if bytes.EqualFold(b, m) {
				return isEmpty
			}
		}
	}
	switch b[0] | 0x20 {
	case 't', 'f', 'y', 'n':
		for _, w := range booleans {
			if bytes.EqualFold(b, w) {
				return isBoolean
			}
		}
	}
	return isText
}

// isFormula reports whether a spreadsheet would run the value as a formula.
func isFormula(b []byte) bool {
	b = bytes.TrimLeft(b, " \t")
	if len(b) < 2 {
		return false
	}
	switch b[0] {
	case '=', '@':
		return true
	case '+', '-':
		_, ok := parseNumber(b)
		return !ok && (b[1]|0x20 >= 'a' && b[1]|0x20 <= 'z')
	}
	return false
}
