package bedrocktest

import (
	"context"
	"net/http"
)

// TB is what [Strict] needs of a *testing.T.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// Strict serves h, a [Front] or a [Script], and fails the test with the service's own error for every request that h
// refuses: one that is not signed, one that breaks the service's rules, one for which a script has no step. The client
// gets the error too. Answers that a script fails on purpose are no refusals.
func Strict(t TB, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), strictKey{}, t)))
	})
}

type strictKey struct{}

// refuse answers with an error for which the client is to blame.
func refuse(w http.ResponseWriter, r *http.Request, e httpError) {
	if t, ok := r.Context().Value(strictKey{}).(TB); ok {
		t.Helper()
		t.Errorf("bedrocktest: %s: %s (HTTP %d)", e.name, e.message, e.status)
	}
	writeError(w, e)
}
