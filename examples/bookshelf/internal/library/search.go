package library

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
)

// Field names what a text is searched for in.
type Field string

// The fields of a search. The zero Field searches all of them.
const (
	FieldAny    Field = ""
	FieldTitle  Field = "title"
	FieldAuthor Field = "author"
	FieldISBN   Field = "isbn"
)

// MaxText is the longest text of a search in characters.
const MaxText = 200

// newMatcher returns a function that reports whether a book matches.
func newMatcher(text string, f Field) (func(*Book) bool, error) {
	if utf8.RuneCountInString(text) > MaxText {
		return nil, fmt.Errorf("%w: text: must have at most %d characters", ErrInvalid, MaxText)
	}
	if text == "" {
		return func(*Book) bool { return true }, nil
	}
	words, isbn := splitWords(text), compactISBN(text)
	inISBN := func(b *Book) bool {
		return isbn != "" && b.Metadata.ISBN != nil && compactISBN(*b.Metadata.ISBN) == isbn
	}
	inTexts := func(texts ...*string) bool { return len(words) > 0 && hasWords(words, texts...) }
	switch f {
	case FieldTitle:
		return func(b *Book) bool { return inTexts(b.Metadata.Title) }, nil
	case FieldAuthor:
		return func(b *Book) bool { return inTexts(b.Metadata.Author) }, nil
	case FieldISBN:
		return inISBN, nil
	case FieldAny:
		return func(b *Book) bool { return inISBN(b) || inTexts(b.Metadata.Title, b.Metadata.Author) }, nil
	}
	return nil, fmt.Errorf("%w: field %.40q: must be title, author, isbn or empty", ErrInvalid, f)
}

// hasWords reports whether each word begins a word of the texts.
func hasWords(words []string, texts ...*string) bool {
	var have []string
	for _, t := range texts {
		if t != nil {
			have = append(have, splitWords(*t)...)
		}
	}
	for _, w := range words {
		if !slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, w) }) {
			return false
		}
	}
	return true
}

// compactISBN returns the thirteen digits of an ISBN in either form, or "" if the text is not one.
func compactISBN(text string) string {
	digits, err := book.ParseISBN(text)
	if err != nil {
		return ""
	}
	thirteen, err := book.To13(digits)
	if err != nil {
		return ""
	}
	return thirteen
}

// splitWords returns the words of a text in lower case, without accents and punctuation.
func splitWords(text string) []string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’': // O’Reilly is one word
			return -1
		case unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return ' '
	}, norm.NFKD.String(text))
	return strings.Fields(text)
}
