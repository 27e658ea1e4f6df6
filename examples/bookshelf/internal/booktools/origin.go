package booktools

import (
	"strconv"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/catalogue"
	"github.com/carrel-go/carrel/tools"
)

// lookupState is the name of the newest found books in the State of the conversation.
const lookupState = "booktools.lookups"

// maxRemembered is the largest number of found books in the State.
const maxRemembered = 3

// knownBook is a book that look_up_book has found.
type knownBook struct {
	Source string         `json:"source"`
	Book   catalogue.Book `json:"book"`
}

// rememberBook records a found book, so that set_field can tell where its values come from.
func rememberBook(c *tools.Call, source string, found catalogue.Book) error {
	var known []knownBook
	return c.State().Update(lookupState, &known, func() error {
		known = append(known, knownBook{source, found})
		known = known[max(0, len(known)-maxRemembered):]
		return nil
	})
}

// findOrigin returns the name of the source whose book has the value of the update, or "" if no found book has it.
func findOrigin(c *tools.Call, u book.Update) (string, error) {
	var known []knownBook
	if _, err := c.State().Get(lookupState, &known); err != nil {
		return "", err
	}
	for _, k := range known {
		if value := factOf(k.Book, u.Field); value != "" && value == comparableText(u) {
			return k.Source, nil
		}
	}
	return "", nil
}

// factOf returns the text of a field in a found book, or "".
func factOf(b catalogue.Book, f book.Field) string {
	switch f {
	case book.Title:
		return b.Title
	case book.Author:
		return b.Author
	case book.ISBN:
		return b.ISBN
	case book.Publisher:
		return b.Publisher
	case book.PublishedYear:
		if b.Year != 0 {
			return strconv.Itoa(b.Year)
		}
	case book.Description:
		return b.Description
	}
	return ""
}

// comparableText returns the text of the update, and for an ISBN its form with thirteen digits.
func comparableText(u book.Update) string {
	text := u.Text()
	if u.Field == book.ISBN {
		if thirteen, err := book.To13(text); err == nil {
			return thirteen
		}
	}
	return text
}
