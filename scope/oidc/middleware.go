package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// Middleware verifies the bearer token of each request (RFC 6750 section 2.1:
// the Authorization header, once) and calls h with the [Identity] and the
// user's Scope in the request's context: see [FromContext] and
// [scope.FromContext]. A request without Authorization is rejected, unless
// Options.Anonymous is set.
//
// A rejected request does not reach h. It is answered by RFC 6750 section 3, with
// 401 and WWW-Authenticate, or with 503 and Retry-After if the issuer's keys can't
// be fetched. The body is an RFC 9457 problem with the reason only. The log
// names the claim: see Options.Logger.
func (v *Verifier) Middleware(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r = v.admitRequest(w, r); r != nil {
			h.ServeHTTP(w, r)
		}
	})
}

// admitRequest returns the request with its caller, or rejects it and returns nil. The frame of Middleware, which may
// wait for a long stream, does not hold the identity.
func (v *Verifier) admitRequest(w http.ResponseWriter, r *http.Request) *http.Request {
	id, err := v.identifyCaller(r)
	if err != nil {
		v.reportRejection(r.Context(), err)
		writeError(w, err)
		return nil
	}
	return r.WithContext(NewContext(r.Context(), id))
}

// reportRejection sends a rejection to the auditor, or else to the log.
func (v *Verifier) reportRejection(ctx context.Context, err error) {
	switch {
	case v.o.Audit != nil:
		v.o.Audit.Refused(ctx, scope.Refusal{Op: "oidc.Middleware", Err: err})
	case !errors.Is(err, ErrNoToken):
		v.o.Logger.WarnContext(ctx, "request rejected", "op", "oidc.Middleware", "reason", err.Error())
	}
}

func (v *Verifier) identifyCaller(r *http.Request) (Identity, error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		if v.o.Anonymous != nil {
			id := *v.o.Anonymous
			id.Groups = slices.Clone(id.Groups)
			return id, nil
		}
		return Identity{}, ErrNoToken
	}
	if len(values) > 1 {
		return Identity{}, rejectToken(reasonMalformed)
	}
	// "Bearer" 1*SP b64token (RFC 6750 section 2.1); schemes are
	// case-insensitive (RFC 9110 section 11.1).
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Identity{}, ErrNoToken
	}
	return v.Verify(r.Context(), strings.TrimLeft(token, " "))
}

func writeError(w http.ResponseWriter, err error) {
	status, detail, challenge := http.StatusUnauthorized, "A bearer token is needed.", "Bearer"
	if e, ok := errors.AsType[*TokenError](err); ok {
		detail = "The token " + e.Reason + "."
		challenge = `Bearer error="invalid_token", error_description="` + detail + `"`
	} else if !errors.Is(err, ErrNoToken) {
		status, detail, challenge = http.StatusServiceUnavailable, "The token cannot be verified at the moment.", ""
	}
	h := w.Header()
	if challenge != "" {
		h.Set("WWW-Authenticate", challenge)
	} else {
		h.Set("Retry-After", strconv.Itoa(int(refetchInterval/time.Second)))
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{"about:blank", http.StatusText(status), status, detail})
}
