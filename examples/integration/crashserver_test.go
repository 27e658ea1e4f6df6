package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools/approval"
	"github.com/carrel-go/carrel/tracking"
)

// crashServerVariable turns the test's binary into a server of the crash test. Its value is a crashConfig in JSON.
const crashServerVariable = "CARREL_CRASH_SERVER"

// crashConfig is what a server of the crash test needs.
type crashConfig struct {
	Name          string
	Table, Bucket string
	DynamoDB, S3  endpointConfig
	Effects       string // URL
	Seed          uint64
	Loss, Slow    int  // see faultyTransport
	Retries       bool // of the SDK
}

// endpointConfig is where a server is, and the credentials for it.
type endpointConfig struct{ URL, Key, Secret, Token string }

func (c endpointConfig) provider() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(c.Key, c.Secret, c.Token)
}

const (
	crashLease  = 2 * time.Second // of a run, its stage and its place
	crashAnswer = tracking.Stage("answer")
	stepTokens  = 1000
)

// crashPipeline has the stage that the runs of a session work on.
func crashPipeline() tracking.Pipeline {
	return tracking.Pipeline{Name: "chats", Stages: []tracking.StageSpec{{Stage: crashAnswer, Lease: crashLease}}}
}

// crashServer serves runs over HTTP.
type crashServer struct {
	*runner.Runner
	tracker *tracking.Tracker
	store   *faultyTransport
	drain   context.Context
}

// serveCrash runs a server until it is killed, or asked to end.
func serveCrash(config string) error {
	var c crashConfig
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, watch, err := newCrashServer(&c)
	if err != nil {
		return err
	}
	s.drain = ctx
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }()
	go watch(ctx)
	fmt.Println("http://" + l.Addr().String())
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(server.Shutdown(end), s.Shutdown(end))
}

// newCrashServer returns the server, and the function that takes over the runs of dead servers.
func newCrashServer(c *crashConfig) (*crashServer, func(context.Context), error) {
	s := &crashServer{store: newFaultyTransport(&http.Client{}, c.Seed)}
	s.store.loss, s.store.slow = c.Loss, c.Slow
	tb, err := s.store.openTableOf(dynamodb.Options{
		BaseEndpoint: &c.DynamoDB.URL, Region: "us-east-1", Credentials: c.DynamoDB.provider(),
	}, c.Table, c.Retries)
	if err != nil {
		return nil, nil, err
	}
	objects, err := s3object.Open(s3.New(s3.Options{
		BaseEndpoint: &c.S3.URL, Region: "us-east-1", Credentials: c.S3.provider(), UsePathStyle: true, HTTPClient: s.store,
	}), c.Bucket, nil)
	if err != nil {
		return nil, nil, err
	}
	approvals, err := approval.New(tb, nil)
	if err != nil {
		return nil, nil, err
	}
	set, err := effectTools{c.Effects, c.Name}.newSet(approvals)
	if err != nil {
		return nil, nil, err
	}
	a, err := agent.New(pacedModel{agenttest.Func(answerPlan), 15 * time.Millisecond}, &agent.Options{Tools: set})
	if err != nil {
		return nil, nil, err
	}
	logs, err := replay.New(tb, newCrashLogOptions(objects))
	if err != nil {
		return nil, nil, err
	}
	turns, err := history.New(tb, &history.Options{Objects: objects})
	if err != nil {
		return nil, nil, err
	}
	places, err := admission.New(tb.System(), &admission.Options{UserRuns: 2, TenantRuns: 4, Tokens: 1 << 40, Lease: crashLease})
	if err != nil {
		return nil, nil, err
	}
	if s.tracker, err = tracking.New(tb, crashPipeline(), nil); err != nil {
		return nil, nil, err
	}
	s.Runner, err = runner.New(tb, logs, turns, runner.Host{
		Stream: func(ctx context.Context, _ *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
			return a.Stream(ctx, in)
		},
		Stage: s.claim,
		End:   s.recordEnd,
	}, &runner.Options{
		Lease: crashLease, Objects: objects, Admission: places, StepTokens: stepTokens, Approvals: approvals,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)).With("process", c.Name),
	})
	return s, func(ctx context.Context) { s.Watch(ctx, tb.System()) }, err
}

// newCrashLogOptions makes some events so large that they are objects.
func newCrashLogOptions(objects *object.Bucket) *replay.Options {
	return &replay.Options{
		Commit: 50 * time.Millisecond, Poll: 100 * time.Millisecond, MaxSegment: 2 << 10, Objects: objects, Merge: runner.MergeDeltas,
	}
}

// claim claims the stage of a run. It repeats operations that the store fails.
func (s *crashServer) claim(ctx context.Context, r *runner.Run) (*tracking.Attempt, error) {
	for {
		attempt, err := s.tryClaim(ctx, r)
		if _, isRejected := errors.AsType[*tracking.StateError](err); err == nil || isRejected || ctx.Err() != nil {
			return attempt, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *crashServer) tryClaim(ctx context.Context, r *runner.Run) (*tracking.Attempt, error) {
	rec, err := s.tracker.Get(ctx, r.Scope)
	if err != nil {
		return nil, err
	}
	o := &tracking.ClaimOptions{Key: r.ID}
	if st := rec.Stage(crashAnswer); st.Key == r.ID { // another process, or an earlier try
		if st.State != tracking.StateRunning && st.State != tracking.StateReleased {
			return nil, nil
		}
		o.TakeOver = true
	}
	return s.tracker.Claim(ctx, r.Scope, crashAnswer, o)
}

// recordEnd ends the stage, or parks it if the run waits for an approval.
func (s *crashServer) recordEnd(ctx context.Context, r *runner.Run, res runner.Result) error {
	switch {
	case r.Attempt == nil:
		return nil
	case res.Status == runner.StatusComplete:
		return r.Attempt.Complete(ctx, object.Ref{})
	case res.Status == runner.StatusPending:
		return r.Attempt.Park(ctx, 0)
	}
	return r.Attempt.Fail(ctx, &tracking.Error{Code: "failed", Message: res.Message, Err: res.Err})
}

// crashAnswerBody is the body of an answer: the run that was started.
type crashAnswerBody struct{ Run string }

func (s *crashServer) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{tenant}/{user}/{session}/runs", s.answer(s.startRun))
	mux.HandleFunc("POST /{tenant}/{user}/{session}/runs/{run}/approvals/{id}", s.answer(s.decide))
	mux.HandleFunc("GET /{tenant}/{user}/{session}/runs/{run}/events", func(w http.ResponseWriter, r *http.Request) {
		session, err := sessionOf(r)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		sse.Serve(w, r, func(ctx context.Context, after string) iter.Seq2[[]sse.Event, error] {
			return s.Follow(ctx, session, r.PathValue("run"), after, replay.Plain())
		}, &sse.Options{Drain: s.drain, KeepAlive: 500 * time.Millisecond, Lifetime: 3 * time.Second, Retry: 100 * time.Millisecond})
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
