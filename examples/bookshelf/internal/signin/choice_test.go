package signin_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/signin"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
)

func newIdentity(t *testing.T, tenant, user string) oidc.Identity {
	t.Helper()
	in, err := scope.Tenant(tenant)
	require.NoError(t, err)
	who, err := in.User(user)
	require.NoError(t, err)
	return oidc.Identity{User: who}
}

func TestChoiceNamesWhoRequestsWithoutATokenAreFrom(t *testing.T) {
	t.Parallel()
	h := signin.Choice(newIdentity(t, "demo", "anonymous"))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/sign-in", nil))
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"kind":"choice","tenant":"demo","user":"anonymous"}`, w.Body.String())
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	for path, want := range map[string]int{
		"/api/sign-in": http.StatusMethodNotAllowed, "/api/sign-in/token": http.StatusNotFound,
	} {
		w = httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
		require.Equal(t, want, w.Code, path)
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	}
}
