package booktools_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/catalogue"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/draft"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// stubSource answers with one book or an error, and records what it was asked.
type stubSource struct {
	book  catalogue.Book
	err   error
	asked []string
}

func (*stubSource) Name() string { return "the parish register" }

func (s *stubSource) ByISBN(_ context.Context, sc scope.Scope, isbn string) (catalogue.Book, bool, error) {
	s.asked = append(s.asked, sc.TenantID()+" "+isbn)
	return s.book, s.book.ISBN == isbn, s.err
}

func (s *stubSource) Search(_ context.Context, sc scope.Scope, title, author string) ([]catalogue.Match, error) {
	s.asked = append(s.asked, fmt.Sprintf("%s %q %q", sc.TenantID(), title, author))
	return catalogue.Rank([]catalogue.Book{s.book}, title, author), s.err
}

func TestLookUpBookAsksTheSource(t *testing.T) {
	t.Parallel()
	src := &stubSource{book: catalogue.Book{ISBN: "9780486284736", Title: "Pride & <b>Prejudice</b>"}}
	b := newToolBench(t, &booktools.Options{Books: src})
	r, err := b.callTool("look_up_book", `{"isbn":"0-486-28473-5"}`)
	require.NoError(t, err)
	require.Equal(t, src.book.Title, r.Summary, "text is not interpreted")
	require.JSONEq(t, `{"found":true,"source":"the parish register","matched_by":"isbn","score":1,
		"book":{"isbn":"9780486284736","title":"Pride & <b>Prejudice</b>"}}`, string(r.Blocks[0].JSON))
	miss := mustCall[booktools.Lookup](b, "look_up_book", `{"title":"A History of Time Zones","author":"X"}`)
	require.False(t, miss.Found)
	require.Equal(t, "not in the parish register", miss.Summary())
	require.Equal(t, []string{"acme 9780486284736", `acme "A History of Time Zones" "X"`}, src.asked)
}

func TestASourceThatFailsIsAFailureOfTheCall(t *testing.T) {
	t.Parallel()
	cause := errors.New("dial tcp 192.0.2.1: connection refused")
	b := newToolBench(t, &booktools.Options{Books: &stubSource{err: cause}})
	for _, args := range []string{`{"isbn":"9780486284736"}`, `{"title":"Emma"}`} {
		_, err := b.callTool("look_up_book", args)
		require.ErrorIs(t, err, cause, "for the log")
		correction := new(tools.CorrectionError)
		require.ErrorAs(t, err, &correction)
		require.Contains(t, correction.Message, "the parish register does not answer at the moment. Continue without it")
		require.NotContains(t, correction.Message, "192.0.2.1")
	}
}

func TestACallThatEndsIsNotBlamedOnTheSource(t *testing.T) {
	t.Parallel()
	b := newToolBench(t, &booktools.Options{Books: &stubSource{err: context.Canceled}})
	tool, _ := b.set.Lookup(booktools.LookUpBook)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := tool.Call(ctx, tools.NewCall(tools.CallOptions{Scope: b.session, ID: "c", Name: "look_up_book", Args: []byte(`{"title":"Emma"}`)}))
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorAs(t, err, new(*tools.CorrectionError))
}

// A value is attributed to a source only if a look-up of this conversation has returned it.
func TestSetFieldNamesTheOriginOfAValue(t *testing.T) {
	t.Parallel()
	y := newTyping(t)
	src := &stubSource{book: catalogue.Book{
		ISBN: "9780486284736", Title: "Emma", Author: "Jane Austen", Publisher: "Dover", Year: 1999, Description: "A\nnovel.",
	}}
	y.toolBench = newToolBench(t, &booktools.Options{Books: src, Edits: y.edits})
	lookUp := func(args string) {
		tool, _ := y.toolBench.set.Lookup(booktools.LookUpBook)
		_, err := tool.Call(t.Context(), tools.NewCall(tools.CallOptions{
			Scope: y.session, ID: "c", Name: "look_up_book", Args: json.RawMessage(args), State: y.state,
		}))
		require.NoError(t, err)
	}
	origin := func(message, field, value string) string {
		u, err := y.set(message, field, value)
		require.NoError(t, err)
		require.True(t, u.Origin == "" || u.Source == "", "only what was found has an origin")
		return u.Origin
	}
	require.Empty(t, origin("", "publisher", "Dover"), "nothing was looked up")
	lookUp(`{"isbn":"9781234567897"}`)
	require.Empty(t, origin("", "publisher", "Dover"), "nothing was found")
	lookUp(`{"isbn":"9780486284736"}`)
	for field, value := range map[string]string{
		"title": "Emma", "author": "Jane Austen", "isbn": "0486284735", "publisher": "Dover", "published_year": "1999",
		"description": "A\nnovel.",
	} {
		require.Equal(t, "the parish register", origin("", field, value), field)
	}
	require.Empty(t, origin("", "title", "Emma."))
	require.Empty(t, origin("", "confidence", "0.9"))
	require.Empty(t, origin("The publisher is Dover", "publisher", "Dover"), "the person has said it")

	y.save(`{"publisher":"Dover"}`, draft.Findings{})
	require.Empty(t, origin("", "publisher", "Dover"), "the person has typed it")
	for i := range 3 { // the newest three books are remembered
		src.book.Title = strings.Repeat("Emma ", 2+i)
		lookUp(`{"isbn":"9780486284736"}`)
	}
	require.Empty(t, origin("", "title", "Emma"))
}

// A source of one's own is a type with three methods.
type register map[string]catalogue.Book // by ISBN-13

func (register) Name() string { return "our register" }

func (r register) ByISBN(_ context.Context, _ scope.Scope, isbn string) (catalogue.Book, bool, error) {
	b, ok := r[isbn]
	return b, ok, nil
}

func (r register) Search(_ context.Context, _ scope.Scope, title, author string) ([]catalogue.Match, error) {
	var books []catalogue.Book
	for _, b := range r {
		books = append(books, b)
	}
	return catalogue.Rank(books, title, author), nil
}

func ExampleSource() {
	books := register{"9780141439587": {ISBN: "9780141439587", Title: "Emma", Author: "Jane Austen", Publisher: "Penguin", Year: 2003}}
	var src booktools.Source = books // for Options.Books
	user, err := must.Get(scope.Tenant("acme")).User("ann")
	if err != nil {
		fmt.Println(err)
		return
	}
	hits, err := src.Search(context.Background(), user, "EMMA", "Austen")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(hits[0].Book.Title, "by", hits[0].Book.Author, "in", src.Name())
	// Output: Emma by Jane Austen in our register
}
