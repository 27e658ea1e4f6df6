package reader

import (
	"strconv"
	"strings"
)

// numerals are the numbers that a person may write as words.
var numerals = map[string]int{
	"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
	"ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
	"seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
	"seventy": 70, "eighty": 80, "ninety": 90,
}

// readNumeral returns the number that words of a person are, such as "twenty-five", "two hundred" or "a thousand", in
// digits. It returns other texts unchanged.
func readNumeral(text string) string {
	total, current, isNumber, isZero := 0, 0, false, false
	for part := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return r == ' ' || r == '-' }) {
		n, ok := numerals[part]
		switch {
		case ok && !isZero && canFollow(current, n):
			current, isZero = current+n, n == 0
		case part == "a" && !isNumber:
			current = 1
		case part == "hundred" && current > 0 && current < 100:
			current *= 100
		case part == "thousand" && current > 0 && total == 0:
			total, current = 1000*current, 0
		default: // also two numbers, such as "five six"
			return text
		}
		isNumber = true
	}
	if !isNumber || strings.EqualFold(strings.TrimSpace(text), "a") {
		return text
	}
	return strconv.Itoa(total + current)
}

// canFollow reports whether n may be said after a number, such as five after twenty or after two hundred.
func canFollow(before, n int) bool {
	isTens := before%100 >= 20 && before%10 == 0
	return before%100 == 0 || isTens && n >= 1 && n <= 9
}
