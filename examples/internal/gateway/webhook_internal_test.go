package gateway

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
)

// Only the server, which knows the path, reaches the callback; and what it cannot read is not kept from it.
func TestWhoTheWebhookListensTo(t *testing.T) {
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		told               string
	}{
		"the server":          {"POST", "/secret", `{"Records":[{"s3":{"object":{"key":"a b+é"}}}]}`, 204, `"key":"a+b%2B%C3%A9"`},
		"its test":            {"POST", "/secret", `{"Service":"S3","Event":"s3:TestEvent"}`, 204, ""},
		"what is no message":  {"POST", "/secret", `{`, 204, `{`},
		"another path":        {"POST", "/secres", `{"Records":[{}]}`, 404, ""},
		"a path below":        {"POST", "/secret/", `{"Records":[{}]}`, 404, ""},
		"no path":             {"POST", "/", `{"Records":[{}]}`, 404, ""},
		"another method":      {"GET", "/secret", "", 404, ""},
		"more than a message": {"POST", "/secret", strings.Repeat(" ", presign.MaxEvent+1), 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			h := &webhook{path: "/secret", events: func(_ context.Context, raw []byte) { got = string(raw) }}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), c.method, "http://127.0.0.1"+c.path, strings.NewReader(c.body)))
			require.Equal(t, c.status, w.Code)
			require.Empty(t, w.Body.String(), "the sender reads no body")
			if c.told == "" {
				require.Empty(t, got)
			}
			require.Contains(t, got, c.told)
		})
	}
}
