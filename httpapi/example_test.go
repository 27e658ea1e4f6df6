package httpapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/carrel-go/carrel/httpapi"
)

func Example() {
	addNote := func(w http.ResponseWriter, r *http.Request) error {
		key, err := httpapi.IdempotencyKey(r)
		if err != nil {
			return err
		}
		var text string
		if err := httpapi.ReadFields(w, r, 1<<10, map[string]any{"text": &text}); err != nil {
			return err
		}
		return httpapi.WriteJSON(w, map[string]string{"added": text, "key": key})
	}
	mux := http.NewServeMux()
	mux.Handle("/api/notes", &httpapi.Endpoint{Methods: []string{http.MethodPost}, Answer: addNote})
	server := &httpapi.Guard{Next: mux, Protected: "/api/"}

	for _, body := range []string{`{"text":"A & B"}`, `{"txt":"A"}`} {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/api/notes", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "k1")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		fmt.Print(w.Code, " ", w.Body)
	}
	r := httptest.NewRequest(http.MethodPost, "http://evil.test/api/notes", nil)
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	fmt.Print(w.Code, " ", w.Body)
	// Output:
	// 200 {"added":"A & B","key":"k1"}
	// 400 {"detail":"The body has the unknown field \"txt\".","status":400,"title":"Bad Request","type":"about:blank"}
	// 421 {"detail":"This server answers to other names.","status":421,"title":"Misdirected Request","type":"about:blank"}
}
