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

	return s.guardHost(s.guardOrigin(mux))
}

// serve makes a handler of an endpoint: it checks the method ("" for any) and writes the error. If the request ended
// before there was an answer, it aborts the connection: an empty 200 would look like success.
func (s *Server) serve(method string, answer endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if method != "" && r.Method != method {
			newProblem(http.StatusMethodNotAllowed, "This path takes "+method+".").with("Allow", method).write(w)
			return
		}
		err := answer(w, r)
		if err == nil {
			return
		}
		p, ok := errors.AsType[*problem](err)
		switch {
		case ok: // also for a client that has sent half of its request, and reads
		case errors.Is(err, errGone), r.Context().Err() != nil:
			panic(http.ErrAbortHandler)
		default:
			s.o.Log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "err", err)
			p = newProblem(http.StatusInternalServerError, "Something went wrong here. It may be tried again.")
		}
		p.write(w)
	})
}

// guardOrigin refuses what a page of another site makes a browser send, as [http.CrossOriginProtection] does, and looks
// at requests for the API whatever their method: a GET there can make a session.
func (s *Server) guardOrigin(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	return s.serve("", func(w http.ResponseWriter, r *http.Request) error {
		as := r
		if strings.HasPrefix(r.URL.Path, "/api/") && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			as = r.Clone(r.Context())
			as.Method = http.MethodPost
		}
		if cross.Check(as) != nil {
			return newProblem(http.StatusForbidden, "The request comes from a page of another site.")
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

// guardHost refuses requests that are addressed to a name that is not the server's.
func (s *Server) guardHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if bare, ok := strings.CutPrefix(host, "["); ok { // an IPv6 address without a port
			if bare, ok = strings.CutSuffix(bare, "]"); ok && strings.Contains(bare, ":") {
				host = bare
			}
		}
		if !s.o.AnyHost && !slices.Contains(s.o.Hosts, host) {
			newProblem(http.StatusMisdirectedRequest, "This server answers to other names.").write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}
