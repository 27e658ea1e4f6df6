package server

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/scope/oidc"
)

// endpoint answers one request. A *problem is sent to the client. Any other error is logged and answered with a plain
// 500.
type endpoint func(http.ResponseWriter, *http.Request) error

func (s *Server) newHandler() http.Handler {
	mux, api := http.NewServeMux(), http.NewServeMux()
	for _, e := range []struct {
		method, path string
		answer       endpoint
	}{
		{http.MethodGet, "/api/me", s.serveMe},
		{http.MethodPost, "/api/uploads", s.grantUpload},
		{http.MethodPost, "/api/uploads/{id}/parts/{n}", s.grantPart},
		{http.MethodPost, "/api/uploads/{id}/complete", s.completeUpload},
		{http.MethodPost, "/api/uploads/{id}/abort", s.abortUpload},
		{http.MethodGet, "/api/files", s.serveFiles},
		{http.MethodGet, "/api/files/{id}", s.serveFile},
		{http.MethodPost, "/api/files/{id}/confirm", s.confirmFile},
		{http.MethodPost, "/api/files/{id}/share", s.shareFile},
		{http.MethodPost, "/api/files/{id}/delete", s.deleteFile},
		{http.MethodPost, "/api/chat", s.serveChat},
		{http.MethodGet, "/api/chat/{id}", s.serveRuns},
		{http.MethodGet, "/api/runs/{run}/events", s.serveEvents},
		{http.MethodPost, "/api/runs/{run}/stop", s.stopRun},
		{http.MethodGet, "/api/runs/{run}/results/{call}", s.serveResult},
	} {
		api.Handle(e.path, s.handleMethod(e.method, e.answer))
	}
	api.Handle("/", s.handleMethod("", func(http.ResponseWriter, *http.Request) error {
		return newProblem(http.StatusNotFound, "This path does not exist.")
	}))
	mux.Handle("/api/", s.o.SignIn(api))
	if s.o.Token != nil {
		mux.Handle("/api/dev/token", s.o.Token)
	}
	mux.Handle("/health", s.handleMethod(http.MethodGet, func(w http.ResponseWriter, _ *http.Request) error {
		return writeJSON(w, map[string]string{"status": "ok"})
	}))
	mux.Handle("/samples/{name}", s.handleMethod(http.MethodGet, s.serveSample))
	mux.Handle("/", s.o.Pages)
	return s.guardHost(s.guardOrigin(mux))
}

// handleMethod returns a handler that checks the method ("" allows any), calls the endpoint and writes its error. If
// the request ends before a response is written, it aborts the connection, since an empty 200 would look like success.
func (s *Server) handleMethod(method string, answer endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if method != "" && r.Method != method {
			newProblem(http.StatusMethodNotAllowed, "This path takes "+method+".").withHeader("Allow", method).writeTo(w)
			return
		}
		err := answer(w, r)
		if err == nil {
			return
		}
		p, ok := errors.AsType[*problem](err)
		switch {
		case ok:
		case errors.Is(err, errGone), r.Context().Err() != nil:
			panic(http.ErrAbortHandler)
		default:
			s.o.Log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "err", err)
			p = newProblem(http.StatusInternalServerError, "Something went wrong here. It may be tried again.")
		}
		p.writeTo(w)
	})
}

// guardOrigin rejects cross-site requests as [http.CrossOriginProtection] does, and for the API also safe methods.
func (s *Server) guardOrigin(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	return s.handleMethod("", func(w http.ResponseWriter, r *http.Request) error {
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

// guardHost rejects requests whose Host is not a name of this machine.
func (s *Server) guardHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
		if !s.o.AnyHost && !slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, host) {
			newProblem(http.StatusMisdirectedRequest, "This server answers to other names.").writeTo(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serveMe answers GET /api/me.
func (s *Server) serveMe(w http.ResponseWriter, r *http.Request) error {
	id, err := oidc.FromContext(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, map[string]any{
		"tenant": id.User.TenantID(), "user": id.User.UserID(), "is_steward": isSteward(id), "max_upload": MaxUpload,
	})
}
