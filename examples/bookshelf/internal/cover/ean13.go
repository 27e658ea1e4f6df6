package cover

import "strings"

// Modules of an EAN-13 symbol (GS1 General Specifications, section 5.2): its width, and the blank zones that a
// scanner needs on its left and right.
const (
	Modules    = 95
	QuietLeft  = 11
	QuietRight = 7
)

// left contains the bars (1) and spaces (0) of a digit in set A. Set C is its complement, and set B is set C reversed.
var left = [10]string{
	"0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011",
}

// parity tells, for each first digit, which of the next six digits use set B. The first digit does not have bars.
var parity = [10]string{
	"AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB", "ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA",
}

// EAN13 returns the [Modules] of the barcode for thirteen digits, true for a bar, without quiet zones. It returns
// [ErrDigits] for invalid digits.
func EAN13(digits string) ([]bool, error) {
	if !validEAN13(digits) {
		return nil, ErrDigits
	}
	var b strings.Builder
	b.WriteString("101")
	for i, set := range parity[digits[0]-'0'] {
		code := left[digits[i+1]-'0']
		if set == 'B' {
			code = reverse(complement(code))
		}
		b.WriteString(code)
	}
	b.WriteString("01010")
	for i := 7; i < 13; i++ {
		b.WriteString(complement(left[digits[i]-'0']))
	}
	b.WriteString("101")
	bars := make([]bool, 0, Modules)
	for _, m := range b.String() {
		bars = append(bars, m == '1')
	}
	return bars, nil
}

func validEAN13(digits string) bool {
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

// guard reports whether module i belongs to a guard pattern, whose bars are drawn longer.
func guard(i int) bool { return i < 3 || i >= 45 && i < 50 || i >= 92 }

func complement(code string) string { return strings.NewReplacer("0", "1", "1", "0").Replace(code) }

func reverse(code string) string {
	r := []byte(code)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}
