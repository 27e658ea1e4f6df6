package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/chatlist"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tracking"
)

const (
	// MaxUpload is the largest file in bytes.
	MaxUpload = 100_000_000_000
	// MaxPut is the largest file that is sent in one piece.
	MaxPut = 64 << 20
	// Review is how long a person may take to continue with a file.
	Review = 90 * 24 * time.Hour
	// ChatRetention is how long a chat is kept after its last message.
	ChatRetention = 90 * 24 * time.Hour
	// RoleSteward is the group of the users who may share files with their tenant.
	RoleSteward = "steward"
)

// Options configures a [Server]. Every field without a default is required.
type Options struct {
	Table   *table.Table
	History *history.Store
	Logs    *replay.Store     // of the events of runs
	Tracker *tracking.Tracker // for files.Pipeline
	Files   *files.Store
	Signer  *presign.Signer // for the bucket of Files
	// Work stores what of a run does not fit the table. It is not the bucket of Files, whose objects are listed.
	Work      *object.Bucket
	Agent     *agent.Agent // with the tools of package intaketools
	Pages     http.Handler // serves all paths outside the API
	Arrivals  *arrivals.Recorder
	Admission *admission.Admission

	// SignIn puts the caller's oidc.Identity into the context of every request to the API, or answers 401.
	SignIn func(http.Handler) http.Handler
	// Token answers /api/dev/token. If nil, the path does not exist.
	Token http.Handler

	// Lease is how long a process may be silent before another one takes over its runs. Default: 10 s.
	Lease time.Duration
	// Exclusive states that no other process uses the table. Runs of a killed process are then taken over at once.
	Exclusive bool
	// AnyHost accepts every Host name. It is safe only if every request needs a token. By default, only the names of
	// this machine are accepted, which prevents DNS rebinding.
	AnyHost bool
	// Log receives internal errors with their causes. If nil, they are not logged.
	Log *slog.Logger
}

// Server answers intake's requests. It is safe for concurrent use.
type Server struct {
	o          Options
	handler    http.Handler
	runs       *runner.Runner
	chats      *chatlist.Store
	streams    context.Context // ends the streams of events
	endStreams func()
}

// New returns a server. It returns an error if a store is missing.
func New(o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Files == nil || o.Signer == nil || o.Agent == nil || o.Arrivals == nil || o.Admission == nil ||
		o.Tracker == nil || o.SignIn == nil || o.Pages == nil {
		return nil, errors.New("server: a required option is missing")
	}
	s := &Server{o: o}
	s.streams, s.endStreams = context.WithCancel(context.Background())
	var err error
	if s.chats, err = chatlist.New(o.Table); err != nil {
		return nil, err
	}
	s.runs, err = runner.New(o.Table, s.newHost(), &runner.Options{
		Logs: o.Logs, Turns: o.History, Lease: o.Lease, Exclusive: o.Exclusive, Objects: o.Work, Logger: o.Log,
		Admission: o.Admission, ChatRetention: ChatRetention, Retention: ChatRetention,
	})
	if err != nil {
		return nil, err
	}
	s.handler = s.newHandler()
	return s, nil
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Watch takes over the runs of processes that have died, until ctx ends or the server is closed.
func (s *Server) Watch(ctx context.Context) { s.runs.Watch(ctx, s.o.Table.System()) }

// Close rejects new runs and hands those in flight over to another process, or to the next start of this one. Then it
// ends the streams, whose clients reconnect.
func (s *Server) Close(ctx context.Context) {
	if err := s.runs.Shutdown(ctx); err != nil {
		s.o.Log.WarnContext(ctx, "a run does not end", "err", err)
	}
	s.endStreams()
}

// IsLive reports whether the run that works on a file has not ended. It is for a sweep, see [tracking.SweepOptions].
func (s *Server) IsLive(ctx context.Context, rec tracking.Record) (bool, error) {
	id := rec.Stage(files.Profiled).Key
	if id == "" {
		return false, nil
	}
	user, err := s.userOf(rec.Scope)
	if err != nil {
		return false, err
	}
	run, err := s.runs.Get(ctx, user, id)
	if errors.Is(err, runner.ErrNotFound) {
		return false, nil
	}
	return err == nil && !run.Status.HasEnded(), err
}

// userOf returns the user of a session.
func (s *Server) userOf(session scope.Scope) (scope.Scope, error) {
	view, err := s.o.Table.System().Above(session, scope.UserLevel)
	if err != nil {
		return scope.Scope{}, err
	}
	return view.Scope(), nil
}

// view returns the files that the caller sees.
func (s *Server) view(r *http.Request) (*files.View, error) {
	id, err := oidc.FromContext(r.Context())
	if err != nil {
		return nil, err
	}
	shared := id.Shared.ReadOnly()
	if isSteward(id) {
		shared = id.Shared
	}
	return s.o.Files.Open(id.User, shared)
}

func isSteward(id oidc.Identity) bool { return slices.Contains(id.Groups, RoleSteward) }

// callerOf returns the calling user's Scope. Without an identity, which SignIn never lets pass, it is the zero Scope,
// which denies everything.
func callerOf(r *http.Request) scope.Scope {
	id, _ := oidc.FromContext(r.Context())
	return id.User
}
