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

// findISBNs returns the ISBNs in a text, without hyphens. It also returns numbers that look like an ISBN but are
// invalid, so that the reader can report them. These are thirteen digits that start with 978 or 979 and, in a text that
// mentions an ISBN, any number of ten or thirteen digits.
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
	return removeRepeats(out)
}

// leadingISBN returns the ISBN that the first n groups of digits form, or n = 0. It uses whole groups only. A part of a
// longer number is therefore not an ISBN, and a year or a price may follow an ISBN.
func leadingISBN(groups []string) (isbn string, n int) {
	s := ""
	for i, g := range groups {
		s += strings.ToUpper(g)
		switch {
		case len(s) == 13 && (strings.HasPrefix(s, "978") || strings.HasPrefix(s, "979")):
			return s, i + 1
		case len(s) == 10 && book.ValidISBN10(s):
			isbn, n = s, i+1 // unless thirteen digits begin with it
		case len(s) > 13:
			return isbn, n
		}
	}
	return isbn, n
}

// removeRepeats removes repeated values.
func removeRepeats(s []string) []string {
	var out []string
	for _, v := range s {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// printedISBNs returns the valid ISBNs in the text on a cover. It ignores invalid ones, since letters may be misread,
// and accepts one of ten digits only in a line with the word ISBN.
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
