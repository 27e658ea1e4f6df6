package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var versionedURL = regexp.MustCompile(`"(/assets/[^"]+)"`)

func TestPagesReferToAssetsThatAreKeptForever(t *testing.T) {
	t.Parallel()
	h := newPages(t, nil)
	var version string
	for _, page := range []string{"/", "/ops", "/shelf", "/shelf/1"} {
		body := readBody(t, sendRequest(h, http.MethodGet, page))
		urls := versionedURL.FindAllStringSubmatch(body, -1)
		require.Greater(t, len(urls), 4)
		for _, m := range urls {
			r := sendRequest(h, http.MethodGet, m[1])
			require.Equal(t, http.StatusOK, r.StatusCode, m[1])
			require.Equal(t, "public, max-age=31536000, immutable", r.Header.Get("Cache-Control"), m[1])
			require.NotEmpty(t, r.Header.Get("ETag"))
			version = strings.Split(m[1], "/")[2]
		}
	}
	for _, unknown := range []string{
		"/assets/" + strings.Repeat("A", len(version)) + "/js/desk.js", "/assets/" + version, "/assets/" + version + "/",
		"/assets/" + version + "/ops", "/assets/" + version + "/../ops", "/assets/" + version + "/js/sse.test.mjs",
	} {
		r := sendRequest(h, http.MethodGet, unknown)
		require.Equal(t, http.StatusNotFound, r.StatusCode, unknown)
		require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
	}
}

// Another file of the assets has the URL of all of them in its page, so all of them have to stay relative.
func TestAssetsReferToEachOtherByRelativeURLs(t *testing.T) {
	t.Parallel()
	for name, text := range readServedFiles(t) {
		if strings.HasPrefix(name, "assets/") {
			require.NotContains(t, text, "/assets/", name)
		}
	}
}

// The one script of a page has all its modules, each once.
func TestPagesRequestOneScript(t *testing.T) {
	t.Parallel()
	h := newPages(t, nil)
	files := readServedFiles(t)
	imports := regexp.MustCompile(`(?m)^(?:import|export) [^;]*?from "\./([^"]+)";$`)
	source := regexp.MustCompile(`<script type="module" src="/assets/js/([^"]+)">`)
	script := regexp.MustCompile(`<script type="module" src="(/assets/[^/]+/pages/js/[^"]+)">`)
	for page, file := range map[string]string{
		"/": "index.html", "/ops": "ops.html", "/shelf": "shelf.html", "/shelf/1": "book.html", "/chat": "chat.html",
		"/sign-in": "sign-in.html",
	} {
		body := readBody(t, sendRequest(h, http.MethodGet, page))
		require.NotContains(t, body, "modulepreload")
		require.Equal(t, 1, strings.Count(body, "<script"), page)
		scripts := script.FindAllStringSubmatch(body, -1)
		require.Len(t, scripts, 1, page)
		bundle := readBody(t, sendRequest(h, http.MethodGet, scripts[0][1]))
		require.NotRegexp(t, `\b(?:from|import)\s*\(?["']`, bundle, "%s requests another module", page)
		var todo []string
		for _, m := range source.FindAllStringSubmatch(files[file], -1) {
			todo = append(todo, m[1])
		}
		seen := map[string]bool{}
		for ; len(todo) > 0; todo = todo[1:] {
			if seen[todo[0]] {
				continue
			}
			seen[todo[0]] = true
			text := files["assets/js/"+todo[0]]
			if strings.Contains(text, "class Session") {
				require.Equal(t, 1, strings.Count(bundle, `"/api/sign-in/token"`), "%s: each module is there once", page)
			}
			for _, m := range imports.FindAllStringSubmatch(text, -1) {
				todo = append(todo, m[1])
			}
		}
		require.Greater(t, len(seen), 5, page)
	}
}

func TestTextIsCompressedForClientsThatAcceptIt(t *testing.T) {
	t.Parallel()
	h := newPages(t, nil)
	for _, path := range []string{"/", "/assets/css/base.css", "/assets/js/api.js"} {
		plain := sendRequest(h, http.MethodGet, path)
		require.Empty(t, plain.Header.Get("Content-Encoding"))
		require.Equal(t, "Accept-Encoding", plain.Header.Get("Vary"))
		want := readBody(t, plain)

		r := sendRequest(h, http.MethodGet, path, "Accept-Encoding", "gzip, deflate, br, zstd")
		require.Equal(t, "gzip", r.Header.Get("Content-Encoding"), path)
		require.Equal(t, "Accept-Encoding", r.Header.Get("Vary"))
		require.Equal(t, plain.Header.Get("Content-Type"), r.Header.Get("Content-Type"))
		require.NotEqual(t, plain.Header.Get("ETag"), r.Header.Get("ETag"), "two bodies need two tags")
		sent := readBody(t, r)
		require.Less(t, len(sent), len(want)*2/3)
		z, err := gzip.NewReader(strings.NewReader(sent))
		require.NoError(t, err)
		got, err := io.ReadAll(z)
		require.NoError(t, err)
		require.Equal(t, want, string(got))

		again := sendRequest(h, http.MethodGet, path, "Accept-Encoding", "gzip", "If-None-Match", r.Header.Get("ETag"))
		require.Equal(t, http.StatusNotModified, again.StatusCode)
	}
}

func TestGzipIsSentOnlyIfItIsAccepted(t *testing.T) {
	t.Parallel()
	h := newPages(t, nil)
	for accepted, want := range map[string]bool{
		"": false, "identity": false, "br": false, "xgzip": false, "gzip;q=0": false, "gzip; q=0.000, br": false, "*": false,
		"gzip": true, "GZIP": true, "br, gzip": true, "gzip;q=0.5": true, "gzip ; q=1.0": true,
	} {
		r := sendRequest(h, http.MethodGet, "/assets/css/base.css", "Accept-Encoding", accepted)
		require.Equal(t, want, r.Header.Get("Content-Encoding") == "gzip", "%q", accepted)
	}
}
