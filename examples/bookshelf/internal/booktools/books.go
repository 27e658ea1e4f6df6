package booktools

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/tools"
)

// ISBNCheck is the result of check_isbn.
type ISBNCheck struct {
	ISBN   string `json:"isbn"`             // without hyphens and spaces
	Valid  bool   `json:"valid"`            // whether the check digit is right
	ISBN13 string `json:"isbn13,omitempty"` // the thirteen-digit form, if it is valid
	Reason string `json:"reason,omitempty"` // why it is not valid
}

// Summary implements [tools.Summarizer].
func (c ISBNCheck) Summary() string {
	if c.Valid {
		return c.ISBN + " is valid"
	}
	return "not valid: " + c.Reason
}

type isbnIn struct {
	ISBN string `json:"isbn" jsonschema:"10 or 13 digits, with or without hyphens; the last of ten may be X; for example 0-8044-2957-X"`
}

func checkISBN(_ context.Context, _ *tools.Call, in isbnIn) (ISBNCheck, error) {
	out := ISBNCheck{ISBN: book.Compact(strings.TrimSpace(in.ISBN))}
	if utf8.RuneCountInString(out.ISBN) > 40 {
		return ISBNCheck{}, tools.Correct("isbn: must be 10 or 13 digits, for example 9780486284736")
	}
	digits, err := book.ParseISBN(in.ISBN)
	if digits != "" {
		out.ISBN = digits
	}
	if err == nil {
		out.ISBN13, err = book.To13(digits)
	}
	if err != nil {
		out.Reason = fieldReason(err)
		return out, nil
	}
	out.Valid = true
	return out, nil
}

// fieldReason returns the text of a FieldError without the name of the field.
func fieldReason(err error) string {
	if e, ok := errors.AsType[*book.FieldError](err); ok {
		return e.Reason
	}
	return "is not valid"
}
