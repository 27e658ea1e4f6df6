package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/carrel-go/carrel/agent/runner"
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
	return json.NewEncoder(w).Encode(map[string]any{"session": session.SessionID(), "grant": grant})
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
	return json.NewEncoder(w).Encode(map[string]any{"run": run.ID})
}

// followRun streams the events of a run after the one in the header Last-Event-ID.
func (s *service) followRun(w http.ResponseWriter, r *http.Request, user scope.Scope) error {
	sse.Serve(w, r, s.runs.Source(user, r.PathValue("run"), replay.Plain()), &sse.Options{Drain: s.drain})
	return nil
}

// stopRun stops a run of this or another process.
func (s *service) stopRun(_ http.ResponseWriter, r *http.Request, user scope.Scope) error {
	return s.runs.Stop(r.Context(), user, r.PathValue("run"))
}

// handle calls f with the user of the request, and answers with its error.
func (s *service) handle(f func(http.ResponseWriter, *http.Request, scope.Scope) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, err := scope.FromContext(r.Context())
		if err == nil {
			err = f(w, r, user)
		}
		switch {
		case err == nil:
		case errors.Is(err, runner.ErrNotFound), errors.Is(err, presign.ErrNotArrived):
			http.Error(w, "not found", http.StatusNotFound) // the same answer for the run of another user
		case errors.Is(err, scope.ErrInvalid), errors.Is(err, presign.ErrInvalid), errors.Is(err, runner.ErrInvalid):
			http.Error(w, err.Error(), http.StatusBadRequest)
		case errors.As(err, new(*runner.RunningError)):
			http.Error(w, err.Error(), http.StatusConflict)
		case errors.Is(err, runner.ErrTooLarge):
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		case errors.Is(err, runner.ErrKeyReused):
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		default:
			s.log.Error("request failed", "path", r.URL.Path, "error", err)
			http.Error(w, "internal error", http.StatusInternalServerError)
		}
	}
}
