package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"strconv"
	"time"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools/approval"
)

// crashAnswerBody is the body of an answer: the run that was started.
type crashAnswerBody struct{ Run string }

func (s *crashServer) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{tenant}/{user}/{session}/runs", s.answer(s.startRun))
	mux.HandleFunc("POST /{tenant}/{user}/{session}/runs/{run}/approvals/{id}", s.answer(s.decide))
	mux.HandleFunc("POST /{tenant}/{user}/{session}/runs/{run}/stop", s.answer(s.stopRun))
	mux.HandleFunc("GET /{tenant}/{user}/{session}/runs/{run}/events", func(w http.ResponseWriter, r *http.Request) {
		session, err := sessionOf(r)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		sse.Serve(w, r, func(ctx context.Context, after string) iter.Seq2[[]sse.Event, error] {
			return s.Follow(ctx, session, r.PathValue("run"), after, replay.Plain())
		}, &sse.Options{
			Drain: s.drain, KeepAlive: 500 * time.Millisecond, Lifetime: 3 * time.Second, Retry: 100 * time.Millisecond,
		})
	})
	mux.HandleFunc("POST /kill/{requests}", func(_ http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("requests"))
		s.store.killAfter(n)
	})
	return mux
}

// sessionOf returns the session of a request. A real service would take the identity from a token.
func sessionOf(r *http.Request) (scope.Scope, error) {
	tenant, err := scope.Tenant(r.PathValue("tenant"))
	if err != nil {
		return tenant, err
	}
	user, err := tenant.User(r.PathValue("user"))
	if err != nil {
		return user, err
	}
	return user.Session(r.PathValue("session"))
}

// answer answers a request with a run.
func (s *crashServer) answer(f func(*http.Request, scope.Scope) (*runner.Run, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		session, err := sessionOf(r)
		var run *runner.Run
		if err == nil {
			run, err = f(r, session)
		}
		if err == nil {
			_ = json.NewEncoder(w).Encode(crashAnswerBody{run.ID})
			return
		}
		_, isFull := errors.AsType[*admission.FullError](err)
		_, isRunning := errors.AsType[*runner.RunningError](err)
		status := http.StatusServiceUnavailable
		switch {
		case isFull:
			status = http.StatusTooManyRequests
		case isRunning, errors.Is(err, runner.ErrNotPending), errors.Is(err, approval.ErrDecided):
			status = http.StatusConflict
		case errors.Is(err, runner.ErrNotFound), errors.Is(err, approval.ErrNotFound):
			status = http.StatusNotFound
		}
		http.Error(w, err.Error(), status)
	}
}

func (s *crashServer) startRun(r *http.Request, session scope.Scope) (*runner.Run, error) {
	var q struct{ Prompt string }
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return nil, err
	}
	if _, err := s.tracker.Create(r.Context(), session, nil); err != nil {
		return nil, err
	}
	return s.Start(r.Context(), runner.Request{Scope: session, Prompt: q.Prompt, Key: r.Header.Get("Idempotency-Key")})
}

func (s *crashServer) decide(r *http.Request, session scope.Scope) (*runner.Run, error) {
	var d approval.Decision
	if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
		return nil, err
	}
	return s.Decide(r.Context(), session, r.PathValue("run"), r.PathValue("id"), d)
}

func (s *crashServer) stopRun(r *http.Request, session scope.Scope) (*runner.Run, error) {
	run := &runner.Run{ID: r.PathValue("run")}
	return run, s.Stop(r.Context(), session, run.ID)
}
