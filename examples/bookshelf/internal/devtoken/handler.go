package devtoken

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc/oidctest"
)

// maxBody is the longest request body in bytes.
const maxBody = 4 << 10

// Handler answers POST {"tenant", "user", "roles"?} with {"token", "expires_at"}, at any path. Errors are RFC 9457
// problems: 400, 405, 413 or 415.
func Handler(i *oidctest.Issuer) http.Handler {
	return &httpapi.Endpoint{
		Methods: []string{http.MethodPost},
		Answer: func(w http.ResponseWriter, r *http.Request) error {
			token, expires, err := grant(i, w, r)
			if err != nil {
				return err
			}
			return httpapi.WriteJSON(w, map[string]string{"token": token, "expires_at": expires.Format(time.RFC3339)})
		},
	}
}

func grant(i *oidctest.Issuer, w http.ResponseWriter, r *http.Request) (string, time.Time, error) {
	var tenant, user string
	var roles []string
	fields := map[string]any{"tenant": &tenant, "user": &user, "roles": &roles}
	if err := httpapi.ReadFields(w, r, maxBody, fields); err != nil {
		return "", time.Time{}, err
	}
	token, expires, err := Issue(i, tenant, user, roles)
	if e, ok := errors.AsType[*scope.InvalidError](err); ok {
		return "", time.Time{}, httpapi.NewProblem(http.StatusBadRequest, fmt.Sprintf("The %s %s.", e.Kind, e.Reason))
	}
	if e, ok := errors.AsType[*RoleError](err); ok {
		return "", time.Time{}, httpapi.NewProblem(http.StatusBadRequest, fmt.Sprintf("The role %.80q %s.", e.Role, e.Reason))
	}
	return token, expires, err
}
