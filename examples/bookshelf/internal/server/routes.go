package server

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
)

// endpoint answers one request. A *problem is sent to the client. Any other error is logged and answered with a plain
// 500.
type endpoint func(http.ResponseWriter, *http.Request) error

func (s *Server) newHandler() (http.Handler, error) {
	mcp, err := s.newMCPHandler()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	api := http.NewServeMux()
	for _, e := range []struct {
		method, path string
		answer       endpoint
	}{
		{http.MethodGet, "/api/upload/presigned", s.grantUpload},
		{http.MethodPost, "/api/metadata/extract", s.serveExtract},
		{http.MethodPost, "/api/metadata/accept", s.acceptMetadata},
		{http.MethodGet, "/api/metadata/{session}", s.serveDraft},
		{http.MethodPut, "/api/metadata/{session}/draft", s.saveDraft},
		{http.MethodGet, "/api/runs/{run}/events", s.serveEvents},
		{http.MethodPost, "/api/runs/{run}/stop", s.stopRun},
		{http.MethodGet, "/api/runs/{run}/results/{call}", s.serveResult},
		{http.MethodPost, "/api/runs/{run}/approvals/{approval}", s.decideApproval},
		{"", "/api/chat", s.listOrStartChat},
		{http.MethodGet, "/api/chat/{chat}", s.serveTranscript},
		{http.MethodGet, "/api/bookshelf/overview", s.serveOverview},
		{http.MethodGet, "/api/bookshelf/catalogue", s.serveCatalogue},
		{http.MethodGet, "/api/bookshelf/search", s.serveSearch},
		{"", "/api/bookshelf/{id}", s.serveOrCorrectBook},
		{http.MethodPost, "/api/bookshelf/{id}/share", s.shareBook},
		{http.MethodGet, "/api/ops/files", s.serveFiles},
		{http.MethodGet, "/api/ops/files/{id}", s.serveFile},
		{http.MethodPost, "/api/ops/files/{id}/retry", s.retryFile},
		{http.MethodPost, "/api/ops/files/{id}/cancel", s.cancelFile},
		{http.MethodGet, "/api/ops/counts", s.serveCounts},
	} {
		api.Handle(e.path, s.handleMethod(e.method, e.answer))
	}
	sdk := s.newAISDKHandler()
	api.Handle("/api/chat/agui", s.newAGUIHandler())
	api.Handle("/api/chat/aisdk", sdk)
	api.Handle("/api/chat/aisdk/{id}/stream", sdk)
	api.Handle("/", s.handleMethod("", func(http.ResponseWriter, *http.Request) error {
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
	mux.Handle("/health", s.handleMethod(http.MethodGet, s.serveHealth))
	mux.Handle("/samples", s.handleMethod(http.MethodGet, s.serveSamples))
	mux.Handle("/samples/{file}", s.handleMethod(http.MethodGet, s.serveSample))
	mux.Handle("/", s.o.Pages)

	return s.guardHost(s.guardOrigin(mux)), nil
}

// handleMethod returns a handler that checks the method, calls the endpoint and writes its error. An empty method
// allows any, and GET allows HEAD outside of the API. If the request ends before a response is written, it aborts the
// connection, since an empty 200 would look like success.
func (s *Server) handleMethod(method string, answer endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		isHead := method == http.MethodGet && r.Method == http.MethodHead && !strings.HasPrefix(r.URL.Path, "/api/")
		if method != "" && r.Method != method && !isHead {
			newProblem(http.StatusMethodNotAllowed, "This path takes "+method+".").withHeader("Allow", method).writeTo(w)
			return
		}
		err := answer(w, r)
		if err == nil {
			return
		}
		p, ok := errors.AsType[*problem](err)
		switch {
		case ok: // also if the client has sent half of its request and still reads
		case errors.Is(err, errGone), r.Context().Err() != nil:
			panic(http.ErrAbortHandler)
		default:
			s.o.Log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "err", err)
			p = newProblem(http.StatusInternalServerError, "Something went wrong here. It may be tried again.")
		}
		p.writeTo(w)
	})
}

// guardOrigin rejects cross-site requests as [http.CrossOriginProtection] does. For the API it also checks safe
// methods, since a GET there can create a session.
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

// guardHost rejects requests whose Host is not one of the server's names.
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
			newProblem(http.StatusMisdirectedRequest, "This server answers to other names.").writeTo(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}
