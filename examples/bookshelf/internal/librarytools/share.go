package librarytools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

type shareIn struct {
	ID      string `json:"book_id" jsonschema:"a book_id from list_books or search_books" maxlen:"64"`
	Version int    `json:"version" jsonschema:"the version to share, for example 1" min:"1" max:"100"`
}

// Shared is the result of share_book.
type Shared struct {
	ID      string `json:"book_id"`
	Title   string `json:"title,omitempty"`
	Version int    `json:"shared_version"`
}

// Summary implements [tools.Summarizer].
func (s Shared) Summary() string {
	return fmt.Sprintf("%s is shared (version %d)", describe(s.Title, ""), s.Version)
}

// NotLibrarian is the correction of a call of share_book whose user may not share.
const NotLibrarian = "The user is not a librarian, so the book cannot be shared. Tell them to ask a librarian."

// askToShare rejects calls that are impossible, and asks a person about the others.
func (b *toolbox) askToShare(ctx context.Context, c *tools.Call) (reason string, needed bool, err error) {
	var in shareIn
	if err := json.Unmarshal(c.Args(), &in); err != nil {
		return "", false, err
	}
	found, err := b.findOwn(ctx, c, in)
	if err != nil {
		return "", false, err
	}
	if found.SharedVersion >= in.Version { // it has been shared, perhaps by an earlier try of this call
		return "", false, nil
	}
	return fmt.Sprintf("Share version %d of %s with all colleagues.", in.Version, title(found.Metadata)), true, nil
}

// findOwn returns the user's own book of a call that may be made.
func (b *toolbox) findOwn(ctx context.Context, c *tools.Call, in shareIn) (library.Book, error) {
	shared := sharing(ctx)
	if shared.RequireWrite() != nil || shared.TenantID() != c.Scope().TenantID() {
		return library.Book{}, tools.Correct(NotLibrarian)
	}
	v, err := b.library.Open(c.Scope(), shared)
	if err != nil {
		return library.Book{}, err
	}
	found, err := v.Get(ctx, in.ID)
	switch {
	case err != nil:
		return library.Book{}, correctNotFound(err, in.ID)
	case found.Shared:
		return library.Book{}, tools.Correct("book_id: the book belongs to a colleague and is shared already")
	case in.Version > found.Version:
		return library.Book{}, tools.Correct(fmt.Sprintf("version: must be at most %d, the current version", found.Version))
	}
	return found, nil
}

func (b *toolbox) shareBook(ctx context.Context, c *tools.Call, in shareIn) (Shared, error) {
	if _, err := b.findOwn(ctx, c, in); err != nil {
		return Shared{}, err
	}
	v, err := b.library.Open(c.Scope(), sharing(ctx))
	if err != nil {
		return Shared{}, err
	}
	shared, err := v.Share(ctx, in.ID, in.Version)
	if errors.Is(err, scope.ErrDenied) {
		return Shared{}, tools.Correct(NotLibrarian)
	}
	return Shared{in.ID, value(shared.Metadata.Title), shared.Version}, err
}
