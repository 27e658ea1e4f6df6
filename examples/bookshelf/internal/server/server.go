package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/chatlist"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/draft"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools/approval"
	"github.com/carrel-go/carrel/tracking"
)

// MaxUpload is the largest accepted upload in bytes.
const MaxUpload = photo.MaxBytes

// Options configures a [Server]. Every field without a default is required.
type Options struct {
	Table   *table.Table
	History *history.Store
	Logs    *replay.Store     // of the events of runs
	Tracker *tracking.Tracker // for the pipeline tracking.Uploads
	Landing *object.Bucket    // browsers upload here
	Raw     *object.Bucket    // accepted metadata is stored here
	Signer  *presign.Signer   // for Landing; serves PNG, JPEG and WebP
	Agent   *agent.Agent      // with the tools that read an upload and know the drafts in Table
	Prompt  string            // used if the person sends no message
	Pages   http.Handler      // serves all paths outside the API

	Library      *library.Library    // the accepted books
	SharedSigner *presign.Signer     // for Raw, which has the photos of shared books; serves PNG, JPEG and WebP
	Chat         *agent.Agent        // with the tools of package librarytools
	Approvals    *approval.Approvals // of the tools of Chat

	// SignIn puts the caller's oidc.Identity into the context of every request to the API, or answers 401.
	SignIn func(http.Handler) http.Handler
	// Token answers /api/dev/token, and Issuer the paths below /issuer/. If nil, these paths do not exist.
	Token, Issuer http.Handler
	// SignInPaths answers /api/sign-in, the paths below it, /sign-in/start and /sign-in/callback: see package signin. If
	// nil, these paths do not exist.
	SignInPaths http.Handler

	// Photos decodes uploads. It should be the decoder that the agent's tools use. If nil, the server makes one.
	Photos *photo.Decoder

	// Arrivals records announced uploads and finds those that have arrived. Its Failure should be RejectedUpload.
	Arrivals *arrivals.Recorder

	// Admission limits the open grants of each user, and the runs of each user and tenant. If nil, they are not limited.
	Admission *admission.Admission

	// StepTokens is the estimated number of tokens of a request to the model, which is reserved from the budget of
	// Admission. Zero means that runs do not use the budget.
	StepTokens int64

	// ChatRetention is how long the id that a client of another protocol chose for a chat is known after its last message,
	// see package runner. It is that of History. Default: forever.
	ChatRetention time.Duration
	// Lease is how long a process may be silent before another one takes over its runs. Default: 10 s.
	Lease time.Duration
	// Exclusive states that no other process uses the table. Runs of a killed process are then taken over at once.
	Exclusive bool

	// Grace is how long after the end of a grant its upload may still be in flight. Default: 15 min.
	Grace time.Duration

	// Hosts are the accepted Host names, without a port. They prevent DNS rebinding by pages elsewhere on the web.
	// Default: localhost, 127.0.0.1, ::1.
	Hosts []string
	// AnyHost accepts every Host name. It is safe only if every request needs a token, which other pages do not
	// have.
	AnyHost bool
	// Unbuffered states that responses cannot flush but pass on each Write at once, see [sse.Options].
	Unbuffered bool
	// Log receives internal errors with their causes. If nil, nothing is logged.
	Log *slog.Logger
}

// Server answers the bookshelf's requests. It is safe for concurrent use.
type Server struct {
	o       Options
	handler http.Handler
	covers  map[string]func() ([]byte, error) // renders the samples, once each

	drafts     *draft.Store
	chats      *chatlist.Store
	runs       *runner.Runner
	searches   *admission.Fair // of uploads
	streams    context.Context // ends the streams of events
	endStreams func()
}

// New returns a server. It returns an error if a store is missing.
func New(o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Hosts == nil {
		o.Hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	if o.Photos == nil {
		o.Photos = photo.NewDecoder(nil)
	}
	if o.Grace == 0 {
		o.Grace = grace
	}
	s := &Server{o: o, covers: newCovers()}
	s.streams, s.endStreams = context.WithCancel(context.Background())
	var err error
	if s.drafts, err = draft.NewStore(o.Table); err != nil {
		return nil, err
	}
	if s.chats, err = chatlist.New(o.Table); err != nil {
		return nil, err
	}
	if s.searches, err = admission.NewFair(searches, tenantSearches); err != nil {
		return nil, err
	}
	s.runs, err = runner.New(o.Table, s.newHost(), &runner.Options{
		Logs: o.Logs, Turns: o.History, Lease: o.Lease, Exclusive: o.Exclusive, ChatRetention: o.ChatRetention,
		Objects: o.Landing, Logger: o.Log, Approvals: o.Approvals, Admission: o.Admission, StepTokens: o.StepTokens,
	})
	if err != nil {
		return nil, err
	}
	s.handler, err = s.newHandler()
	return s, err
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close rejects new runs and hands those in flight over to another process, or to the next start of this one: each at
// its next checkpoint, and the rest when ctx ends. Then it ends the streams, whose clients reconnect.
func (s *Server) Close(ctx context.Context) {
	if err := s.runs.Shutdown(ctx); err != nil {
		s.o.Log.WarnContext(ctx, "a run does not end", "err", err)
	}
	s.endStreams()
}

// callerOf returns the calling user's Scope. Without an identity, which SignIn never lets pass, it is the zero Scope,
// which denies everything.
func callerOf(r *http.Request) scope.Scope {
	id, _ := oidc.FromContext(r.Context())
	return id.User
}

// watchedBy returns the Scope that the caller may watch: the whole tenant with the role for it, otherwise their own.
func watchedBy(r *http.Request) scope.Scope {
	id, _ := oidc.FromContext(r.Context())
	if id.Tenant.Level() == scope.TenantLevel {
		return id.Tenant
	}
	return id.User
}

// findRecord returns the caller's session with this id and its record. It answers 404 if the id is malformed, unknown
// or another user's.
func (s *Server) findRecord(r *http.Request, id string) (scope.Scope, tracking.Record, error) {
	unknown := newProblem(http.StatusNotFound, "This upload does not exist.")
	session, err := callerOf(r).Session(id)
	if err != nil {
		return scope.Scope{}, tracking.Record{}, unknown
	}
	rec, err := s.o.Tracker.Get(r.Context(), session)
	if errors.Is(err, tracking.ErrNotFound) {
		return scope.Scope{}, tracking.Record{}, unknown
	}
	return session, rec, err
}

// serveHealth answers GET /health.
func (s *Server) serveHealth(w http.ResponseWriter, _ *http.Request) error {
	return httpapi.WriteJSON(w, map[string]string{"status": "ok"})
}
