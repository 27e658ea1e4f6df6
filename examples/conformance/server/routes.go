package main

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/carrel-go/carrel/agent/agui"
	"github.com/carrel-go/carrel/agent/aisdk"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

func (s *service) routes() (http.Handler, error) {
	stream := sse.Options{Drain: s.drain, Error: writeError}
	ui, err := agui.New(func(r *http.Request, thread string) (agui.Chat, error) {
		return s.openChat(r, thread, true)
	}, &agui.Options{Stream: stream})
	if err != nil {
		return nil, err
	}
	chat, err := aisdk.New(func(r *http.Request, id string) (aisdk.Chat, error) {
		return s.openChat(r, id, false)
	}, &aisdk.Options{Stream: stream})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("POST /agui", ui)
	mux.Handle("POST /aisdk", chat)
	mux.Handle("GET /aisdk/{id}/stream", chat)
	mux.HandleFunc("GET /runs/{run}/events", s.follow)
	mux.HandleFunc("POST /runs/{run}/stop", s.handle(s.stop))
	mux.HandleFunc("GET /loans/{session}", s.handle(s.loans))
	mux.HandleFunc("GET /began", s.handle(func(*http.Request, scope.Scope) (any, error) { return s.began.Load(), nil }))
	mux.HandleFunc("POST /interrupt", s.handle(s.interrupt))
	return mux, nil
}

// userOf returns the user of a request, as it says itself.
func userOf(r *http.Request) (scope.Scope, error) {
	tenant, err := scope.Tenant("acme")
	if err != nil {
		return scope.Scope{}, err
	}
	return tenant.User(cmp.Or(r.Header.Get("User"), "u1"))
}

// openChat returns the caller's conversation under a client's id. Clients of all dialects that use the same id meet in
// the same conversation.
func (s *service) openChat(r *http.Request, id string, isStrict bool) (*runner.Chat, error) {
	user, err := userOf(r)
	if err != nil {
		return nil, err
	}
	return s.runs.Chat(runner.Conversation{User: user, Dialect: "any", ID: id, Strict: isStrict})
}

// follow streams the events of a run as they are in its log.
func (s *service) follow(w http.ResponseWriter, r *http.Request) {
	user, err := userOf(r)
	if err != nil {
		writeError(w, r, err)
		return
	}
	sse.Serve(w, r, s.runs.Source(user, r.PathValue("run"), replay.Plain()),
		&sse.Options{Drain: s.drain, Error: writeError})
}

func (s *service) handle(answer func(r *http.Request, user scope.Scope) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, err := userOf(r)
		var v any
		if err == nil {
			v, err = answer(r, user)
		}
		if err != nil {
			writeError(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
}

// stop stops a run.
func (s *service) stop(r *http.Request, user scope.Scope) (any, error) {
	return "stopping", s.runs.Stop(r.Context(), user, r.PathValue("run"))
}

// loans returns the titles of the books that a session has lent.
func (s *service) loans(r *http.Request, user scope.Scope) (any, error) {
	session, err := user.Session(r.PathValue("session"))
	if err != nil {
		return nil, err
	}
	view, err := s.table.In(session)
	if err != nil {
		return nil, err
	}
	page, err := view.Query(r.Context(), table.Query{From: loanPrefix, To: loanEnd, Consistent: true})
	titles := []table.Value{}
	for _, f := range page.Items {
		titles = append(titles, f.Item.Attr["title"])
	}
	return titles, err
}

// interrupt makes the process lose its runs, which are then continued from their last checkpoints. The clients that
// follow them stay connected.
func (s *service) interrupt(r *http.Request, _ scope.Scope) (any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), time.Nanosecond)
	defer cancel()
	return "interrupted", s.runs.HandOver(ctx)
}

func writeError(w http.ResponseWriter, _ *http.Request, err error) {
	p := runner.Problem(err)
	http.Error(w, err.Error(), p.Status) // a service hides the reason of a 500
}
