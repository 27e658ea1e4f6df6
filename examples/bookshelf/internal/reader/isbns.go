package reader

import (
	"regexp"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
)

var (
	digitRun   = regexp.MustCompile(`[0-9]+(?:[-\x{a0}\x{2010}-\x{2015} ]?[0-9]+)*(?:[-\x{a0}\x{2010}-\x{2015} ]?[Xx]\b)?`)
	digitGroup = regexp.MustCompile(`[0-9]+[Xx]?|[Xx]`)
	isbnWord   = regexp.MustCompile(`(?i)\bisbn`)
)

// findISBNs returns the ISBNs in a text, without hyphens. Thirteen digits that start with 978 or 979 are returned even
// if the check digit is wrong, so that one can say so, and so is a number of the right length in a text that speaks of
// an ISBN; any other ten digits are not.
func findISBNs(text string) []string {
	var out []string
	announced := isbnWord.MatchString(text)
	for _, run := range digitRun.FindAllString(text, -1) {
		groups := digitGroup.FindAllString(run, -1)
		found := false
		for i := 0; i < len(groups); i++ {
			if s, n := leadingISBN(groups[i:]); n > 0 {
				out = append(out, s)
				found = true
				i += n - 1
			}
		}
		if whole := strings.ToUpper(strings.Join(groups, "")); !found && announced && (len(whole) == 10 || len(whole) == 13) {
			out = append(out, whole)
		}
	}
	return unique(out)
}

// leadingISBN is the ISBN that the first n groups of digits make up together; n is 0 if there is none. Whole groups
// count: a piece of a longer number is no ISBN, and a year or a price behind one does not hide it.
func leadingISBN(groups []string) (isbn string, n int) {
	s := ""
	for i, g := range groups {
		s += strings.ToUpper(g)
		switch {
		case len(s) == 13 && (strings.HasPrefix(s, "978") || strings.HasPrefix(s, "979")):
			return s, i + 1
		case len(s) == 10 && book.ValidISBN10(s):
			isbn, n = s, i+1 // unless it is the beginning of thirteen
		case len(s) > 13:
			return isbn, n
		}
	}
	return isbn, n
}

// unique leaves out what was there before.
func unique(s []string) []string {
	var out []string
	for _, v := range s {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// printedISBNs returns the ISBNs in the text on a cover: only those whose digits fit, since letters get misread, and
// those of ten digits only where the word stands beside them.
func printedISBNs(lines []string) []string {
	var out []string
	for _, l := range lines {
		for _, s := range findISBNs(l) {
			if book.ValidISBN13(s) || book.ValidISBN10(s) && isbnWord.MatchString(l) {
				out = append(out, s)
			}
		}
	}
	return out
}
