package web_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/web"
)

func get(t *testing.T, method, path string) *http.Response {
	t.Helper()
	h, err := web.Handler("http://127.0.0.1:9000")
	require.NoError(t, err)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w.Result()
}

func TestThePageAndItsAssets(t *testing.T) {
	t.Parallel()
	for path, media := range map[string]string{
		"/": "text/html; charset=utf-8", "/assets/intake.js": "text/javascript; charset=utf-8",
		"/assets/intake.css": "text/css; charset=utf-8", "/assets/mark.svg": "image/svg+xml",
	} {
		res := get(t, http.MethodGet, path)
		require.Equal(t, http.StatusOK, res.StatusCode, path)
		require.Equal(t, media, res.Header.Get("Content-Type"))
		require.NotEmpty(t, res.Header.Get("ETag"))
		policy := res.Header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'")
		require.Contains(t, policy, "connect-src 'self' http://127.0.0.1:9000")
		require.NotContains(t, policy, "unsafe")
	}
	require.Equal(t, http.StatusNotFound, get(t, http.MethodGet, "/assets/fold.test.mjs").StatusCode)
	require.Equal(t, http.StatusNotFound, get(t, http.MethodGet, "/assets/../handler.go").StatusCode)
	require.Equal(t, http.StatusMethodNotAllowed, get(t, http.MethodPost, "/").StatusCode)
	for _, origin := range []string{"", "x", "http://a b", "http://a;script-src *", "http://a/path", "javascript:alert(1)", "http://*"} {
		_, err := web.Handler(origin)
		require.Error(t, err, origin)
	}
}

// The modules never make markup of strings.
func TestModules(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("static/*.js")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, word := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "randomUUID", "crypto.subtle"} {
			require.NotContains(t, string(b), word, name)
		}
	}
	page, err := os.ReadFile("static/index.html")
	require.NoError(t, err)
	require.NotContains(t, string(page), "style=")
	require.Equal(t, 1, strings.Count(string(page), "<h1"))
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	tests, err := filepath.Glob("static/*.test.mjs")
	require.NoError(t, err)
	require.NotEmpty(t, tests)
	out, err := exec.CommandContext(t.Context(), "node", append([]string{"--test"}, tests...)...).CombinedOutput()
	require.NoError(t, err, string(out))
}
