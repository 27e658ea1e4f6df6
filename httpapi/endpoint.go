package httpapi

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
)

// Endpoint answers requests by a function that returns an error. If the client has gone before there is a response, it
// aborts the connection, since an empty 200 would look like success.
type Endpoint struct {
	// Methods are the methods that the path takes. Others are answered with 405. If empty, every method is taken.
	Methods []string
	// Answer answers a request, or returns an error before it has written anything. Required.
	Answer func(http.ResponseWriter, *http.Request) error
	// Describe returns what the client may see of an error without a [*Problem], for example runner.Problem. If nil, that
	// is a 500 without a reason.
	Describe func(error) *Problem
	// Log, if non-nil, receives the causes of responses with 500 and of those that Describe gives another status above.
	Log *slog.Logger
}

// ServeHTTP implements [http.Handler].
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if len(e.Methods) > 0 && !slices.Contains(e.Methods, r.Method) {
		e.rejectMethod(w)
		return
	}
	if err := e.Answer(w, r); err != nil {
		e.writeError(w, r, err)
	}
}

func (e *Endpoint) rejectMethod(w http.ResponseWriter) {
	p := NewProblem(http.StatusMethodNotAllowed, "This path takes "+strings.Join(e.Methods, " and ")+".")
	p.WithHeader("Allow", strings.Join(e.Methods, ", ")).Write(w)
}

func (e *Endpoint) writeError(w http.ResponseWriter, r *http.Request, err error) {
	p, isProblem := errors.AsType[*Problem](err)
	switch {
	case isProblem: // also if the client has sent half of its request and still reads
	case errors.Is(err, http.ErrAbortHandler), r.Context().Err() != nil:
		panic(http.ErrAbortHandler)
	case e.Describe != nil:
		p = e.Describe(err)
	default:
		p = NewProblem(http.StatusInternalServerError, "Something went wrong here. It may be tried again.")
	}
	if !isProblem && p.Status >= http.StatusInternalServerError && e.Log != nil {
		level := slog.LevelWarn
		if p.Status == http.StatusInternalServerError {
			level = slog.LevelError
		}
		e.Log.Log(r.Context(), level, "request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	p.Write(w)
}
