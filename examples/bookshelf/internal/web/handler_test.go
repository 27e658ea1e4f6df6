package web_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/web"
)

func ExampleHandler() {
	pages, err := web.Handler(&web.Options{ConnectSrc: []string{"http://127.0.0.1:9000"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(pages)
	defer server.Close()

	for _, path := range []string{"/", "/ops", "/assets/js/sse.js", "/assets/js/sse.test.mjs"} {
		answer, err := http.Get(server.URL + path)
		if err != nil {
			fmt.Println(err)
			return
		}
		answer.Body.Close()
		fmt.Println(path, answer.StatusCode, answer.Header.Get("Content-Type"))
	}
	// Output:
	// / 200 text/html; charset=utf-8
	// /ops 200 text/html; charset=utf-8
	// /assets/js/sse.js 200 text/javascript; charset=utf-8
	// /assets/js/sse.test.mjs 404 application/problem+json
}

func newPages(t *testing.T, o *web.Options) http.Handler {
	t.Helper()
	h, err := web.Handler(o)
	require.NoError(t, err)
	return h
}

func sendRequest(h http.Handler, method, path string, header ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func readBody(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(b)
}

// Browsers report the policy as an error where they ignore it: over plain http, from which they do not send metadata.
func TestOpenersAreIsolatedOnTrustworthyOrigins(t *testing.T) {
	t.Parallel()
	const policy = "Cross-Origin-Opener-Policy"
	h := newPages(t, nil)
	require.Equal(t, "same-origin", sendRequest(h, http.MethodGet, "/", "Sec-Fetch-Dest", "document").Header.Get(policy))
	require.Empty(t, sendRequest(h, http.MethodGet, "/").Header.Get(policy))
}

func TestResponsesHaveAContentSecurityPolicy(t *testing.T) {
	t.Parallel()
	h := newPages(t, &web.Options{ConnectSrc: []string{"http://127.0.0.1:9000", "https://bucket.s3.us-east-1.amazonaws.com"}})
	for _, path := range []string{"/", "/ops", "/assets/css/base.css", "/assets/js/desk.js", "/assets/mark.svg", "/nothing"} {
		r := sendRequest(h, http.MethodGet, path)
		require.Equal(t, "nosniff", r.Header.Get("X-Content-Type-Options"), path)
		csp := parsePolicy(t, r.Header.Get("Content-Security-Policy"))
		require.Equal(t, "'none'", csp["default-src"])
		require.Equal(t, "'self'", csp["script-src"])
		require.Equal(t, "'self'", csp["style-src"])
		require.Equal(t, "'self' http://127.0.0.1:9000 https://bucket.s3.us-east-1.amazonaws.com", csp["connect-src"])
		require.Equal(t, "'none'", csp["frame-ancestors"])
	}
	csp := parsePolicy(t, sendRequest(newPages(t, nil), http.MethodGet, "/").Header.Get("Content-Security-Policy"))
	require.Equal(t, "'self'", csp["connect-src"])
	require.Equal(t, "'self' blob:", csp["img-src"])
	photos := newPages(t, &web.Options{ImgSrc: []string{"http://127.0.0.1:9000"}})
	csp = parsePolicy(t, sendRequest(photos, http.MethodGet, "/").Header.Get("Content-Security-Policy"))
	require.Equal(t, "'self' blob: http://127.0.0.1:9000", csp["img-src"])
	require.Equal(t, "'self'", csp["connect-src"])
}

func parsePolicy(t *testing.T, csp string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for d := range strings.SplitSeq(csp, "; ") {
		name, value, _ := strings.Cut(d, " ")
		require.NotContains(t, out, name)
		out[name] = value
	}
	return out
}

func TestSourcesMustBeOrigins(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"http://127.0.0.1:9000", "http://[::1]:9000", "https://s3.example.com"} {
		_, err := web.Handler(&web.Options{ConnectSrc: []string{good}})
		require.NoError(t, err, good)
	}
	for _, bad := range []string{
		"", "*", "'self'", "https:", "https://", "https://*", "https://*.example.com", "ftp://example.com", "example.com",
		"https://example.com/", "https://example.com/path", "https://example.com?x", "https://user@example.com",
		"https://a.example.com https://b.example.com", "https://example.com; script-src *", "https://example.com,x",
		"https://example.com\r\nX: y", "HTTPS://example.com", "https://exa mple.com", "https://example.com:port",
	} {
		_, err := web.Handler(&web.Options{ConnectSrc: []string{bad}})
		require.ErrorIs(t, err, web.ErrOrigin, "%q", bad)
		_, err = web.Handler(&web.Options{ImgSrc: []string{bad}})
		require.ErrorIs(t, err, web.ErrOrigin, "%q", bad)
	}
}

func TestUnknownPathsAnswer404(t *testing.T) {
	t.Parallel()
	h := newPages(t, nil)
	for _, path := range []string{
		"/nothing", "/index", "/index.html", "/ops.html", "/ops/", "/404", "/assets", "/assets/", "/assets/js/",
		"/assets/package.json", "/assets/js/sse.test.mjs", "/../handler.go", "/assets/..%2f..%2fhandler.go",
	} {
		r := sendRequest(h, http.MethodGet, path)
		require.Equal(t, http.StatusNotFound, r.StatusCode, path)
		requireProblem(t, r)

		r = sendRequest(h, http.MethodGet, path, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
		require.Equal(t, http.StatusNotFound, r.StatusCode, path)
		require.Equal(t, "text/html; charset=utf-8", r.Header.Get("Content-Type"))
		require.Contains(t, readBody(t, r), "Not on this shelf")
	}
}

// The page of a book has the paths of all books, and reads the id itself.
func TestThePageOfABookHasAPathForEachBook(t *testing.T) {
	t.Parallel()
	h := newPages(t, nil)
	want := readBody(t, sendRequest(h, http.MethodGet, "/shelf/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"))
	require.Contains(t, want, "/js/book.js")
	for _, path := range []string{"/shelf/x", "/shelf/%00", "/shelf/..", "/shelf/%3Cscript%3E"} {
		require.Equal(t, want, readBody(t, sendRequest(h, http.MethodGet, path)), path)
	}
	require.Contains(t, readBody(t, sendRequest(h, http.MethodGet, "/shelf")), "/js/shelf.js")
	chat := readBody(t, sendRequest(h, http.MethodGet, "/chat"))
	require.Contains(t, chat, "/js/chat.js")
	require.Equal(t, chat, readBody(t, sendRequest(h, http.MethodGet, "/chat/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")))
	for _, path := range []string{"/shelf/", "/shelf/x/y", "/shelf/x/", "/shelf//", "/shelf/a%2Fb", "/book", "/book.html", "/shelves/x", "/chat/", "/chat/x/y"} {
		require.Equal(t, http.StatusNotFound, sendRequest(h, http.MethodGet, path).StatusCode, path)
	}
}

func TestOtherMethodsAnswer405(t *testing.T) {
	t.Parallel()
	h := newPages(t, nil)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		r := sendRequest(h, method, "/")
		require.Equal(t, http.StatusMethodNotAllowed, r.StatusCode)
		require.Equal(t, "GET, HEAD", r.Header.Get("Allow"))
		requireProblem(t, r)
	}
	r := sendRequest(h, http.MethodHead, "/ops")
	require.Equal(t, http.StatusOK, r.StatusCode)
	require.Empty(t, readBody(t, r))
}

func requireProblem(t *testing.T, r *http.Response) {
	t.Helper()
	require.Equal(t, "application/problem+json", r.Header.Get("Content-Type"))
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	require.NoError(t, json.Unmarshal([]byte(readBody(t, r)), &p))
	require.Equal(t, r.StatusCode, p.Status)
	require.NotEmpty(t, p.Title)
	require.NotEmpty(t, p.Detail)
}

func TestUnchangedFilesAnswer304(t *testing.T) {
	t.Parallel()
	h := newPages(t, nil)
	seen := map[string]string{}
	for _, path := range []string{"/", "/ops", "/assets/js/sse.js"} {
		r := sendRequest(h, http.MethodGet, path)
		tag := r.Header.Get("ETag")
		require.Regexp(t, `^"[A-Za-z0-9_-]{16}"$`, tag)
		require.Equal(t, "no-cache", r.Header.Get("Cache-Control"))
		require.Empty(t, seen[tag], "two files have the same tag")
		seen[tag] = path

		r = sendRequest(h, http.MethodGet, path, "If-None-Match", tag)
		require.Equal(t, http.StatusNotModified, r.StatusCode)
		require.Empty(t, readBody(t, r))
		require.Equal(t, http.StatusOK, sendRequest(h, http.MethodGet, path, "If-None-Match", `"other"`).StatusCode)
	}
}
