package server_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.uploaded(picture(t))
	const missing = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
	body := func(id string) string { return fmt.Sprintf(`{"session_id":%q}`, id) }
	for _, c := range []struct {
		method, target, body string
		status               int
	}{
		{"GET", "/api/upload/presigned", "", 400},
		{"GET", "/api/upload/presigned?filename=", "", 400},
		{"GET", "/api/upload/presigned?filename=..%2F..%2Ftenant%3Db%2Fx", "", 400},
		{"GET", "/api/upload/presigned?filename=a%00b", "", 400},
		{"GET", "/api/upload/presigned?filename=a&filename=b", "", 400},
		{"GET", "/api/upload/presigned?filename=%zz", "", 400},
		{"GET", "/api/upload/presigned?filename=a.png&size=0", "", 400},
		{"GET", "/api/upload/presigned?filename=a.png&size=+1", "", 400},
		{"GET", "/api/upload/presigned?filename=a.png&size=99999999999", "", 413},
		{"GET", "/api/upload/presigned?filename=a.png&content_type=text/html", "", 400},
		{"GET", "/api/upload/presigned?filename=a.png&content_type=image/png%0d%0ax:y", "", 400},
		{"GET", "/api/upload/presigned?filename=a.png&sha256=AAAA", "", 400},
		{"POST", "/api/upload/presigned?filename=a.png", "", 405},
		{"HEAD", "/api/upload/presigned?filename=a.png", "", 405},
		{"GET", "/api/metadata/extract", "", 405},
		{"PUT", "/api/metadata/accept", "{}", 405},
		{"DELETE", "/api/ops/counts", "", 405},
		{"POST", "/api/metadata/extract", "{", 400},
		{"POST", "/api/metadata/extract", "[]", 400},
		{"POST", "/api/metadata/extract", body(id) + body(id), 400},
		{"POST", "/api/metadata/extract", `{}`, 400},
		{"POST", "/api/metadata/extract", `{"session_id":7}`, 400},
		{"POST", "/api/metadata/extract", `{"session_id":"x","session_id":"y"}`, 400},
		{"POST", "/api/metadata/extract", `{"Session_id":"x"}`, 400},
		{"POST", "/api/metadata/extract", `{"session_id":"` + id + `","tenant":"b"}`, 400},
		{"POST", "/api/metadata/extract", `{"session_id":"` + id + `","message":"  "}`, 400},
		{"POST", "/api/metadata/extract", `{"session_id":"` + id + `","message":"` + strings.Repeat("x", 4001) + `"}`, 413},
		{"POST", "/api/metadata/extract", `{"session_id":"` + id + `","message":"` + strings.Repeat("x", 90_000) + `"}`, 413},
		{"POST", "/api/metadata/extract", "{\"session_id\":\"\xff\"}", 400},
		{"POST", "/api/metadata/extract", body(missing), 404},
		{"POST", "/api/metadata/extract", body("../" + id), 404},
		{"POST", "/api/metadata/extract", body(strings.ToUpper(id)), 404},
		{"POST", "/api/metadata/extract", body(w.granted("cover.png")), 409},
		{"POST", "/api/metadata/accept", `{"session_id":"` + id + `"}`, 400},
		{"POST", "/api/metadata/accept", `{"session_id":"` + id + `","metadata":null}`, 400},
		{"POST", "/api/metadata/accept", `{"session_id":"` + id + `","metadata":{}}`, 400},
		{"POST", "/api/metadata/accept", `{"session_id":"` + id + `","metadata":{"title":null}}`, 400},
		{"POST", "/api/metadata/accept", `{"session_id":"` + id + `","metadata":{"tenant":"b"}}`, 400},
		{"POST", "/api/metadata/accept", `{"session_id":"` + id + `","metadata":{"published_year":"soon"}}`, 400},
		{"POST", "/api/metadata/accept", `{"session_id":"` + id + `","metadata":{"isbn":"978-0"}}`, 400},
		{"POST", "/api/metadata/accept", `{"session_id":"` + id + `","metadata":{"confidence":2}}`, 400},
		{"POST", "/api/metadata/accept", `{"session_id":"` + id + `","metadata":{"title":"x"}}`, 409},
		{"POST", "/api/metadata/accept", `{"session_id":"` + missing + `","metadata":{"title":"x"}}`, 404},
		{"GET", "/api/ops/files?status=x", "", 400},
		{"GET", "/api/ops/files?status=", "", 400},
		{"GET", "/api/ops/files?limit=0", "", 400},
		{"GET", "/api/ops/files?limit=1e9", "", 400},
		{"GET", "/api/ops/files?limit=%2b1", "", 400},
		{"GET", "/api/ops/files?limit=01", "", 400},
		{"GET", "/api/ops/files?cursor=x", "", 400},
		{"GET", "/api/ops/files?cursor=", "", 400},
		{"GET", "/api/ops/files/" + missing, "", 404},
		{"GET", "/api/ops/files/x", "", 404},
		{"GET", "/api/nothing", "", 404},
		{"GET", "/samples/none.png", "", 404},
	} {
		r := w.do(t.Context(), c.method, c.target, c.body)
		require.Equal(t, c.status, r.Status, "%s %s %.200s: %s", c.method, c.target, c.body, r.Body)
		if c.method != "HEAD" {
			require.Equal(t, "application/problem+json", r.Header.Get("Content-Type"))
			require.NotEmpty(t, r.json(t)["detail"])
		}
		if c.status == http.StatusMethodNotAllowed {
			require.NotEmpty(t, r.Header.Get("Allow"))
		}
	}
	for _, media := range []string{"", "text/plain", "application/json; charset=latin1", "application/x-www-form-urlencoded", "a/b/c"} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "http://localhost/api/metadata/extract", strings.NewReader(body(id)))
		r.Header.Set("Content-Type", media)
		rec := httptest.NewRecorder()
		w.srv.ServeHTTP(rec, r)
		require.Equal(t, http.StatusUnsupportedMediaType, rec.Code, media)
	}
	_, stages := w.stages(id)
	require.NotContains(t, stages, "enrichment", "none of it has touched the upload")
	require.Empty(t, w.saved(id))
}

// A page elsewhere on the web must not act through somebody's browser.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	try := func(host, origin, site string) int {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "http://"+host+"/api/metadata/extract", strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", site)
		rec := httptest.NewRecorder()
		w.srv.ServeHTTP(rec, r)
		return rec.Code
	}
	require.Equal(t, http.StatusBadRequest, try("localhost:8080", "http://localhost:8080", "same-origin"), "it gets as far as the body")
	require.Equal(t, http.StatusBadRequest, try("[::1]:8080", "http://[::1]:8080", "same-origin"))
	require.Equal(t, http.StatusForbidden, try("localhost:8080", "http://evil.example", "cross-site"))
	for _, host := range []string{"[[localhost]]", "[localhost", "localhost]", "[localhost]", "localhost.", "0.0.0.0", ""} {
		require.Equal(t, http.StatusMisdirectedRequest, tryHost(t, w, host), host)
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost/api/upload/presigned?filename=a.png", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	rec := httptest.NewRecorder()
	w.srv.ServeHTTP(rec, r)
	require.Equal(t, http.StatusForbidden, rec.Code, "a page elsewhere makes no sessions")
	require.InDelta(t, 0, w.get("/api/ops/counts").json(t)["all"], 0)
	require.Equal(t, http.StatusMisdirectedRequest, try("evil.example", "http://evil.example", "same-origin"))
	require.Equal(t, http.StatusMisdirectedRequest, try("localhost.evil.example:8080", "http://localhost.evil.example:8080", "same-origin"))
}

func tryHost(t *testing.T, w *world, host string) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost/health", nil)
	r.Host = host
	rec := httptest.NewRecorder()
	w.srv.ServeHTTP(rec, r)
	return rec.Code
}

// A body that ends early is answered with an error, never with an empty 200: the client may still read.
func TestHalfABody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	http := httptest.NewServer(w.srv)
	t.Cleanup(http.Close)
	for _, path := range []string{"/api/metadata/accept", "/api/metadata/extract"} {
		conn, err := net.Dial("tcp", http.Listener.Addr().String())
		require.NoError(t, err)
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
			path, http.Listener.Addr())
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		answer, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.Contains(t, string(answer), "HTTP/1.1 400 Bad Request")
		require.Contains(t, string(answer), "is incomplete")
		require.NoError(t, conn.Close())
	}
}
