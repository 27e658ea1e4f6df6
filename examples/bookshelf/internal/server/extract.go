package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tracking"
)

// maxMessage is the longest message to the agent in characters.
const maxMessage = 4000

// serveExtract answers POST /api/metadata/extract: it starts a run on the upload and streams its events. Its frame is
// small, since a server has many streams.
func (s *Server) serveExtract(w http.ResponseWriter, r *http.Request) error {
	run, err := s.startExtract(w, r)
	if err != nil {
		return err
	}
	w.Header().Set("Location", eventsPath(run))
	s.serveRun(w, r, run)
	return nil
}

// startExtract starts the run of a request and returns its id.
func (s *Server) startExtract(w http.ResponseWriter, r *http.Request) (run string, _ error) {
	var id, message string
	if err := readBody(w, r, map[string]any{"session_id": &id, "message": &message}); err != nil {
		return "", err
	}
	if id == "" {
		return "", newProblem(http.StatusBadRequest, "The field session_id is missing.")
	}
	if err := checkMessage(message); err != nil {
		return "", err
	}
	key, err := httpapi.IdempotencyKey(r)
	if err != nil {
		return "", err
	}
	session, rec, err := s.findRecord(r, id)
	if err != nil {
		return "", err
	}
	return s.startRun(r.Context(), rec, runner.Request{Scope: session, Prompt: message, Key: key})
}

// checkMessage returns a problem for a message that is too long, or blank but not empty.
func checkMessage(message string) error {
	if utf8.RuneCountInString(message) > maxMessage {
		detail := fmt.Sprintf("The message is longer than %d characters.", maxMessage)
		return newProblem(http.StatusRequestEntityTooLarge, detail)
	}
	if message != "" && strings.TrimSpace(message) == "" {
		return newProblem(http.StatusBadRequest, "The message is blank.")
	}
	return nil
}

// startRun starts a run, or finds the one that an earlier request with the same key has started.
func (s *Server) startRun(ctx context.Context, rec tracking.Record, q runner.Request) (string, error) {
	if q.Key != "" {
		run, err := s.runs.Find(ctx, q)
		if err == nil {
			return run.ID, nil
		}
		if !errors.Is(err, runner.ErrNotFound) {
			return "", startError(rec.Scope, err)
		}
	}
	if err := s.checkReady(ctx, rec); err != nil {
		return "", err
	}
	run, err := s.runs.Start(ctx, q)
	if err != nil {
		return "", startError(rec.Scope, err)
	}
	return run.ID, nil
}

// checkReady returns a problem unless the upload is there and nobody works on it.
func (s *Server) checkReady(ctx context.Context, rec tracking.Record) error {
	st := rec.Stage(tracking.Enrichment)
	switch {
	case rec.Terminal:
		detail := "The upload has ended and cannot be extracted again. " + st.Error.Message
		return newProblem(http.StatusConflict, strings.TrimSpace(detail))
	case st.Live(time.Now()):
		return newBusyProblem(rec.Scope, st.Key)
	}
	_, err := s.o.Arrivals.Arrived(ctx, rec)
	if _, ok := errors.AsType[*presign.RejectedError](err); err == nil || ok {
		return nil // the run says why it was rejected
	}
	if errors.Is(err, presign.ErrNotArrived) {
		return newProblem(http.StatusConflict, "The file has not arrived yet.")
	}
	s.o.Log.ErrorContext(ctx, "look for the upload", "scope", rec.Scope.String(), "err", err)
	p := newProblem(http.StatusServiceUnavailable, "The storage is unavailable. Try again.")
	return p.WithHeader("Retry-After", "2")
}

// startError adds to the error of a run that was not started what is in its way.
func startError(session scope.Scope, err error) error {
	if running, ok := errors.AsType[*runner.RunningError](err); ok {
		return newBusyProblem(session, running.Run)
	}
	return err
}

// newBusyProblem returns the response if a run or an accept holds the stage under this key.
func newBusyProblem(session scope.Scope, key string) *problem {
	if isAcceptKey(key) {
		return newProblem(http.StatusConflict, "The upload is being accepted.").WithHeader("Retry-After", "1")
	}
	p := newProblem(http.StatusConflict, "A run is in flight for this upload. Wait until it has ended.")
	if strings.HasPrefix(key, session.SessionID()+".") {
		return p.WithHeader("Location", eventsPath(key))
	}
	return p.WithHeader("Retry-After", "1")
}
