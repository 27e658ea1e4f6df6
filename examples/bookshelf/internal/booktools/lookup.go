package booktools

import (
	"context"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/catalogue"
	"github.com/carrel-go/carrel/tools"
)

const (
	maxQuery  = 2000 // runes of the longest accepted title, author or ISBN
	maxOthers = 3    // further titles in a result
)

// Lookup is the result of look_up_book.
type Lookup struct {
	Found     bool            `json:"found"`
	Source    string          `json:"source"`               // the name of the source
	MatchedBy string          `json:"matched_by,omitempty"` // "isbn" or "title"
	Score     float64         `json:"score,omitempty"`      // the quality of the match, up to 1; 1 for an ISBN
	Book      *catalogue.Book `json:"book,omitempty"`
	Others    []string        `json:"others,omitempty"` // titles that matched less well
	Note      string          `json:"note,omitempty"`   // for the model, if no book was found
}

// Summary implements [tools.Summarizer].
func (l Lookup) Summary() string {
	switch {
	case !l.Found:
		return "not in " + l.Source
	case l.Book.Author == "":
		return l.Book.Title
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
	find := b.findTitle
	if in.ISBN != "" {
		find = b.findISBN
	}
	out, err := find(ctx, c, in)
	if err != nil {
		return Lookup{}, err
	}
	out.Source = b.books.Name()
	if !out.Found {
		out.Note = "This book is not in " + out.Source + ". It may exist nevertheless."
		return out, nil
	}
	return out, rememberBook(c, out.Source, *out.Book)
}

// findISBN looks for the edition with an ISBN.
func (b *toolbox) findISBN(ctx context.Context, c *tools.Call, in lookupIn) (Lookup, error) {
	digits, err := book.ParseISBN(in.ISBN)
	if err != nil {
		return Lookup{}, tools.Correct("isbn: the ISBN " + fieldReason(err))
	}
	isbn, err := book.To13(digits)
	if err != nil {
		return Lookup{}, tools.Correct("isbn: the ISBN " + fieldReason(err))
	}
	hit, ok, err := b.books.ByISBN(ctx, c.Scope(), isbn)
	if err != nil || !ok {
		return Lookup{}, b.explainLookup(ctx, err)
	}
	return Lookup{Found: true, MatchedBy: "isbn", Score: 1, Book: &hit}, nil
}

// findTitle looks for a book by its title and author.
func (b *toolbox) findTitle(ctx context.Context, c *tools.Call, in lookupIn) (Lookup, error) {
	hits, err := b.books.Search(ctx, c.Scope(), in.Title, in.Author)
	if err != nil || len(hits) == 0 {
		return Lookup{}, b.explainLookup(ctx, err)
	}
	out := Lookup{Found: true, MatchedBy: "title", Score: math.Round(100*hits[0].Score) / 100, Book: &hits[0].Book}
	for _, h := range hits[1:min(len(hits), 1+maxOthers)] {
		out.Others = append(out.Others, h.Book.Title)
	}
	return out, nil
}

// explainLookup adds a message for the model to the error of a source. It returns nil if err is nil.
func (b *toolbox) explainLookup(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	const message = "%s does not answer at the moment. Continue without it."
	return fmt.Errorf("%w: %w", tools.Correct(fmt.Sprintf(message, b.books.Name())), err)
}
