package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// MaxUpload is the largest accepted upload in bytes.
const MaxUpload = photo.MaxBytes

// Options configures a [Server]. Every field without a default is required.
type Options struct {
	Table   *table.Table
	History *history.Store
	Tracker *tracking.Tracker // for the pipeline tracking.Uploads
	Landing *object.Bucket    // browsers upload here
	Raw     *object.Bucket    // accepted metadata is stored here
	Signer  *presign.Signer   // for Landing
	Agent   *agent.Agent      // with the tools that read an upload
	Prompt  string            // used if the person sends no message
	Pages   http.Handler      // serves all paths outside the API

	// SignIn puts the caller's oidc.Identity into the context of every request to the API, or answers 401.
	SignIn func(http.Handler) http.Handler
	// Token answers /api/dev/token, and Issuer the paths below /issuer/. If nil, these paths do not exist.
	Token, Issuer http.Handler

	// Photos decodes uploads. It should be the decoder that the agent's tools use. If nil, the server makes one.
	Photos *photo.Decoder

	// Arrivals records announced uploads and finds those that have arrived. Its Failure should be RejectedUpload.
	Arrivals *arrivals.Recorder

	// Admission limits the open grants of each user. If nil, they are not limited.
	Admission *admission.Admission

	// Grace is how long after the end of a grant its upload may still be in flight. Default: 15 min.
	Grace time.Duration

	// Hosts are the accepted Host names, without a port. They prevent DNS rebinding by pages elsewhere on the web.
	// Default: localhost, 127.0.0.1, ::1.
	Hosts []string
	// AnyHost accepts every Host name. It is safe only if every request needs a token, which other pages do not
	// have.
	AnyHost bool
	// Log receives internal errors with their causes. If nil, nothing is logged.
	Log *slog.Logger
}

// Server answers the bookshelf's requests. It is safe for concurrent use.
type Server struct {
	o       Options
	handler http.Handler
	covers  map[string]func() ([]byte, error) // renders the samples, once each

	mu      sync.Mutex // serializes the start of a run with Close
	closed  bool
	runs    sync.WaitGroup
	life    context.Context // cancels the runs that do not end in time
	endRuns context.CancelCauseFunc
}

// errShutdown is the cancellation cause of a run that a shutdown cuts off.
var errShutdown = errors.New("server: shutting down")

// errGone is returned if the client has disconnected.
var errGone = errors.New("server: the client has gone")

// New returns a server.
func New(o Options) *Server {
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
	s.life, s.endRuns = context.WithCancelCause(context.Background())
	s.handler = s.routes()
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close rejects new runs and waits for those in flight until ctx ends. It then cancels them and waits until their
// records are updated.
func (s *Server) Close(ctx context.Context) {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { s.endRuns(errShutdown) })
	s.runs.Wait()
	stop()
	s.endRuns(errShutdown)
}

// own runs f in a goroutine that Close waits for. It returns false after Close.
func (s *Server) own(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.runs.Go(f)
	return true
}

// caller returns the calling user's Scope. Without an identity, which SignIn never lets pass, it is the zero Scope,
// which denies everything.
func caller(r *http.Request) scope.Scope {
	id, _ := oidc.FromContext(r.Context())
	return id.User
}

// watched returns the Scope that the caller may watch: the whole tenant with the role for it, otherwise their own.
func watched(r *http.Request) scope.Scope {
	id, _ := oidc.FromContext(r.Context())
	if id.Tenant.Level() == scope.TenantLevel {
		return id.Tenant
	}
	return id.User
}

// record returns the caller's session with this id and its record. It answers 404 if the id is malformed, unknown or
// another user's.
func (s *Server) record(r *http.Request, id string) (scope.Scope, tracking.Record, error) {
	unknown := newProblem(http.StatusNotFound, "There is no such upload.")
	session, err := caller(r).Session(id)
	if err != nil {
		return scope.Scope{}, tracking.Record{}, unknown
	}
	rec, err := s.o.Tracker.Get(r.Context(), session)
	if errors.Is(err, tracking.ErrNotFound) {
		return scope.Scope{}, tracking.Record{}, unknown
	}
	return session, rec, err
}

// health answers GET /health.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, map[string]string{"status": "ok"})
}
