package catalogue_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/catalogue"
)

func openCatalogue(t *testing.T) *catalogue.Catalogue {
	t.Helper()
	c, err := catalogue.New()
	require.NoError(t, err)
	return c
}

// set_field accepts each fact, each ISBN has its check digit, and each book is found by its own title and author.
func TestEveryBookIsValidAndFound(t *testing.T) {
	t.Parallel()
	c := openCatalogue(t)
	n := 0
	for b := range c.All() {
		n++
		require.True(t, book.ValidISBN13(b.ISBN), b.Title)
		for f, v := range map[book.Field]string{
			book.Title: b.Title, book.Author: b.Author, book.ISBN: b.ISBN, book.Publisher: b.Publisher,
			book.PublishedYear: fmt.Sprint(b.Year), book.Description: b.Description,
		} {
			_, err := f.Parse(v)
			require.NoError(t, err, b.Title)
		}
		got, ok := c.ByISBN(b.ISBN)
		require.True(t, ok)
		require.Equal(t, b, got)
		ten := b.ISBN[3:12] + string(book.Check10(b.ISBN[3:12]))
		got, ok = c.ByISBN(ten)
		require.True(t, ok, ten)
		require.Equal(t, b, got)

		for _, q := range [][2]string{{b.Title, b.Author}, {b.Title, ""}, {b.Author, b.Title}, {b.Title + "\n" + b.Author, ""}} {
			hits := c.Search(q[0], q[1])
			require.NotEmpty(t, hits, q)
			require.Equal(t, b.ISBN, hits[0].Book.ISBN, q)
			require.InDelta(t, 1, hits[0].Score, 0.2, q)
		}
	}
	require.GreaterOrEqual(t, n, 25)
}

func TestSearchToleratesMisreadText(t *testing.T) {
	t.Parallel()
	c := openCatalogue(t)
	for _, q := range []struct{ title, author, want string }{
		{"PRIDE\nAND\nPREJUDICE", "JANE AUSTEN", "Pride and Prejudice"},
		{"PR1DE AND PREJUDlCE", "Jane Austem", "Pride and Prejudice"},
		{"Pride and Preju-\ndice", "", "Pride and Prejudice"},
		{"M0BY DICK", "melville", "Moby-Dick"},
		{"MOBY-DICK;\nor, The Whale", "Herman Melville", "Moby-Dick"},
		{"Godel Escher Bach", "Hofstadter", "Gödel, Escher, Bach: An Eternal Golden Braid"},
		{"hitchhikers guide to the galaxy", "", "The Hitchhiker's Guide to the Galaxy"},
		{"The C programming language", "Kernighan", "The C Programming Language"},
		{"The Go programming language", "Kernighan", "The Go Programming Language"},
		{"Design Patterns", "Gamma et al.", "Design Patterns: Elements of Reusable Object-Oriented Software"},
		{"Dover Thrift Editions Frankenstein Mary Shelley unabridged", "", "Frankenstein"},
		{"Fahrenheit 451", "", "Fahrenheit 451"},
	} {
		hits := c.Search(q.title, q.author)
		require.NotEmpty(t, hits, "%+v", q)
		require.Equal(t, q.want, hits[0].Book.Title, "%+v", q)
		require.True(t, slices.IsSortedFunc(hits, func(a, b catalogue.Match) int { return int(1000 * (b.Score - a.Score)) }))
	}
}

func TestSearchReturnsNothingForUnknownBooks(t *testing.T) {
	t.Parallel()
	c := openCatalogue(t)
	for _, q := range [][2]string{
		{"", ""}, {"the", "of"}, {"The", ""}, {"!!", "??"},
		{"The Lamplighter's Almanac", "Orla Vane"},
		{"Refactoring Databases", "Someone Else"},
		{"Pride", ""}, {"", "Jane Austen"}, {"Programming", ""},
		{"Sense and Sensibility", "Jane Austen"},
		{"A History of Time Zones", "A. Clockmaker"},
	} {
		require.Empty(t, c.Search(q[0], q[1]), "%q", q)
	}
	for _, isbn := range []string{"", "9781234567897", "9780486284737", "978-0486284736", "x"} {
		_, ok := c.ByISBN(isbn)
		require.False(t, ok, isbn)
	}
}

func TestParseRejectsInvalidLists(t *testing.T) {
	t.Parallel()
	for _, list := range []string{
		`{}`, `[{"isbn":"9780486284737","title":"T","author":"A"}]`, `[{"isbn":"9780486284736","title":"","author":"A"}]`,
		`[{"isbn":"9780486284736","title":"T","author":"A","pages":1}]`,
		`[{"isbn":"9780486284736","title":"T","author":"A"},{"isbn":"9780486284736","title":"T","author":"A"}]`,
	} {
		_, err := catalogue.Parse([]byte(list))
		require.ErrorContains(t, err, "catalogue: ", list)
	}
}

func ExampleCatalogue_Search() {
	c, err := catalogue.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range c.Search("M0BY\nDICK", "H. Melville") {
		fmt.Println(m.Book.Title, m.Book.ISBN)
	}
	// Output: Moby-Dick 9780486432151
}

func ExampleNew() {
	c, err := catalogue.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	b, ok := c.ByISBN("0486284735")
	fmt.Println(b.Title, b.Year, ok)
	// Output: Pride and Prejudice 1995 true
}

func BenchmarkSearch(b *testing.B) {
	c, err := catalogue.New()
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		c.Search("PRIDE\nAND\nPREJUDICE", "JANE AUSTEN")
	}
}
