package booktools

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/catalogue"
	"github.com/carrel-go/carrel/tools"
)

// maxQuery is the longest accepted title, author or ISBN in runes.
const maxQuery = 2000

// ISBNCheck is the result of check_isbn.
type ISBNCheck struct {
	ISBN   string `json:"isbn"`             // without hyphens and spaces
	Valid  bool   `json:"valid"`            //
	ISBN13 string `json:"isbn13,omitempty"` // the thirteen-digit form of a valid one
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
	ISBN string `json:"isbn" jsonschema:"10 or 13 digits, with or without hyphens; the last of ten may be X"`
}

func checkISBN(_ context.Context, _ *tools.Call, in isbnIn) (ISBNCheck, error) {
	isbn := book.Compact(strings.TrimSpace(in.ISBN))
	if utf8.RuneCountInString(isbn) > 40 {
		return ISBNCheck{}, tools.Correct("isbn: must be 10 or 13 digits, for example 9780486284736")
	}
	out := ISBNCheck{ISBN: isbn}
	thirteen, err := book.To13(isbn)
	if err != nil {
		out.Reason = reason(err)
		return out, nil
	}
	out.Valid, out.ISBN13 = true, thirteen
	return out, nil
}

// Lookup is the result of look_up_book.
type Lookup struct {
	Found     bool            `json:"found"`
	MatchedBy string          `json:"matched_by,omitempty"` // isbn, or title
	Score     float64         `json:"score,omitempty"`      // 1 for an ISBN; for a title, the quality of the match, up to 1
	Book      *catalogue.Book `json:"book,omitempty"`
	Others    []string        `json:"others,omitempty"` // titles that matched less well
}

// Summary implements [tools.Summarizer].
func (l Lookup) Summary() string {
	if !l.Found {
		return "not in the catalogue"
	}
	return l.Book.Title + " by " + l.Book.Author
}

type lookupIn struct {
	ISBN   string `json:"isbn,omitempty" jsonschema:"10 or 13 digits; if given, only it counts"`
	Title  string `json:"title,omitempty" jsonschema:"the title, as far as it could be read"`
	Author string `json:"author,omitempty" jsonschema:"the author, as far as it could be read"`
}

func (b *toolbox) lookUpBook(_ context.Context, _ *tools.Call, in lookupIn) (Lookup, error) {
	if in.ISBN == "" && strings.TrimSpace(in.Title+in.Author) == "" {
		return Lookup{}, tools.Correct("give an isbn, or a title, or an author")
	}
	for _, s := range []string{in.ISBN, in.Title, in.Author} {
		if utf8.RuneCountInString(s) > maxQuery {
			return Lookup{}, tools.Correct(fmt.Sprintf("an argument is longer than %d characters", maxQuery))
		}
	}
	if in.ISBN != "" {
		isbn := book.Compact(strings.TrimSpace(in.ISBN))
		if err := book.CheckISBN(isbn); err != nil {
			return Lookup{}, tools.Correct("isbn: it " + reason(err))
		}
		hit, ok := b.books.ByISBN(isbn)
		if !ok {
			return Lookup{}, nil
		}
		return Lookup{Found: true, MatchedBy: "isbn", Score: 1, Book: &hit}, nil
	}
	hits := b.books.Search(in.Title, in.Author)
	if len(hits) == 0 {
		return Lookup{}, nil
	}
	out := Lookup{Found: true, MatchedBy: "title", Score: math.Round(100*hits[0].Score) / 100, Book: &hits[0].Book}
	for _, h := range hits[1:min(len(hits), 4)] {
		out.Others = append(out.Others, h.Book.Title)
	}
	return out, nil
}

type fieldIn struct {
	Field string `json:"field" jsonschema:"one of: title, author, isbn, publisher, published_year, description, confidence"`
	Value string `json:"value" jsonschema:"the value as text: digits for isbn (no hyphens) and published_year, a number from 0 to 1 for confidence"`
}

func setField(_ context.Context, _ *tools.Call, in fieldIn) (update, error) {
	f := book.Field(in.Field)
	if !f.Valid() {
		return update{}, tools.Correct("field: must be one of " + strings.Join(fieldNames(), ", "))
	}
	u, err := f.Parse(in.Value)
	if err != nil {
		return update{}, tools.Correct("value: " + in.Field + " " + reason(err))
	}
	return update{u}, nil
}

// update is a [book.Update] with a summary.
type update struct{ book.Update }

// Summary implements [tools.Summarizer].
func (u update) Summary() string {
	text := u.Text()
	if r := []rune(text); len(r) > 80 {
		text = string(r[:79]) + "…"
	}
	return string(u.Field) + ": " + strings.ReplaceAll(text, "\n", " ")
}

func fieldNames() []string {
	var out []string
	for _, f := range book.Fields() {
		out = append(out, string(f))
	}
	return out
}

// reason returns the text of a FieldError without the name of the field.
func reason(err error) string {
	if e, ok := errors.AsType[*book.FieldError](err); ok {
		return e.Reason
	}
	return "is not valid"
}
