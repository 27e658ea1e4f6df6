package booktools

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/catalogue"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo"
	"github.com/carrel-go/carrel/scope"
)

// Source finds books for look_up_book. It must be safe for concurrent use. The scope is that of the call: a source may
// use it to share its capacity among tenants, or to cache answers.
//
// An error means that the source does not answer. The model reads that and continues without it; the error is logged.
type Source interface {
	// Name returns the name of the source within a sentence, for example "Open Library".
	Name() string
	// ByISBN returns the edition with this valid ISBN-13. It returns false if the source does not have it.
	ByISBN(ctx context.Context, s scope.Scope, isbn string) (catalogue.Book, bool, error)
	// Search returns the books that match a title and an author, best first. One of them may be empty.
	Search(ctx context.Context, s scope.Scope, title, author string) ([]catalogue.Match, error)
}

// builtin is the example's catalogue as a Source.
type builtin struct {
	books  *catalogue.Catalogue
	photos *photo.Decoder // shares the processors among tenants
}

func newBuiltin(photos *photo.Decoder) (*builtin, error) {
	books, err := catalogue.New()
	return &builtin{books, photos}, err
}

func (b *builtin) Name() string {
	return fmt.Sprintf("the built-in catalogue of %d books", b.books.Len())
}

func (b *builtin) ByISBN(_ context.Context, _ scope.Scope, isbn string) (catalogue.Book, bool, error) {
	hit, ok := b.books.ByISBN(isbn)
	return hit, ok, nil
}

// searchMemory is the memory of a search in bytes.
const searchMemory = 1 << 20

func (b *builtin) Search(ctx context.Context, s scope.Scope, title, author string) ([]catalogue.Match, error) {
	var hits []catalogue.Match
	err := b.photos.Do(ctx, s, searchMemory, func() error {
		hits = b.books.Search(title, author)
		return nil
	})
	return hits, err
}
