package server

import (
	"net/http"
	"strings"

	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/scope/oidc"
)

// endpoint answers one request. A *problem is sent to the client. Of any other error it gets what runner.Problem says.
type endpoint func(http.ResponseWriter, *http.Request) error

func (s *Server) newHandler() http.Handler {
	mux, api := http.NewServeMux(), http.NewServeMux()
	for _, e := range []struct {
		methods, path string
		answer        endpoint
	}{
		{"GET", "/api/me", s.serveMe},
		{"POST", "/api/uploads", s.grantUpload},
		{"POST", "/api/uploads/{id}/parts/{n}", s.grantPart},
		{"POST", "/api/uploads/{id}/complete", s.completeUpload},
		{"POST", "/api/uploads/{id}/abort", s.abortUpload},
		{"GET", "/api/files", s.serveFiles},
		{"GET", "/api/files/{id}", s.serveFile},
		{"POST", "/api/files/{id}/confirm", s.confirmFile},
		{"POST", "/api/files/{id}/share", s.shareFile},
		{"POST", "/api/files/{id}/delete", s.deleteFile},
		{"GET POST", "/api/chat", s.listOrStartChat},
		{"GET", "/api/chat/{id}", s.serveRuns},
		{"GET", "/api/runs/{run}/events", s.serveEvents},
		{"POST", "/api/runs/{run}/stop", s.stopRun},
		{"GET", "/api/runs/{run}/results/{call}", s.serveResult},
	} {
		api.Handle(e.path, s.handle(e.answer, strings.Fields(e.methods)...))
	}
	api.Handle("/", s.handle(func(http.ResponseWriter, *http.Request) error {
		return newProblem(http.StatusNotFound, "This path does not exist.")
	}))
	mux.Handle("/api/", s.o.SignIn(api))
	if s.o.Token != nil {
		mux.Handle("/api/dev/token", s.o.Token)
	}
	mux.Handle("/health", s.handle(func(w http.ResponseWriter, _ *http.Request) error {
		return httpapi.WriteJSON(w, map[string]string{"status": "ok"})
	}, http.MethodGet))
	mux.Handle("/samples/{name}", s.handle(s.serveSample, http.MethodGet))
	mux.Handle("/", s.o.Pages)
	return &httpapi.Guard{Next: mux, AnyHost: s.o.AnyHost, Protected: "/api/"}
}

// handle returns a handler that checks the method, calls the endpoint and writes its error. Without methods it allows
// any.
func (s *Server) handle(answer endpoint, methods ...string) http.Handler {
	return &httpapi.Endpoint{Methods: methods, Answer: answer, Describe: runner.Problem, Log: s.o.Log}
}

// serveMe answers GET /api/me.
func (s *Server) serveMe(w http.ResponseWriter, r *http.Request) error {
	id, err := oidc.FromContext(r.Context())
	if err != nil {
		return err
	}
	return httpapi.WriteJSON(w, map[string]any{
		"tenant": id.User.TenantID(), "user": id.User.UserID(), "is_steward": isSteward(id), "max_upload": MaxUpload,
	})
}
