package bedrocktest

import (
	"context"
	"net/http"
)

// TB is the part of [testing.TB] that [Strict] uses. With it, a binary that serves a [Front] does not import testing.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// Strict returns a handler that serves h, a [Front] or a [Script], and fails the test with the service's error for
// every request that h refuses: an unsigned or invalid request, or one after a script's last step. The client also
// receives the error. Failures that a script plays are not refusals.
func Strict(t TB, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), strictKey{}, t)))
	})
}

type strictKey struct{}

// refuse answers with an error that the client caused.
func refuse(w http.ResponseWriter, r *http.Request, e httpError) {
	if t, ok := r.Context().Value(strictKey{}).(TB); ok {
		t.Helper()
		t.Errorf("bedrocktest: %s: %s (HTTP %d)", e.name, e.message, e.status)
	}
	writeError(w, e)
}
