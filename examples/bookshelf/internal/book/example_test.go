package book_test

import (
	"fmt"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
)

func ExampleDecode() {
	m, err := book.Decode([]byte(`{"title": "Emma", "published_year": 1815, "publisher": null}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", m.Canonical())

	_, err = book.Decode([]byte(`{"title": "Emma", "published_year": "soon"}`))
	fmt.Println(err)
	// Output:
	// {"published_year":1815,"title":"Emma"}
	// book: published_year must be an integer, for example 1999, or null
}

func ExampleTo13() {
	isbn, err := book.To13(book.Compact("0-13-110362-8"))
	fmt.Println(isbn, err)
	// Output: 9780131103627 <nil>
}
