package server

import (
	"net/http"
	"strings"

	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/httpapi"
)

// endpoint answers one request. A *problem is sent to the client. Of any other error it gets what runner.Problem says.
type endpoint func(http.ResponseWriter, *http.Request) error

func (s *Server) newHandler() (http.Handler, error) {
	mcp, err := s.newMCPHandler()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	api := http.NewServeMux()
	for _, e := range []struct {
		methods, path string
		answer        endpoint
	}{
		{"GET", "/api/upload/presigned", s.grantUpload},
		{"POST", "/api/metadata/extract", s.serveExtract},
		{"POST", "/api/metadata/accept", s.acceptMetadata},
		{"GET", "/api/metadata/{session}", s.serveDraft},
		{"PUT", "/api/metadata/{session}/draft", s.saveDraft},
		{"GET", "/api/runs/{run}/events", s.serveEvents},
		{"POST", "/api/runs/{run}/stop", s.stopRun},
		{"GET", "/api/runs/{run}/results/{call}", s.serveResult},
		{"POST", "/api/runs/{run}/approvals/{approval}", s.decideApproval},
		{"GET POST", "/api/chat", s.listOrStartChat},
		{"GET", "/api/chat/{chat}", s.serveTranscript},
		{"GET", "/api/bookshelf/overview", s.serveOverview},
		{"GET", "/api/bookshelf/catalogue", s.serveCatalogue},
		{"GET", "/api/bookshelf/search", s.serveSearch},
		{"GET PUT", "/api/bookshelf/{id}", s.serveOrCorrectBook},
		{"GET", "/api/bookshelf/{id}/thumbnail", s.serveThumbnail},
		{"POST", "/api/bookshelf/{id}/share", s.shareBook},
		{"GET", "/api/ops/files", s.serveFiles},
		{"GET", "/api/ops/files/{id}", s.serveFile},
		{"POST", "/api/ops/files/{id}/retry", s.retryFile},
		{"POST", "/api/ops/files/{id}/cancel", s.cancelFile},
		{"GET", "/api/ops/counts", s.serveCounts},
	} {
		api.Handle(e.path, s.handle(e.answer, strings.Fields(e.methods)...))
	}
	sdk := s.newAISDKHandler()
	api.Handle("/api/chat/agui", s.newAGUIHandler())
	api.Handle("/api/chat/aisdk", sdk)
	api.Handle("/api/chat/aisdk/{id}/stream", sdk)
	api.Handle("/", s.handle(func(http.ResponseWriter, *http.Request) error {
		return newProblem(http.StatusNotFound, "This path does not exist.")
	}))
	mux.Handle("/api/", s.o.SignIn(api))
	mux.Handle("/mcp", s.o.SignIn(mcp))
	if s.o.Token != nil {
		mux.Handle("/api/dev/token", s.o.Token)
	}
	if s.o.Issuer != nil {
		mux.Handle("/issuer/", s.o.Issuer)
	}
	if s.o.SignInPaths != nil {
		for _, path := range []string{"/api/sign-in", "/api/sign-in/", "/sign-in/start", "/sign-in/callback"} {
			mux.Handle(path, s.o.SignInPaths)
		}
	}
	mux.Handle("/health", s.handle(s.serveHealth, http.MethodGet, http.MethodHead))
	mux.Handle("/samples", s.handle(s.serveSamples, http.MethodGet, http.MethodHead))
	mux.Handle("/samples/{file}", s.handle(s.serveSample, http.MethodGet, http.MethodHead))
	mux.Handle("/", s.o.Pages)

	return &httpapi.Guard{Next: mux, Hosts: s.o.Hosts, AnyHost: s.o.AnyHost, Protected: "/api/"}, nil
}

// handle returns a handler that checks the method, calls the endpoint and writes its error. Without methods it allows
// any.
func (s *Server) handle(answer endpoint, methods ...string) http.Handler {
	return &httpapi.Endpoint{Methods: methods, Answer: answer, Describe: runner.Problem, Log: s.o.Log}
}
