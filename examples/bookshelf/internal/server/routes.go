package server

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
)

// endpoint answers one request. A *problem is written as it is; any other error is logged and becomes a 500 without
// a word of it.
type endpoint func(http.ResponseWriter, *http.Request) error

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	api := http.NewServeMux()
	for _, e := range []struct {
		method, path string
		answer       endpoint
	}{
		{http.MethodGet, "/api/upload/presigned", s.upload},
		{http.MethodPost, "/api/metadata/extract", s.extract},
		{http.MethodPost, "/api/metadata/accept", s.accept},
		{http.MethodGet, "/api/ops/files", s.files},
		{http.MethodGet, "/api/ops/files/{id}", s.file},
		{http.MethodGet, "/api/ops/counts", s.counts},
	} {
		api.Handle(e.path, s.serve(e.method, e.answer))
	}
	api.Handle("/", s.serve("", func(http.ResponseWriter, *http.Request) error {
		return newProblem(http.StatusNotFound, "There is no such path.")
	}))
	mux.Handle("/api/", s.o.SignIn(api))
	if s.o.Token != nil {
		mux.Handle("/api/dev/token", s.o.Token)
	}
	if s.o.Issuer != nil {
		mux.Handle("/issuer/", s.o.Issuer)
	}
	mux.Handle("/health", s.serve(http.MethodGet, s.health))
	mux.Handle("/samples", s.serve(http.MethodGet, s.samples))
	mux.Handle("/samples/{file}", s.serve(http.MethodGet, s.sample))
	mux.Handle("/", s.o.Pages)

	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(s.serve("", func(http.ResponseWriter, *http.Request) error {
		return newProblem(http.StatusForbidden, "The request comes from a page of another site.")
	}))
	return s.guardHost(cross.Handler(mux))
}

// serve makes a handler of an endpoint: it checks the method ("" for any) and writes the error.
func (s *Server) serve(method string, answer endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if method != "" && r.Method != method {
			newProblem(http.StatusMethodNotAllowed, "This path takes "+method+".").with("Allow", method).write(w)
			return
		}
		err := answer(w, r)
		if err == nil || errors.Is(err, errGone) || r.Context().Err() != nil {
			return
		}
		p, ok := errors.AsType[*problem](err)
		if !ok {
			s.o.Log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "err", err)
			p = newProblem(http.StatusInternalServerError, "Something went wrong here. It may be tried again.")
		}
		p.write(w)
	})
}

// guardHost refuses requests that are addressed to a name that is not the server's.
func (s *Server) guardHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		host = strings.Trim(host, "[]")
		if !slices.Contains(s.o.Hosts, host) {
			newProblem(http.StatusMisdirectedRequest, "This server answers to other names.").write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}
