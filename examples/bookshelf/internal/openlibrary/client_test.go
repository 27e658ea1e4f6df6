package openlibrary_test

import (
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/catalogue"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/openlibrary"
	"github.com/carrel-go/carrel/scope"
)

var _ booktools.Source = (*openlibrary.Client)(nil)

var pride = catalogue.Book{
	ISBN: "9780486284736", Title: "Pride and prejudice", Author: "Jane Austen", Publisher: "Dover Publications",
	Year: 1995, Description: "Elizabeth Bennet meets Mr. Darcy.\n\nThey marry.",
}

func TestByISBNReadsTheEditionItsWorkAndItsAuthors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newStub(t)
		got, ok, err := b.client.ByISBN(t.Context(), b.tenant, "9780486284736")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, pride, got)
		for _, r := range b.requests {
			require.Equal(t, "carrel-bookshelf (librarian@example.com)", r.UserAgent())
			require.Equal(t, http.MethodGet, r.Method)
			require.Empty(t, r.URL.RawQuery)
			require.Empty(t, r.Header.Get("Cookie"))
		}
		require.Equal(t, []string{
			"/isbn/9780486284736.json", "/books/OL1097634M.json", "/works/OL66554W.json", "/authors/OL21594A.json",
		}, b.paths())
	})
}

func TestByISBNTakesAuthorsFromTheWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newStub(t)
		got, ok, err := b.client.ByISBN(t.Context(), b.tenant, "9780201633610")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, catalogue.Book{
			ISBN: "9780201633610", Title: "Design Patterns: Elements of Reusable Object-Oriented Software",
			Author:    "Erich Gamma, Richard Helm, Ralph Johnson, John Vlissides",
			Publisher: "Addison-Wesley", Year: 1994, Description: "Twenty-three patterns.",
		}, got)
	})
}

// Deleted and missing records are facts that are missing. Only a missing edition means that the book is not there.
func TestMissingRecords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newStub(t)
		_, ok, err := b.client.ByISBN(t.Context(), b.tenant, "9781234567897")
		require.NoError(t, err)
		require.False(t, ok)

		b.json("/authors/OL21594A.json", `{"key": "/authors/OL21594A", "type": {"key": "/type/delete"}}`)
		b.handle("/works/OL66554W.json", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
		got, ok, err := b.client.ByISBN(t.Context(), b.tenant, "9780486284736")
		require.NoError(t, err)
		require.True(t, ok)
		want := pride
		want.Author, want.Description = "", ""
		require.Equal(t, want, got)
	})
}

func TestByISBNNeverAsksForAnInvalidISBN(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newStub(t)
		for _, isbn := range []string{"", "0486284735", "978-0486284736", "9780486284737", "../../account", "9780486284736?x"} {
			_, _, err := b.client.ByISBN(t.Context(), b.tenant, isbn)
			require.ErrorContains(t, err, "invalid ISBN-13", isbn)
		}
		require.Empty(t, b.paths())
		_, _, err := b.client.ByISBN(t.Context(), scope.Scope{}, "9780486284736")
		require.ErrorIs(t, err, scope.ErrDenied)
	})
}

func TestSearchRanksWorksAndDescribesTheBest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newStub(t)
		hits, err := b.client.Search(t.Context(), b.tenant, "PRIDE &\nPREJUDICE? (*) OR", "Jane; AUSTEN")
		require.NoError(t, err)
		require.Len(t, hits, 2, "the same title and author are one hit")
		require.Equal(t, "Pride and Prejudice", hits[0].Book.Title)
		require.Equal(t, pride.Description, hits[0].Book.Description)
		require.Equal(t, "Jane Austen, Patricia Meyer Spacks", hits[1].Book.Author)
		require.Equal(t, map[string][]string{
			"title": {"pride prejudice or"}, "author": {"jane austen"}, "limit": {"5"}, "fields": {"key,title,subtitle,author_name"},
		}, map[string][]string(b.requests[0].URL.Query()))
		require.Equal(t, []string{"/search.json", "/works/OL66554W.json"}, b.paths())

		hits, err = b.client.Search(t.Context(), b.tenant, "A History of Time Zones", "")
		require.NoError(t, err)
		require.Empty(t, hits, "what the service finds must match")
		require.Equal(t, []string{"/search.json"}, b.paths())

		hits, err = b.client.Search(t.Context(), b.tenant, "", "Pride and Prejudice, Jane Austen")
		require.NoError(t, err)
		require.NotEmpty(t, hits)
		require.Equal(t, "pride and prejudice jane austen", b.requests[0].URL.Query().Get("q"))

		b.paths()
		hits, err = b.client.Search(t.Context(), b.tenant, " — ", "***")
		require.NoError(t, err)
		require.Empty(t, hits)
		require.Empty(t, b.paths(), "there is nothing to ask for")
	})
}

// The service answers 200 without a number if its index has failed.
func TestAFailedSearchIsNotAnEmptyOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newStub(t)
		b.json("/search.json", `{"numFound": null, "start": 0, "docs": []}`)
		_, err := b.client.Search(t.Context(), b.tenant, "Emma", "")
		require.ErrorContains(t, err, "has failed within the service")
		b.json("/search.json", `{"numFound": 0, "start": 0, "docs": []}`)
		hits, err := b.client.Search(t.Context(), b.tenant, "Emma", "")
		require.NoError(t, err)
		require.Empty(t, hits)
	})
}

// Each answer is an error, and not a book or the absence of one.
func TestUnusableAnswersAreErrors(t *testing.T) {
	t.Parallel()
	edition := func(members string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"type": {"key": "/type/edition"}, "isbn_10": ["0486284735"], `+members+`}`)
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	moved := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		}
	}
	document := func(kind, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			fmt.Fprint(w, text)
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"403":                     {status(403), "status 403"},
		"429":                     {status(429), "status 429"},
		"500":                     {status(500), "status 500"},
		"503":                     {status(503), "status 503"},
		"400":                     {status(400), "status 400"},
		"204":                     {status(204), "status 204"},
		"a page":                  {document("text/html; charset=utf-8", "<!doctype html><title>Be right back</title>"), "is not JSON"},
		"a page called JSON":      {document("application/json", "<!doctype html>"), "is not JSON"},
		"no type":                 {document("", `{"title": "x"}`), "is not JSON"},
		"a list":                  {document("application/json", `[1]`), "is not JSON"},
		"half a document":         {document("application/json", `{"title": "Pride and pre`), "is not JSON"},
		"null":                    {document("application/json", `null`), "does not have that ISBN and a title"},
		"no title":                {edition(`"publishers": ["Dover"]`), "does not have that ISBN and a title"},
		"a number as title":       {edition(`"title": 7`), "does not have that ISBN and a title"},
		"a title of controls":     {edition(`"title": "a\u0000b"`), "does not have that ISBN and a title"},
		"a title that turns text": {edition(`"title": "a\u202eb"`), "does not have that ISBN and a title"},
		"another ISBN":            {document("application/json", `{"title": "Emma", "isbn_13": ["9780141439587"]}`), "does not have that ISBN"},
		"too long":                {document("application/json", `{"title": "`+strings.Repeat("x", 3<<20)+`"}`), "more than 2097152 bytes"},
		"a bomb": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range 64 {
				_, _ = z.Write(make([]byte, 1<<20))
			}
			_ = z.Close()
		}, "more than 2097152 bytes"},
		"truncated": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"title": "Pride and prejudice", "isbn_10": ["0486284735"]}`)
		}, "EOF"},
		"a broken connection": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"another host":        {moved("https://example.com/books/OL1M.json"), "unexpected place"},
		"plain http":          {moved("http://openlibrary.org/books/OL1M.json"), "unexpected place"},
		"another port":        {moved("https://openlibrary.org:8443/books/OL1M.json"), "unexpected place"},
		"with credentials":    {moved("https://a:b@openlibrary.org/books/OL1M.json"), "unexpected place"},
		"another path":        {moved("/account/login?redirect=/isbn"), "unexpected place"},
		"a path that climbs":  {moved("/books/../account/OL1M.json"), "unexpected place"},
		"an escaped path":     {moved("/books%2FOL1M.json"), "unexpected place"},
		"nowhere":             {moved(""), "without a location"},
		"not a URL":           {moved("https://%zz"), "invalid URL escape"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newStub(t)
				b.handle("/isbn/9780486284736.json", c.answer)
				got, ok, err := b.client.ByISBN(t.Context(), b.tenant, "9780486284736")
				require.ErrorContains(t, err, c.says)
				require.False(t, ok)
				require.Zero(t, got)
			})
		})
	}
}

func TestRedirectsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newStub(t)
		b.redirect("/isbn/9780486284736.json", "https://openlibrary.org/books/OL1M.json")
		b.redirect("/books/OL1M.json", "/books/OL1M.json")
		_, _, err := b.client.ByISBN(t.Context(), b.tenant, "9780486284736")
		require.ErrorContains(t, err, "too many redirects")
		require.Len(t, b.paths(), 4)

		b.redirect("/isbn/9780486284736.json", "/books/OL2M.json")
		b.json("/books/OL2M.json", `{"type": {"key": "/type/redirect"}, "location": "/books/OL2M"}`)
		_, _, err = b.client.ByISBN(t.Context(), b.tenant, "9780486284736")
		require.ErrorContains(t, err, "too many redirects")
		require.Len(t, b.paths(), 4)
		b.json("/books/OL2M.json", `{"type": "/type/redirect", "location": "//example.com/books/OL2M"}`)
		_, _, err = b.client.ByISBN(t.Context(), b.tenant, "9780486284736")
		require.ErrorContains(t, err, "invalid key")
	})
}

func TestNewRequiresAContact(t *testing.T) {
	t.Parallel()
	for _, contact := range []string{
		"", "me", "a b@example.com", "Ann <ann@example.com>", "ann@example.com)\r\nX: y", "ftp://example.com", "https://",
		"https://example.com/ü", strings.Repeat("a", 200) + "@example.com",
	} {
		_, err := openlibrary.New(contact, nil)
		require.ErrorContains(t, err, "openlibrary: invalid contact", contact)
	}
	for _, contact := range []string{"ann@example.com", "https://example.com/bookshelf"} {
		_, err := openlibrary.New(contact, nil)
		require.NoError(t, err)
	}
}

func ExampleNew() {
	books, err := openlibrary.New("librarian@example.com", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(books.Name())
	// Output: Open Library
}
