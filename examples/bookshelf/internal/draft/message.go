package draft

import (
	"slices"
	"strings"
	"unicode"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
)

// fieldWords are the words with which people name the fields, in lower case.
var fieldWords = map[book.Field][]string{
	book.Title:         {"title", "titles", "heading", "subtitle"},
	book.Author:        {"author", "authors", "writer", "writers"},
	book.ISBN:          {"isbn", "isbns", "barcode"},
	book.Publisher:     {"publisher", "publishers", "imprint"},
	book.PublishedYear: {"year", "published", "publication", "date"},
	book.Description:   {"description", "summary", "blurb"},
	book.Confidence:    {"confidence"},
}

// allFields are phrases that name every field.
var allFields = []string{"everything", "all fields", "all the fields", "every field", "each field"}

// Asks reports whether a person's message names the field, so that the agent may replace an edit of it. It knows only
// English: a person who writes in another language says the value, see [Says], or types it.
func Asks(message string, f book.Field) bool {
	words := splitWords(message)
	for _, w := range fieldWords[f] {
		if slices.Contains(words, w) {
			return true
		}
	}
	return slices.ContainsFunc(allFields, func(phrase string) bool { return containsWords(words, splitWords(phrase)) })
}

// Says reports whether a person's message contains the value of the update: the same words in the same order, whatever
// their case and the punctuation between them.
func Says(message string, u book.Update) bool {
	value := u.Text()
	if u.Field == book.ISBN { // is printed with hyphens or spaces
		return strings.Contains(book.Compact(strings.ToUpper(message)), value)
	}
	return containsWords(splitWords(message), splitWords(value))
}

// splitWords returns the letters and digits of s in lower case, as words.
func splitWords(s string) []string {
	isSeparator := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }
	return strings.FieldsFunc(strings.ToLower(s), isSeparator)
}

// containsWords reports whether part is a non-empty run of words in all.
func containsWords(all, part []string) bool {
	if len(part) == 0 {
		return false
	}
	for i := 0; i+len(part) <= len(all); i++ {
		if slices.Equal(all[i:i+len(part)], part) {
			return true
		}
	}
	return false
}
