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

const (
	maxQuery     = 2000    // runes of the longest accepted title, author or ISBN
	searchMemory = 1 << 20 // bytes of memory of a search in the catalogue
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
	isbn := book.Compact(strings.TrimSpace(in.ISBN))
	if utf8.RuneCountInString(isbn) > 40 {
		return ISBNCheck{}, tools.Correct("isbn: must be 10 or 13 digits, for example 9780486284736")
	}
	out := ISBNCheck{ISBN: isbn}
	thirteen, err := book.To13(isbn)
	if err != nil {
		out.Reason = fieldReason(err)
		return out, nil
	}
	out.Valid, out.ISBN13 = true, thirteen
	return out, nil
}

// Lookup is the result of look_up_book.
type Lookup struct {
	Found     bool            `json:"found"`
	MatchedBy string          `json:"matched_by,omitempty"` // "isbn" or "title"
	Score     float64         `json:"score,omitempty"`      // the quality of the match, up to 1; 1 for an ISBN
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
	ISBN   string `json:"isbn,omitempty" jsonschema:"10 or 13 digits, for example 9780486284736; with it, title and author are ignored"`
	Title  string `json:"title,omitempty" jsonschema:"the title as you read it, for example Pride and Prejudice"`
	Author string `json:"author,omitempty" jsonschema:"the author as you read it, for example Jane Austen"`
}

func (b *toolbox) lookUpBook(ctx context.Context, c *tools.Call, in lookupIn) (Lookup, error) {
	if in.ISBN == "" && strings.TrimSpace(in.Title+in.Author) == "" {
		return Lookup{}, tools.Correct("pass isbn, title or author, for example {\"isbn\": \"9780486284736\"}")
	}
	for _, s := range []string{in.ISBN, in.Title, in.Author} {
		if utf8.RuneCountInString(s) > maxQuery {
			return Lookup{}, tools.Correct(fmt.Sprintf("isbn, title and author must each have at most %d characters", maxQuery))
		}
	}
	if in.ISBN != "" {
		isbn := book.Compact(strings.TrimSpace(in.ISBN))
		if err := book.CheckISBN(isbn); err != nil {
			return Lookup{}, tools.Correct("isbn: the ISBN " + fieldReason(err))
		}
		hit, ok := b.books.ByISBN(isbn)
		if !ok {
			return Lookup{}, nil
		}
		return Lookup{Found: true, MatchedBy: "isbn", Score: 1, Book: &hit}, nil
	}
	var hits []catalogue.Match
	err := b.photos.Do(ctx, c.Scope(), searchMemory, func() error {
		hits = b.books.Search(in.Title, in.Author)
		return nil
	})
	if err != nil || len(hits) == 0 {
		return Lookup{}, err
	}
	out := Lookup{Found: true, MatchedBy: "title", Score: math.Round(100*hits[0].Score) / 100, Book: &hits[0].Book}
	for _, h := range hits[1:min(len(hits), 4)] {
		out.Others = append(out.Others, h.Book.Title)
	}
	return out, nil
}

// fieldReason returns the text of a FieldError without the name of the field.
func fieldReason(err error) string {
	if e, ok := errors.AsType[*book.FieldError](err); ok {
		return e.Reason
	}
	return "is not valid"
}
