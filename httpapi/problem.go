package httpapi

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Problem is an error that a client may see, as RFC 9457 describes it.
type Problem struct { //nolint:errname // the name of RFC 9457
	// Status is the status of the response.
	Status int
	// Code is for programs, for example "running". It may be empty.
	Code string
	// Detail is a sentence for people. It does not contain secrets.
	Detail string
	// RetryAfter, if positive, is how long the client should wait before it tries again. The response has it in whole
	// seconds, rounded up.
	RetryAfter time.Duration
	// Header has further headers of the response.
	Header http.Header
	// Members are further members of the body. Their names must not be those of RFC 9457.
	Members map[string]any
}

// NewProblem returns a problem with a status and a sentence for people.
func NewProblem(status int, detail string) *Problem { return &Problem{Status: status, Detail: detail} }

func (p *Problem) Error() string { return http.StatusText(p.Status) + ": " + p.Detail }

// WithHeader returns a copy of the problem with one more header.
func (p *Problem) WithHeader(name, value string) *Problem {
	with := *p
	if with.Header = p.Header.Clone(); with.Header == nil {
		with.Header = http.Header{}
	}
	with.Header.Set(name, value)
	return &with
}

// Write writes the problem as the response to a request.
func (p *Problem) Write(w http.ResponseWriter) {
	h := w.Header()
	maps.Copy(h, p.Header)
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(p.RetryAfter.Seconds())), 10))
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	body := map[string]any{"type": "about:blank", "title": http.StatusText(p.Status), "status": p.Status}
	if p.Detail != "" {
		body["detail"] = p.Detail
	}
	if p.Code != "" {
		body["code"] = p.Code
	}
	maps.Copy(body, p.Members)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(body) // the client may have disconnected
}
