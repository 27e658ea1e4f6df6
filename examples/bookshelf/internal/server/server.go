package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/admission"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/arrivals"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// MaxUpload is the largest file that is looked at, in bytes.
const MaxUpload = photo.MaxBytes

// Options are what a [Server] is made of. All are needed, but for those with a default.
type Options struct {
	Table   *table.Table
	Tracker *tracking.Tracker // of tracking.Uploads
	Landing *object.Bucket    // where browsers upload to
	Raw     *object.Bucket    // where accepted metadata is kept
	Signer  *presign.Signer   // of Landing
	Agent   *agent.Agent      // with the tools that read an upload
	Prompt  string            // what the agent is asked where the person says nothing
	Pages   http.Handler      // everything outside the API

	// SignIn puts the caller's oidc.Identity into the context of every request to the API, or answers 401.
	SignIn func(http.Handler) http.Handler
	// Token answers /api/dev/token, and Issuer what lies below /issuer/. Default: there are no such paths.
	Token, Issuer http.Handler

	// Photos decodes uploads. It should be the one that the agent's tools use. If nil, the server makes one.
	Photos *photo.Decoder

	// Arrivals notes uploads that are announced and finds those that have arrived. If nil, the server makes a desk that
	// accepts uploads of at most MaxUpload.
	Arrivals *arrivals.Desk

	// Grants bounds the open grants of each user. If nil, they are not bounded.
	Grants *admission.Grants

	// Grace is how long after the end of a grant its upload may still be under way. Default: 15 min.
	Grace time.Duration

	// Hosts are the names, without a port, that requests may be addressed to: a page elsewhere on the web must not
	// reach the server by pointing a name of its own at it. Default: localhost, 127.0.0.1, ::1.
	Hosts []string
	// AnyHost lets requests through whatever they are addressed to: for a server that lets nobody in without a token,
	// which no page elsewhere has. Default: only Hosts.
	AnyHost bool
	// Log gets what went wrong inside, causes included. Default: nothing is logged.
	Log *slog.Logger
}

// Server answers the bookshelf's requests. It is safe for concurrent use.
type Server struct {
	o       Options
	handler http.Handler
	covers  map[string]func() ([]byte, error) // renders the samples, once each

	mu      sync.Mutex // orders the start of a run before or after Close
	closed  bool
	runs    sync.WaitGroup
	life    context.Context // ends with the runs that do not end in time
	endRuns context.CancelCauseFunc
}

// errShutdown is the cause of the end of a run that a shutdown cut off.
var errShutdown = errors.New("server: shutting down")

// errGone says that the client has gone; there is nobody left to answer.
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
	if o.Arrivals == nil {
		o.Arrivals = arrivals.New(o.Table, o.Landing, o.Signer, o.Tracker, &arrivals.Options{MaxSize: MaxUpload, Log: o.Log})
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

// Close takes no new runs, gives those under way until ctx ends, then cuts them off and waits until the record of each
// says so.
func (s *Server) Close(ctx context.Context) {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { s.endRuns(errShutdown) })
	s.runs.Wait()
	stop()
	s.endRuns(errShutdown)
}

// own starts f in a goroutine that Close waits for. It reports false after Close.
func (s *Server) own(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.runs.Go(f)
	return true
}

// caller returns the user who asks. Without an identity, which SignIn lets nobody through without, it is the zero
// Scope, which denies everything.
func caller(r *http.Request) scope.Scope {
	id, _ := oidc.FromContext(r.Context())
	return id.User
}

// watched returns what the caller may watch over: the whole tenant with the role for it, and else their own.
func watched(r *http.Request) scope.Scope {
	id, _ := oidc.FromContext(r.Context())
	if id.Tenant.Level() == scope.TenantLevel {
		return id.Tenant
	}
	return id.User
}

// record finds a session of the caller and its record. An id that is malformed, unknown or another user's is 404.
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
