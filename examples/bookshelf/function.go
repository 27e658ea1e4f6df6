package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdaurl"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
)

// runtimeAPI is the variable that AWS Lambda sets for the process of a function.
const runtimeAPI = "AWS_LAMBDA_RUNTIME_API"

// Before the deadline of an invocation, its streams end and its runs are handed over at their next checkpoint; later
// they are interrupted.
const (
	handOverTime  = 20 * time.Second
	interruptTime = 8 * time.Second
)

// function answers the invocations of an AWS Lambda function: requests of its URL, messages of the queue and ticks of a
// schedule. The process is frozen between them, so an invocation ends only when no run is in this process.
type function struct {
	handler  http.Handler
	arrive   func(ctx context.Context, message []byte) error // records an upload
	takeOver func(context.Context) error                     // continues runs that no process has
	settle   func(soft, hard context.Context) error          // waits until no run is in this process
	sweep    func(context.Context) error
	log      *slog.Logger
}

// serveFunction answers invocations. It does not return: the process ends if the runtime does not answer.
func serveFunction(ctx context.Context, c config) error {
	a := &app{failed: make(chan error, 4)}
	if !c.public() {
		return errors.New("as a function of AWS Lambda, the bookshelf requires -aws and -issuer")
	}
	if err := c.check(); err != nil {
		return err
	}
	on, err := amazon(ctx, c)
	if err != nil {
		return err
	}
	p, err := a.assemble(ctx, c, on, "", nil)
	if err != nil {
		return errors.Join(err, a.close(ctx))
	}
	f := &function{
		handler: p.server, arrive: p.recorder.HandleMessage, takeOver: p.server.Recover, settle: p.server.Settle,
		sweep: p.sweeper.Sweep, log: c.log,
	}
	lambda.StartWithOptions(f.invoke, lambda.WithContext(ctx))
	return nil
}

// invoke answers one invocation. Its kind follows from members that only AWS can set: the body of a request is a
// string.
func (f *function) invoke(ctx context.Context, event json.RawMessage) (any, error) {
	var kind struct {
		Request  json.RawMessage `json:"requestContext"`
		Messages json.RawMessage `json:"Records"`
	}
	if err := json.Unmarshal(event, &kind); err != nil {
		return nil, fmt.Errorf("invalid event: %w", err)
	}
	switch {
	case kind.Request != nil:
		var r events.LambdaFunctionURLRequest
		if err := json.Unmarshal(event, &r); err != nil {
			return nil, fmt.Errorf("invalid request: %w", err)
		}
		return f.answer(ctx, &r)
	case kind.Messages != nil:
		var batch events.SQSEvent
		if err := json.Unmarshal(event, &batch); err != nil {
			return nil, fmt.Errorf("invalid messages: %w", err)
		}
		return f.takeMessages(ctx, batch), nil
	}
	return nil, f.tick(ctx)
}

// answer answers a request of the function's URL. The response ends when no run is in this process any more.
func (f *function) answer(ctx context.Context, r *events.LambdaFunctionURLRequest) (any, error) {
	soft, hard := limitInvocation(ctx)
	var aborted atomic.Pointer[error]
	handler := func(w http.ResponseWriter, r *http.Request) {
		defer soft.end()
		defer hard.end()
		defer func() {
			if v := recover(); v != nil { // such as http.ErrAbortHandler: the response is not complete
				err := fmt.Errorf("response aborted: %v", v)
				aborted.Store(&err)
			}
			f.leaveRuns(soft, hard)
		}()
		if isForRun(r.URL.Path) {
			f.continueRuns(ctx) // another invocation may have handed the run over
		}
		f.handler.ServeHTTP(w, r.WithContext(server.WithDrain(r.Context(), soft)))
	}
	res, err := lambdaurl.Wrap(http.HandlerFunc(handler))(ctx, r)
	if err != nil {
		soft.end()
		hard.end()
		return nil, err
	}
	res.Body = &abortableBody{res.Body, &aborted}
	return res, nil
}

// isForRun reports whether requests with this path can be for a run that has begun.
func isForRun(path string) bool {
	return strings.HasPrefix(path, "/api/runs/") || path == "/api/chat" || strings.HasPrefix(path, "/api/chat/")
}

// abortableBody is the body of a response. It fails at its end if the handler has aborted the response, so that the
// client does not take it for complete.
type abortableBody struct {
	io.Reader
	aborted *atomic.Pointer[error]
}

func (b *abortableBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if failed := b.aborted.Load(); errors.Is(err, io.EOF) && failed != nil {
		err = *failed
	}
	return n, err
}

func (b *abortableBody) Close() error { return b.Reader.(io.Closer).Close() }

// takeMessages records uploads. Messages that fail are delivered again.
func (f *function) takeMessages(ctx context.Context, batch events.SQSEvent) events.SQSEventResponse {
	failures := []events.SQSBatchItemFailure{}
	for _, m := range batch.Records {
		if err := f.arrive(ctx, []byte(m.Body)); err != nil {
			f.log.WarnContext(ctx, "message failed and stays in the queue", "message", m.MessageId, "err", err)
			failures = append(failures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	return events.SQSEventResponse{BatchItemFailures: failures}
}

// tick sweeps and continues runs that nobody follows.
func (f *function) tick(ctx context.Context) error {
	soft, hard := limitInvocation(ctx)
	defer soft.end()
	defer hard.end()
	f.continueRuns(ctx)
	err := f.sweep(ctx)
	f.leaveRuns(soft, hard)
	return err
}

func (f *function) continueRuns(ctx context.Context) {
	if err := f.takeOver(ctx); err != nil {
		f.log.WarnContext(ctx, "take over runs", "err", err)
	}
}

func (f *function) leaveRuns(soft, hard limit) {
	if err := f.settle(soft, hard); err != nil {
		f.log.Warn("runs were not handed over", "err", err)
	}
}

// limit is a time limit within an invocation.
type limit struct {
	context.Context
	end context.CancelFunc
}

// limitInvocation returns the limits of an invocation: when its runs are handed over, and when they are interrupted.
// They do not end with ctx, since the response is written after the function has returned. A short invocation has
// shorter limits.
func limitInvocation(ctx context.Context) (soft, hard limit) {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(15 * time.Minute)
	}
	left := time.Until(deadline)
	base := context.WithoutCancel(ctx)
	soft.Context, soft.end = context.WithDeadline(base, deadline.Add(-min(handOverTime, left/2)))
	hard.Context, hard.end = context.WithDeadline(base, deadline.Add(-min(interruptTime, left/4)))
	return soft, hard
}
