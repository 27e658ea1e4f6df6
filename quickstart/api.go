package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

// service answers the requests of users. Each handler gets the scope of the user whose token was verified.
type service struct {
	signer *presign.Signer
	runs   *runner.Runner
	drain  context.Context // ends the streams when the program ends
	log    *slog.Logger
}

// grantUpload grants the upload of one file to a new session.
func (s *service) grantUpload(w http.ResponseWriter, r *http.Request, user scope.Scope) error {
	session, err := user.NewSession()
	if err != nil {
		return err
	}
	size, _ := strconv.ParseInt(r.FormValue("size"), 10, 64) // Put rejects 0
	grant, err := s.signer.Put(r.Context(), session, r.FormValue("name"), &presign.PutOptions{
		Type: r.FormValue("type"), Size: size,
	})
	if err != nil {
		return err
	}
	return httpapi.WriteJSON(w, map[string]any{"session": session.SessionID(), "grant": grant})
}

// startRun starts a run about a file that has been uploaded. The run continues after the response.
func (s *service) startRun(w http.ResponseWriter, r *http.Request, user scope.Scope) error {
	session, err := user.Session(r.FormValue("session"))
	if err != nil {
		return err
	}
	if _, _, err := s.signer.Arrived(r.Context(), session, r.FormValue("name"), nil); err != nil {
		return err
	}
	run, err := s.runs.Start(r.Context(), runner.Request{
		Scope: session, Prompt: r.FormValue("prompt"), Key: r.Header.Get("Idempotency-Key"),
	})
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/runs/"+run.ID+"/events")
	return httpapi.WriteJSON(w, map[string]any{"run": run.ID})
}

// followRun streams the events of a run after the one in the header Last-Event-ID.
func (s *service) followRun(w http.ResponseWriter, r *http.Request, user scope.Scope) error {
	sse.Serve(w, r, s.runs.Source(user, r.PathValue("run"), replay.Plain()), &sse.Options{Drain: s.drain})
	return nil
}

// stopRun stops a run of this or another process. It answers with the status of the run, which is "running" until its
// process has noticed the request.
func (s *service) stopRun(w http.ResponseWriter, r *http.Request, user scope.Scope) error {
	if err := s.runs.Stop(r.Context(), user, r.PathValue("run")); err != nil {
		return err
	}
	run, err := s.runs.Get(r.Context(), user, r.PathValue("run"))
	if err != nil {
		return err
	}
	return httpapi.WriteJSON(w, map[string]any{"run": run.ID, "status": run.Status})
}

// handle calls f with the user of the request.
func (s *service) handle(f func(http.ResponseWriter, *http.Request, scope.Scope) error) http.Handler {
	return &httpapi.Endpoint{
		Answer: func(w http.ResponseWriter, r *http.Request) error {
			user, err := scope.FromContext(r.Context())
			if err != nil {
				return err
			}
			return f(w, r, user)
		},
		Describe: describeError, Log: s.log,
	}
}

// describeError returns what a client may see of an error. A run or an upload of another user is not found, as if it
// did not exist.
func describeError(err error) *httpapi.Problem {
	switch {
	case errors.Is(err, presign.ErrNotArrived):
		return httpapi.NewProblem(http.StatusNotFound, "The file has not been uploaded.")
	case errors.Is(err, presign.ErrInvalid):
		return httpapi.NewProblem(http.StatusBadRequest, "No upload can be granted for these values.")
	}
	return runner.Problem(err)
}
