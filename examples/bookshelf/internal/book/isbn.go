package book

import (
	"regexp"
	"strconv"
	"strings"
)

// The arithmetic follows the ISBN Users' Manual, section 4.5 and annex A. Thirteen digits are weighted 1, 3, 1, …
// modulo 10. Ten digits are weighted 10, 9, … 1 modulo 11, where X stands for ten.

// Check13 returns the check digit for the first twelve digits of an ISBN-13 (or any EAN-13). It panics if first12 is
// not twelve digits.
func Check13(first12 string) byte {
	if !isDigits(first12, 12) {
		panic("book: Check13: must be 12 digits, got " + strconv.Quote(first12))
	}
	sum := 0
	for i := range 12 {
		sum += int(first12[i]-'0') * (1 + 2*(i%2))
	}
	return byte('0' + (10-sum%10)%10)
}

// Check10 returns the check digit, 0 to 9 or X, for the first nine digits of an ISBN-10. It panics if first9 is not
// nine digits.
func Check10(first9 string) byte {
	if !isDigits(first9, 9) {
		panic("book: Check10: must be 9 digits, got " + strconv.Quote(first9))
	}
	sum := 0
	for i := range 9 {
		sum += int(first9[i]-'0') * (10 - i)
	}
	c := (11 - sum%11) % 11
	if c == 10 {
		return 'X'
	}
	return byte('0' + c)
}

// ValidISBN13 reports whether s is thirteen digits that start with 978 or 979 and end in the right check digit.
func ValidISBN13(s string) bool {
	return isDigits(s, 13) && (s[:3] == "978" || s[:3] == "979") && Check13(s[:12]) == s[12]
}

// ValidISBN10 reports whether s is nine digits followed by their check digit. The check digit may be an upper-case X.
func ValidISBN10(s string) bool {
	return len(s) == 10 && isDigits(s[:9], 9) && Check10(s[:9]) == s[9]
}

// CheckISBN returns a [FieldError] unless s is a valid ISBN of ten or thirteen digits.
func CheckISBN(s string) error {
	switch {
	case ValidISBN13(s) || ValidISBN10(s):
		return nil
	case !hasISBNShape(s):
		return &FieldError{ISBN, isbnForm}
	case len(s) == 13 && s[:3] != "978" && s[:3] != "979":
		return &FieldError{ISBN, "of 13 digits must start with 978 or 979"}
	case len(s) == 13:
		return &FieldError{ISBN, "has the wrong last digit: after " + s[:12] + " it must be " + string(Check13(s[:12]))}
	}
	return &FieldError{ISBN, "has the wrong last digit: after " + s[:9] + " it must be " + string(Check10(s[:9]))}
}

// isbnForm describes the accepted form of an ISBN. It completes the sentence "isbn …".
const isbnForm = "must be 10 or 13 digits, with or without hyphens, for example 978-0-486-28473-6 " +
	"(the last of ten may be X)"

// printedISBN matches the grammar of [ParseISBN]. The length and the digits are checked afterwards.
var printedISBN = regexp.MustCompile(
	`^\s*(?i:ISBN(?:-1[03](?::|\s)|:)?)?[\s\x{a0}]*([0-9](?:[- \x{a0}\x{ad}\x{2010}-\x{2014}\x{2212}]?[0-9Xx])*)[\s\x{a0}]*$`)

// ParseISBN reads an ISBN as it is printed or typed, and returns its ten or thirteen digits. The accepted form is
//
//	[ "ISBN" [ "-10" | "-13" ] [ ":" ] ] number
//
// where ISBN may be in small letters, "-10" and "-13" precede a colon or a space, and number is ten or thirteen digits,
// of which the last of ten may be X or x. One hyphen, dash or space may be between two digits, and spaces may be around
// the number. ParseISBN returns a [FieldError] for any other text and for a wrong check digit, with the right one.
func ParseISBN(text string) (string, error) {
	digits, ok := splitISBN(text)
	if !ok {
		return "", &FieldError{ISBN, isbnForm}
	}
	return digits, CheckISBN(digits)
}

// LooksLikeISBN reports whether [ParseISBN] accepts the text, apart from its check digit.
func LooksLikeISBN(text string) bool {
	digits, ok := splitISBN(text)
	return ok && hasISBNShape(digits)
}

// splitISBN returns the number in a printed ISBN without hyphens and spaces.
func splitISBN(text string) (string, bool) {
	m := printedISBN.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	return Compact(m[1]), true
}

// To13 converts an ISBN of ten or thirteen digits to an ISBN-13. It returns the error of [CheckISBN] if s is invalid.
func To13(s string) (string, error) {
	if err := CheckISBN(s); err != nil {
		return "", err
	}
	if len(s) == 13 {
		return s, nil
	}
	body := "978" + s[:9]
	return body + string(Check13(body)), nil
}

// Compact removes hyphens, dashes and spaces from a printed or typed ISBN and changes a final x to X. It does not
// check the rest.
func Compact(s string) string {
	s = strings.Map(func(r rune) rune {
		switch r {
		case '-', ' ', '\u00a0', '\u00ad', '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2212':
			return -1
		}
		return r
	}, s)
	if rest, ok := strings.CutSuffix(s, "x"); ok && len(s) == 10 {
		s = rest + "X"
	}
	return s
}

// hasISBNShape reports whether s looks like an ISBN; its check digit may be wrong.
func hasISBNShape(s string) bool {
	return isDigits(s, 13) || isDigits(s, 10) || len(s) == 10 && s[9] == 'X' && isDigits(s[:9], 9)
}

// isDigits reports whether s is n ASCII digits.
func isDigits(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
