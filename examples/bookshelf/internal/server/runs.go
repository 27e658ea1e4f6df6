package server

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/tracking"
)

// eventsPath returns the path of a run's events.
func eventsPath(run string) string { return "/api/runs/" + run + "/events" }

// serveEvents answers GET /api/runs/{run}/events with the events after the client's last one.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) error {
	if _, err := parseQuery(r); err != nil {
		return err
	}
	s.serveRun(w, r, r.PathValue("run"))
	return nil
}

// serveRun streams the events of a run of the caller.
func (s *Server) serveRun(w http.ResponseWriter, r *http.Request, run string) {
	sse.Serve(w, r, func(ctx context.Context, after string) iter.Seq2[[]sse.Event, error] {
		return s.runs.Follow(ctx, callerOf(r), run, after, Events())
	}, &sse.Options{Drain: s.drainOf(r), Unbuffered: s.o.Unbuffered, Error: s.writeRunError})
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

// stopRun answers POST /api/runs/{run}/stop. The run ends within seconds; its events say when.
func (s *Server) stopRun(w http.ResponseWriter, r *http.Request) error {
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

// IsLive reports whether a run of the record's session has not ended. It is for a sweep, see [tracking.SweepOptions].
func (s *Server) IsLive(ctx context.Context, rec tracking.Record) (bool, error) {
	run, err := s.runs.Get(ctx, rec.Scope, "")
	if errors.Is(err, runner.ErrNotFound) {
		return false, nil
	}
	return err == nil && !run.Status.HasEnded(), err
}

// Watch takes over the runs of processes that have died, until ctx ends or the server is closed.
func (s *Server) Watch(ctx context.Context) { s.runs.Watch(ctx, s.o.Table.System()) }
