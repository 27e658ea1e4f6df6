package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools/approval"
	"github.com/carrel-go/carrel/tracking"
)

// crashServerVariable turns the test's binary into a server of the crash test. Its value is a crashConfig in JSON.
const crashServerVariable = "CARREL_CRASH_SERVER"

// crashConfig configures a server of the crash test.
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
	s, watch := newCrashServer(&c)
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
func newCrashServer(c *crashConfig) (*crashServer, func(context.Context)) {
	s := &crashServer{store: newFaultyTransport(&http.Client{}, c.Seed)}
	s.store.loss, s.store.slow = c.Loss, c.Slow
	tb := must.Get(s.store.openTableOf(dynamodb.Options{
		BaseEndpoint: &c.DynamoDB.URL, Region: presigntest.Region, Credentials: c.DynamoDB.provider(),
	}, c.Table, c.Retries))
	objects := must.Get(s3object.Open(s3.New(s3.Options{
		BaseEndpoint: &c.S3.URL, Region: presigntest.Region, Credentials: c.S3.provider(), UsePathStyle: true,
		HTTPClient: s.store,
	}), c.Bucket, nil))
	approvals := must.Get(approval.New(tb, nil))
	places := must.Get(admission.New(tb.System(), &admission.Options{
		UserRuns: 2, TenantRuns: 4, Tokens: 1 << 40, Lease: crashLease,
	}))
	a := must.Get(agent.New(pacedModel{agenttest.Func(answerPlan), 15 * time.Millisecond}, &agent.Options{
		Tools: effectTools{c.Effects, c.Name}.newSet(approvals),
	}))
	s.tracker = must.Get(tracking.New(tb, crashPipeline(), nil))
	logs := must.Get(replay.New(tb, newCrashLogOptions(objects)))
	s.Runner = must.Get(runner.New(tb, runner.Host{
		Agent: func(context.Context, *runner.Run) (*agent.Agent, error) { return a, nil },
		Stage: s.claim,
		End:   s.recordEnd,
	}, &runner.Options{
		Logs: logs, Lease: crashLease, Objects: objects, Admission: places, StepTokens: stepTokens, Approvals: approvals,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)).With("process", c.Name),
	}))
	return s, func(ctx context.Context) { s.Watch(ctx, tb.System()) }
}

// newCrashLogOptions makes some events so large that they are objects.
func newCrashLogOptions(objects *object.Bucket) *replay.Options {
	return &replay.Options{
		Commit: 50 * time.Millisecond, Poll: 100 * time.Millisecond, Merge: runner.MergeDeltas,
		MaxSegment: 2 << 10, Objects: objects,
	}
}

// claim claims the stage of a run. It repeats operations that the store fails, and looks again if the process before has
// claimed the stage for the run in the meantime.
func (s *crashServer) claim(ctx context.Context, r *runner.Run) (*tracking.Attempt, error) {
	for {
		attempt, err := s.tryClaim(ctx, r)
		rejected, isRejected := errors.AsType[*tracking.StateError](err)
		isFinal := isRejected && rejected.Record.Stage(crashAnswer).Key != r.ID
		if err == nil || isFinal || ctx.Err() != nil {
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
