package server

import (
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/tracking"
)

// Searches of uploads that one process makes at a time, and those of one tenant among them.
const (
	searches       = 8
	tenantSearches = 4
)

// newMatcher returns a function that reports whether the title, the file name or the id of an upload contain each word
// of the text. It returns nil for an empty text.
func newMatcher(text string) (func(tracking.Summary) bool, error) {
	if text == "" {
		return nil, nil
	}
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > library.MaxText {
		detail := fmt.Sprintf("The parameter q must be a text of at most %d characters.", library.MaxText)
		return nil, newProblem(http.StatusBadRequest, detail)
	}
	words := strings.Fields(foldText(text))
	if len(words) == 0 {
		return nil, newProblem(http.StatusBadRequest, "The parameter q is blank.")
	}
	return func(row tracking.Summary) bool {
		// A word cannot span two of them, since it does not contain a line end.
		names := []string{row.Labels[library.TitleLabel], row.Labels[displayLabel], row.Filename, row.Scope.SessionID()}
		in := foldText(strings.Join(names, "\n"))
		for _, w := range words {
			if !strings.Contains(in, w) {
				return false
			}
		}
		return true
	}, nil
}

// foldText returns a text in lower case, without accents and apostrophes.
func foldText(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || r == '\'' || r == '’' {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(text))
}
