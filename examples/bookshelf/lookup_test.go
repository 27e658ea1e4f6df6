package main

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
)

// openLibrary answers as Open Library does for one book, until it is down.
type openLibrary struct {
	isDown   atomic.Bool
	requests atomic.Int64
}

func (o *openLibrary) RoundTrip(r *http.Request) (*http.Response, error) {
	o.requests.Add(1)
	res := &http.Response{
		StatusCode: http.StatusNotFound, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
	}
	document := map[string]string{
		"/isbn/9780141439587.json": `{"type": {"key": "/type/edition"}, "title": "Emma <b>", "isbn_13": ["9780141439587"],
			"publishers": ["Penguin"], "publish_date": "May 2003", "authors": [{"key": "/authors/OL21594A"}],
			"description": {"type": "/type/text", "value": "Emma arranges marriages."}}`,
		"/authors/OL21594A.json": `{"type": {"key": "/type/author"}, "name": "Jane Austen"}`,
	}[r.URL.Path]
	switch {
	case r.URL.Host != "openlibrary.org" || r.URL.Scheme != "https":
		res.StatusCode = http.StatusMisdirectedRequest
	case o.isDown.Load():
		res.StatusCode = http.StatusServiceUnavailable
	case document != "":
		res.StatusCode = http.StatusOK
	}
	res.Body = io.NopCloser(strings.NewReader(document))
	return res, nil
}

func TestABookIsLookedUpInOpenLibrary(t *testing.T) {
	t.Parallel()
	library := &openLibrary{}
	s := &shelf{t: t, change: func(c *config) {
		c.lookup, c.lookupContact, c.lookupTransport = "openlibrary", "librarian@example.com", library
	}}
	s.start()
	t.Cleanup(s.stop)
	sample := cover.Samples()[2]
	sample.ISBN = "9780141439587"
	photo := drawn(t, sample, nil)
	read := func() (string, map[string]any, map[string]any) {
		session := s.upload("cover.png", "image/png", photo)
		events, text := s.extract(session, "")
		require.Equal(t, "complete", last(events)["type"])
		return text, last(events)["metadata"].(map[string]any), s.draft(session)
	}
	_, card, d := read()
	require.Equal(t, "Emma <b>", card["title"], "text is not interpreted")
	require.Equal(t, []any{"Jane Austen", "Penguin", 2003.0, "Emma arranges marriages."},
		[]any{card["author"], card["publisher"], card["published_year"], card["description"]})
	origins, _ := d["origins"].(map[string]any)
	for _, field := range []string{"title", "author", "isbn", "publisher", "published_year", "description"} {
		require.Equal(t, "Open Library", origins[field], field)
		require.Equal(t, "found", d["sources"].(map[string]any)[field])
	}
	require.NotContains(t, origins, "confidence")

	asked := library.requests.Load()
	library.isDown.Store(true)
	_, card, _ = read()
	require.Equal(t, "Emma <b>", card["title"], "the answer is kept")
	require.Equal(t, asked, library.requests.Load())

	photo = drawn(t, cover.Samples()[0], nil)
	text, card, d := read()
	require.Contains(t, text, "I could not look the book up (Open Library does not answer at the moment). I fill in")
	require.Equal(t, "9780486284736", card["isbn"], "the rest is done")
	require.NotContains(t, d, "origins")
}
