package openlibrary_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/openlibrary"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
)

// stub is a server that answers as Open Library does, under its host name. Its documents have the form that the real
// ones have; the facts in them are those of published books.
type stub struct {
	client *openlibrary.Client
	tenant scope.Scope

	mu       sync.Mutex
	answers  map[string]http.HandlerFunc // by path
	requests []*http.Request
}

// pipes is a listener in memory, so that the stub works in a test of time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newPipes() *pipes {
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.closed) })
	return p
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.close(); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// newStub returns a stub. It must be called within synctest.Test, since a client takes its time.
func newStub(t *testing.T) *stub {
	t.Helper()
	b := &stub{answers: make(map[string]http.HandlerFunc), tenant: must.Get(scope.Tenant("acme"))}
	srv, listener := httptest.NewUnstartedServer(b), newPipes()
	must.Get(0, srv.Listener.Close())
	srv.Listener = listener
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	transport := &http.Transport{
		// The certificate is for example.com; every host is the stub, so a request elsewhere would arrive.
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"},
		DialContext:     listener.dial,
	}
	t.Cleanup(transport.CloseIdleConnections)
	var err error
	b.client, err = openlibrary.New("librarian@example.com", &openlibrary.Options{Transport: transport})
	require.NoError(t, err)
	for path, document := range documents {
		b.json(path, document)
	}
	b.redirect("/isbn/9780486284736.json", "/books/OL1097634M.json")
	return b
}

func (b *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.requests = append(b.requests, r)
	answer := b.answers[r.URL.Path]
	b.mu.Unlock()
	if r.Host != "openlibrary.org" {
		w.WriteHeader(http.StatusMisdirectedRequest)
		return
	}
	if answer == nil { // as the service answers for /isbn/….json
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error": "notfound", "key": "`+strings.TrimSuffix(r.URL.Path, ".json")+`"}`)
		return
	}
	answer(w, r)
}

func (b *stub) handle(path string, h http.HandlerFunc) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers[path] = h
}

func (b *stub) json(path, document string) {
	b.handle(path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		fmt.Fprint(w, document)
	})
}

func (b *stub) redirect(path, location string) {
	b.handle(path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusFound)
	})
}

// paths returns the paths of the requests so far, and forgets them.
func (b *stub) paths() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, r := range b.requests {
		out = append(out, r.URL.Path)
	}
	b.requests = nil
	return out
}

// documents are the records of two books, and the answers of the search for one of them.
var documents = map[string]string{
	"/books/OL1097634M.json": `{
		"key": "/books/OL1097634M", "type": {"key": "/type/edition"}, "title": "Pride and prejudice",
		"authors": [{"key": "/authors/OL21594A"}], "publishers": ["Dover Publications"], "publish_date": "1995",
		"publish_places": ["New York"], "isbn_10": ["0486284735"], "languages": [{"key": "/languages/eng"}],
		"works": [{"key": "/works/OL66554W"}], "covers": [8311280, -1], "number_of_pages": 261, "latest_revision": 14,
		"created": {"type": "/type/datetime", "value": "2008-04-01T03:28:50.625462"}}`,
	"/works/OL66554W.json": `{
		"key": "/works/OL66554W", "type": {"key": "/type/work"}, "title": "Pride and Prejudice",
		"authors": [{"type": {"key": "/type/author_role"}, "author": {"key": "/authors/OL21594A"}}],
		"description": {"type": "/type/text", "value": "Elizabeth Bennet meets Mr. Darcy.\r\n\r\nThey marry."}}`,
	"/authors/OL21594A.json": `{"key": "/authors/OL21594A", "type": {"key": "/type/author"}, "name": "Jane Austen",
		"bio": {"type": "/type/text", "value": "An English novelist."}, "birth_date": "16 December 1775"}`,

	// A recent edition: it does not name its authors, and its description is a string.
	"/isbn/9780201633610.json": `{"key": "/books/OL1429049M", "type": {"key": "/type/edition"}, "title": "Design Patterns",
		"subtitle": "Elements of Reusable Object-Oriented Software", "publishers": ["Addison-Wesley", "Pearson"],
		"publish_date": "November 10, 1994", "isbn_13": ["9780201633610"], "description": "Twenty-three patterns.",
		"works": [{"key": "/works/OL2747782W"}]}`,
	"/works/OL2747782W.json": `{"key": "/works/OL2747782W", "type": {"key": "/type/work"}, "authors": [
		{"author": {"key": "/authors/OL239963A"}}, {"author": {"key": "/authors/OL1A"}},
		{"author": {"key": "/authors/OL2A"}}, {"author": {"key": "/authors/OL3A"}}]}`,
	"/authors/OL239963A.json": `{"type": {"key": "/type/author"}, "name": "Erich Gamma"}`,
	"/authors/OL1A.json":      `{"type": {"key": "/type/redirect"}, "location": "/authors/OL10A"}`, // merged
	"/authors/OL10A.json":     `{"type": {"key": "/type/author"}, "name": "Richard Helm"}`,
	"/authors/OL2A.json":      `{"type": {"key": "/type/author"}, "name": "Ralph Johnson"}`,
	"/authors/OL3A.json":      `{"type": {"key": "/type/author"}, "name": "John Vlissides"}`,

	"/search.json": `{"numFound": 4, "start": 0, "numFoundExact": true, "num_found": 4, "q": "", "offset": null, "docs": [
		{"key": "/works/OL1W", "title": "Pride and Prejudice and Zombies", "author_name": ["Jane Austen", "Seth Grahame-Smith"]},
		{"key": "/works/OL2W", "title": "Pride and Prejudice", "subtitle": "an annotated edition",
			"author_name": ["Jane Austen", "Patricia Meyer Spacks"]},
		{"key": "/works/OL66554W", "title": "Pride and Prejudice", "author_name": ["Jane Austen"]},
		{"key": "/works/OL9W", "title": "Pride and Prejudice", "author_name": ["Jane Austen"]}]}`,
}
