package openlibrary

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/catalogue"
	"github.com/carrel-go/carrel/scope"
)

// maxAuthors is the largest number of authors whose names are asked for.
const maxAuthors = 4

// ByISBN returns the edition with this valid ISBN-13, or false if Open Library does not have it. The scope says whose
// turn it is.
func (c *Client) ByISBN(ctx context.Context, s scope.Scope, isbn string) (catalogue.Book, bool, error) {
	if !book.ValidISBN13(isbn) {
		return catalogue.Book{}, false, fmt.Errorf("openlibrary: invalid ISBN-13 %q", isbn)
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	edition, err := c.getRecord(ctx, s, "/isbn/"+isbn+".json")
	if errors.Is(err, errNotFound) {
		return catalogue.Book{}, false, nil
	}
	if err != nil {
		return catalogue.Book{}, false, err
	}
	title := joinTitle(readText(edition.Title), readText(edition.Subtitle))
	if title == "" || !edition.hasISBN(isbn) {
		return catalogue.Book{}, false, fmt.Errorf("openlibrary: the record for %s does not have that ISBN and a title", isbn)
	}
	b := catalogue.Book{
		ISBN: isbn, Title: title,
		Year:        parseYear(readText(edition.PublishDate)),
		Description: cleanDescription(readText(edition.Description)),
	}
	if publishers := readTexts(edition.Publishers); len(publishers) > 0 {
		b.Publisher = cleanText(book.Publisher, publishers[0])
	}
	authors := readKeys(edition.Authors, "/authors/")
	if works := readKeys(edition.Works, "/works/"); len(works) > 0 && (len(authors) == 0 || b.Description == "") {
		work, err := c.getOptional(ctx, s, works[0])
		if err != nil {
			return catalogue.Book{}, false, err
		}
		if len(authors) == 0 {
			authors = readKeys(work.Authors, "/authors/")
		}
		if b.Description == "" {
			b.Description = cleanDescription(readText(work.Description))
		}
	}
	b.Author, err = c.nameAuthors(ctx, s, authors)
	return b, err == nil, err
}

// hasISBN reports whether an edition has the ISBN, in either form.
func (r record) hasISBN(isbn string) bool {
	return slices.ContainsFunc(slices.Concat(readTexts(r.ISBN13), readTexts(r.ISBN10)), func(s string) bool {
		thirteen, err := book.To13(book.Compact(strings.TrimSpace(s)))
		return err == nil && thirteen == isbn
	})
}

// getOptional returns the record with this key, or an empty one if it does not exist.
func (c *Client) getOptional(ctx context.Context, s scope.Scope, key string) (record, error) {
	r, err := c.getRecord(ctx, s, key+".json")
	if errors.Is(err, errNotFound) {
		return record{}, nil
	}
	return r, err
}

// nameAuthors returns the names of authors, separated by commas.
func (c *Client) nameAuthors(ctx context.Context, s scope.Scope, keys []string) (string, error) {
	var names []string
	for _, key := range keys[:min(len(keys), maxAuthors)] {
		author, err := c.getOptional(ctx, s, key)
		if err != nil {
			return "", err
		}
		names = append(names, readText(author.Name))
	}
	return joinAuthors(names, len(keys) > maxAuthors), nil
}
