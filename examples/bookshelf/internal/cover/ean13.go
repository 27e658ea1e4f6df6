package cover

import (
	"slices"
	"strings"
)

// Modules of an EAN-13 symbol (GS1 General Specifications, section 5.2): its width, and the blank zones that a
// scanner needs on its left and right.
const (
	Modules    = 95
	QuietLeft  = 11
	QuietRight = 7
)

// leftCodes contains the bars (1) and spaces (0) of each digit in set A. Set C is its complement, and set B is set C
// reversed.
var leftCodes = [10]string{
	"0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011",
}

// paritySets contains the sets of the second to seventh digit for each first digit. The first digit does not have bars.
var paritySets = [10]string{
	"AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB", "ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA",
}

// EAN13 returns the [Modules] of the barcode for thirteen digits, without quiet zones. A module is true if it belongs
// to a bar. EAN13 returns [ErrDigits] if the digits are invalid.
func EAN13(digits string) ([]bool, error) {
	if !isValidEAN13(digits) {
		return nil, ErrDigits
	}
	var b strings.Builder
	b.WriteString("101")
	for i, set := range paritySets[digits[0]-'0'] {
		code := leftCodes[digits[i+1]-'0']
		if set == 'B' {
			code = reverseCode(complementCode(code))
		}
		b.WriteString(code)
	}
	b.WriteString("01010")
	for i := 7; i < 13; i++ {
		b.WriteString(complementCode(leftCodes[digits[i]-'0']))
	}
	b.WriteString("101")
	bars := make([]bool, 0, Modules)
	for _, m := range b.String() {
		bars = append(bars, m == '1')
	}
	return bars, nil
}

func isValidEAN13(digits string) bool {
	if len(digits) != 13 {
		return false
	}
	sum := 0
	for i := range 13 {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
		sum += int(digits[i]-'0') * (1 + 2*(i%2))
	}
	return sum%10 == 0
}

// isGuard reports whether module i belongs to a guard pattern, whose bars are drawn longer.
func isGuard(i int) bool { return i < 3 || i >= 45 && i < 50 || i >= 92 }

func complementCode(code string) string { return strings.NewReplacer("0", "1", "1", "0").Replace(code) }

func reverseCode(code string) string {
	r := []byte(code)
	slices.Reverse(r)
	return string(r)
}
