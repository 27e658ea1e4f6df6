package draft_test

import (
	"fmt"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/draft"
)

func ExampleMerge() {
	found := draft.Findings{Updates: []draft.Update{
		{Update: book.Update{Field: book.Title, Value: []byte(`"Emma"`)}},
		{Update: book.Update{Field: book.Author, Value: []byte(`"J. Austen"`)}},
	}}
	card, _ := book.Decode([]byte(`{"title": "Emma", "author": "Jane Austen"}`)) // the person has completed the author
	edits := draft.Edits{}.Edit(found, card, nil)
	d := draft.Merge(found, edits)
	fmt.Println(string(d.Metadata.Canonical()), d.Sources[book.Title], d.Sources[book.Author])
	// Output: {"author":"Jane Austen","title":"Emma"} found typed
}
