package server

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

const (
	maxMessage = 4000 // characters
	maxRuns    = 20   // of a chat, in its list
	dialect    = "plain"
)

var errNoChat = newProblem(http.StatusNotFound, "This chat does not exist.")

func eventsPath(run string) string { return "/api/runs/" + run + "/events" }

// serveChat answers POST /api/chat: it starts the run that answers a message or takes in a file, and streams its
// events.
func (s *Server) serveChat(w http.ResponseWriter, r *http.Request) error {
	var chatID, message, fileID string
	fields := map[string]any{"chat_id": &chatID, "message": &message, "file_id": &fileID}
	if err := readBody(w, r, fields); err != nil {
		return err
	}
	if message == "" && fileID == "" {
		return newProblem(http.StatusBadRequest, "The field message is missing.")
	}
	if utf8.RuneCountInString(message) > maxMessage {
		detail := fmt.Sprintf("The message is longer than %d characters.", maxMessage)
		return newProblem(http.StatusRequestEntityTooLarge, detail)
	}
	if message != "" && strings.TrimSpace(message) == "" {
		return newProblem(http.StatusBadRequest, "The message is blank.")
	}
	key, err := httpapi.IdempotencyKey(r)
	if err != nil {
		return err
	}
	id, err := oidc.FromContext(r.Context())
	if err != nil {
		return err
	}
	session, err := s.findChat(r.Context(), id, chatID, key)
	if err != nil {
		return err
	}
	q := runner.Request{Scope: session, Shared: id.Shared.ReadOnly(), Prompt: message, Key: key}
	if fileID != "" {
		f, err := s.findFile(r, fileID)
		if err != nil {
			return err
		}
		q.Agent = takePrefix + fileID
		if message == "" {
			q.Prompt = "Take in " + f.Name // for the person who sees the chat again
		}
	}
	run, err := s.startRun(r, q, fileID)
	if err != nil {
		return err
	}
	w.Header().Set("Location", eventsPath(run))
	w.Header().Set("Chat-Id", session.SessionID())
	s.serveRun(w, r, run)
	return nil
}

// findChat returns the session of a chat of the user, or a new one if the id is empty. A request that is repeated with
// the same idempotency key gets the same new session.
func (s *Server) findChat(ctx context.Context, id oidc.Identity, chatID, key string) (scope.Scope, error) {
	if chatID == "" && key == "" {
		return id.User.NewSession()
	}
	if chatID == "" {
		c, err := s.runs.Chat(runner.Conversation{User: id.User, Dialect: dialect, ID: key})
		if err != nil {
			return scope.Scope{}, err
		}
		return c.Session(ctx)
	}
	session, err := id.User.Session(chatID)
	if err != nil {
		return scope.Scope{}, errNoChat
	}
	if _, err := s.runs.Get(ctx, session, ""); err != nil {
		if errors.Is(err, runner.ErrNotFound) { // a session that nothing was said in, such as that of a file
			err = errNoChat
		}
		return scope.Scope{}, err
	}
	return session, nil
}

// startRun starts a run, or finds the one that an earlier request with the same key has started.
func (s *Server) startRun(r *http.Request, q runner.Request, fileID string) (string, error) {
	ctx := r.Context()
	if q.Key != "" {
		run, err := s.runs.Find(ctx, q)
		if err == nil {
			return run.ID, nil
		}
		if !errors.Is(err, runner.ErrNotFound) {
			return "", startProblem(err)
		}
	}
	if fileID != "" {
		if err := s.checkReady(r, fileID); err != nil {
			return "", err
		}
	}
	run, err := s.runs.Start(ctx, q)
	if err != nil {
		return "", startProblem(err)
	}
	return run.ID, nil
}

// findFile returns a file that the caller sees.
func (s *Server) findFile(r *http.Request, id string) (files.File, error) {
	view, err := s.view(r)
	if err != nil {
		return files.File{}, err
	}
	f, err := view.Get(r.Context(), id)
	return f, fileProblem(err)
}

// checkReady returns a problem unless the file has arrived and can be taken in.
func (s *Server) checkReady(r *http.Request, fileID string) error {
	f, err := s.findFile(r, fileID)
	switch {
	case err != nil:
		return err
	case f.Shared:
		return fileProblem(files.ErrShared)
	case f.Report.IsRecorded() && f.Stage != files.Profiled:
		return newProblem(http.StatusConflict, "The file was taken in already.")
	case f.NotTable:
		return newProblem(http.StatusConflict, f.Failure)
	case f.Ended:
		return newProblem(http.StatusConflict, "The upload has ended and cannot be taken in. Upload the file again.")
	}
	session, err := callerOf(r).Session(fileID)
	if err != nil {
		return errNoFile
	}
	rec, err := s.o.Tracker.Get(r.Context(), session)
	if err != nil {
		return err
	}
	if f.Run != "" {
		isLive, err := s.IsLive(r.Context(), rec)
		if err != nil {
			return err
		}
		if isLive {
			p := newProblem(http.StatusConflict, "This file is being read already.")
			return p.WithHeader("Location", eventsPath(f.Run))
		}
	}
	_, err = s.o.Arrivals.Arrived(r.Context(), rec)
	if _, isRejected := errors.AsType[*presign.RejectedError](err); isRejected {
		return nil // the run says why
	}
	if errors.Is(err, presign.ErrNotArrived) {
		return newProblem(http.StatusConflict, "The file has not arrived yet.")
	}
	return err
}

// startProblem adds to the error of a run that was not started which run is in its way.
func startProblem(err error) error {
	if running, ok := errors.AsType[*runner.RunningError](err); ok {
		p := newProblem(http.StatusConflict, "This chat is still being answered.")
		return p.WithHeader("Location", eventsPath(running.Run))
	}
	return err
}

// serveRuns answers GET /api/chat/{id} with the ids of the chat's last runs, oldest first.
func (s *Server) serveRuns(w http.ResponseWriter, r *http.Request) error {
	session, err := callerOf(r).Session(r.PathValue("id"))
	if err != nil {
		return errNoChat
	}
	run, err := s.runs.Get(r.Context(), session, "")
	if errors.Is(err, runner.ErrNotFound) {
		return errNoChat
	}
	if err != nil {
		return err
	}
	number := run.ID[strings.LastIndexByte(run.ID, '.')+1:]
	last, err := strconv.Atoi(number)
	if err != nil {
		return fmt.Errorf("server: invalid run id %q: %w", run.ID, err)
	}
	ids := []string{}
	for n := max(1, last-maxRuns+1); n <= last; n++ {
		ids = append(ids, strings.TrimSuffix(run.ID, number)+strconv.Itoa(n))
	}
	return httpapi.WriteJSON(w, map[string]any{
		"chat_id": session.SessionID(), "runs": ids, "running": !run.Status.HasEnded(),
	})
}

// serveEvents answers GET /api/runs/{run}/events with the events after the client's last one.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) error {
	s.serveRun(w, r, r.PathValue("run"))
	return nil
}

// serveRun streams the events of a run of the caller.
func (s *Server) serveRun(w http.ResponseWriter, r *http.Request, run string) {
	user := callerOf(r)
	sse.Serve(w, r, func(ctx context.Context, after string) iter.Seq2[[]sse.Event, error] {
		return s.runs.Follow(ctx, user, run, after, replay.Plain())
	}, &sse.Options{Drain: s.streams, Error: s.writeRunError})
}

// writeRunError answers a request whose stream could not begin.
func (s *Server) writeRunError(w http.ResponseWriter, r *http.Request, err error) {
	p := runner.Problem(err)
	if p.Status == http.StatusInternalServerError {
		s.o.Log.ErrorContext(r.Context(), "follow a run", "path", r.URL.Path, "err", err)
		p = newProblem(http.StatusServiceUnavailable, "The events cannot be read now. Try again.")
		p.RetryAfter = 2 * time.Second
	}
	p.Write(w)
}

// stopRun answers POST /api/runs/{run}/stop. The run ends within seconds; its events say when. The status is "ended" if
// it had ended before.
func (s *Server) stopRun(w http.ResponseWriter, r *http.Request) error {
	run, err := s.runs.Get(r.Context(), callerOf(r), r.PathValue("run"))
	if err != nil {
		return err
	}
	if run.Status.HasEnded() {
		return httpapi.WriteJSON(w, map[string]string{"status": "ended"})
	}
	if err := s.runs.Stop(r.Context(), callerOf(r), r.PathValue("run")); err != nil {
		return err
	}
	return httpapi.WriteJSON(w, map[string]string{"status": "stopping"})
}

// serveResult answers GET /api/runs/{run}/results/{call} with the whole result of a tool call.
func (s *Server) serveResult(w http.ResponseWriter, r *http.Request) error {
	res, err := s.runs.ToolResult(r.Context(), callerOf(r), r.PathValue("run"), r.PathValue("call"))
	if err != nil {
		return err
	}
	return httpapi.WriteJSON(w, res)
}
