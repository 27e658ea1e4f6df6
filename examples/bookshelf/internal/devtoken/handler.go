package devtoken

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc/oidctest"
)

// maxBody is the longest request body in bytes.
const maxBody = 4 << 10

// refusal is a 4xx response with a detail for people.
type refusal struct {
	status int
	detail string
}

func (r *refusal) Error() string { return r.detail }

// Handler answers POST {"tenant", "user", "roles"?} with {"token", "expires_at"}, at any path. Errors are RFC 9457
// problems: 400, 405, 413 or 415.
func Handler(i *oidctest.Issuer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		token, expires, err := grant(i, w, r)
		if err == nil {
			_ = json.NewEncoder(w).Encode(map[string]string{"token": token, "expires_at": expires.Format(time.RFC3339)})
			return
		}
		p, ok := errors.AsType[*refusal](err)
		if !ok {
			p = &refusal{http.StatusInternalServerError, "Internal error. Try again."}
		}
		if p.status == http.StatusMethodNotAllowed {
			h.Set("Allow", http.MethodPost)
		}
		h.Set("Content-Type", "application/problem+json")
		w.WriteHeader(p.status)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"type": "about:blank", "title": http.StatusText(p.status), "status": p.status, "detail": p.detail,
		})
	})
}

func grant(i *oidctest.Issuer, w http.ResponseWriter, r *http.Request) (string, time.Time, error) {
	var tenant, user string
	var roles []string
	if err := read(w, r, map[string]any{"tenant": &tenant, "user": &user, "roles": &roles}); err != nil {
		return "", time.Time{}, err
	}
	token, expires, err := Issue(i, tenant, user, roles)
	if e, ok := errors.AsType[*scope.InvalidError](err); ok {
		return "", time.Time{}, &refusal{http.StatusBadRequest, fmt.Sprintf("The %s %s.", e.Kind, e.Reason)}
	}
	if e, ok := errors.AsType[*RoleError](err); ok {
		return "", time.Time{}, &refusal{http.StatusBadRequest, fmt.Sprintf("The role %.80q %s.", e.Role, e.Reason)}
	}
	return token, expires, err
}

// read reads the request's JSON object into fields.
func read(w http.ResponseWriter, r *http.Request, fields map[string]any) error {
	if r.Method != http.MethodPost {
		return &refusal{http.StatusMethodNotAllowed, "This path accepts only POST."}
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := params["charset"]; err != nil || media != "application/json" || charset != "" &&
		!strings.EqualFold(charset, "utf-8") {
		return &refusal{http.StatusUnsupportedMediaType, "The body must be application/json."}
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is longer than %d bytes.", maxBody)}
	}
	if err != nil {
		return &refusal{http.StatusBadRequest, "The body is incomplete."}
	}
	v, err := strictjson.ParseObject(b)
	if err != nil {
		return &refusal{http.StatusBadRequest, "The body is " + err.Error() + "."}
	}
	for name, value := range v.Members() {
		into, ok := fields[name]
		if !ok {
			return &refusal{http.StatusBadRequest, fmt.Sprintf("The body has the unknown field %.60q.", name)}
		}
		if err := json.Unmarshal(value.Raw(), into); err != nil {
			return &refusal{http.StatusBadRequest, fmt.Sprintf("The field %q has a value of the wrong type.", name)}
		}
	}
	return nil
}
