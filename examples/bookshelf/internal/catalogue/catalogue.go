package catalogue

import (
	_ "embed" // books.json
	"fmt"
	"iter"
	"slices"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/internal/strictjson"
)

//go:embed books.json
var booksJSON []byte

// Book is one edition of a book, or a book without regard to editions if it does not have an ISBN. Other facts may be
// missing too, except for the title.
type Book struct {
	ISBN        string `json:"isbn,omitempty"` // thirteen digits
	Title       string `json:"title"`
	Author      string `json:"author,omitempty"` // several are separated by ", "
	Publisher   string `json:"publisher,omitempty"`
	Year        int    `json:"year,omitempty"` // of this edition
	Description string `json:"description,omitempty"`
}

// Catalogue is an immutable list of books. It is safe for concurrent use.
type Catalogue struct {
	books  []Book
	byISBN map[string]int
	index  []entry // for Search; index i belongs to book i
}

// New returns the example's catalogue.
func New() (*Catalogue, error) { return Parse(booksJSON) }

// Parse reads a catalogue from a JSON list of books. Every book must have a unique, valid ISBN-13, a title and an
// author. Unknown fields are rejected.
func Parse(list []byte) (*Catalogue, error) {
	c := &Catalogue{byISBN: make(map[string]int)}
	if err := strictjson.Decode(list, &c.books); err != nil {
		return nil, fmt.Errorf("catalogue: parse: the list is %w", err)
	}
	for i, b := range c.books {
		if !book.ValidISBN13(b.ISBN) {
			return nil, fmt.Errorf("catalogue: parse: book %q: invalid ISBN-13 %q", b.Title, b.ISBN)
		}
		if _, twice := c.byISBN[b.ISBN]; twice {
			return nil, fmt.Errorf("catalogue: parse: duplicate ISBN %s", b.ISBN)
		}
		if b.Title == "" || b.Author == "" {
			return nil, fmt.Errorf("catalogue: parse: book %s: title and author must not be empty", b.ISBN)
		}
		c.byISBN[b.ISBN] = i
		c.index = append(c.index, newEntry(b))
	}
	return c, nil
}

// Len returns the number of books.
func (c *Catalogue) Len() int { return len(c.books) }

// All returns an iterator over the books, in the order of the list.
func (c *Catalogue) All() iter.Seq[Book] { return slices.Values(c.books) }

// ByISBN returns the edition with this valid ISBN of ten or thirteen digits without hyphens.
func (c *Catalogue) ByISBN(isbn string) (Book, bool) {
	thirteen, err := book.To13(isbn)
	if err != nil {
		return Book{}, false
	}
	i, ok := c.byISBN[thirteen]
	if !ok {
		return Book{}, false
	}
	return c.books[i], true
}
