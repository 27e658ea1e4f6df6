package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/examples/intake/internal/server"
	"github.com/carrel-go/carrel/examples/intake/internal/web"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tracking"
	"github.com/carrel-go/carrel/tracking/sweeper"
)

// app is the running program.
type app struct {
	url    string
	failed chan error // receives the error of a part that stops unexpectedly

	cleanup []func(context.Context) error // releases the started parts, in starting order
}

// close stops all parts, last started first.
func (a *app) close(ctx context.Context) error {
	var errs []error
	for _, f := range slices.Backward(a.cleanup) {
		errs = append(errs, f(ctx))
	}
	return errors.Join(errs...)
}

func (a *app) onClose(f func(context.Context) error) { a.cleanup = append(a.cleanup, f) }

// start starts all parts and returns when requests are answered.
func start(ctx context.Context, c config) (_ *app, err error) {
	a := &app{failed: make(chan error, 4)} // one for each sender: the HTTP server, the embedded S3 and main
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close(ctx))
		}
	}()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.addr)
	if err != nil {
		return nil, err
	}
	a.onClose(func(context.Context) error { _ = listener.Close(); return nil }) // the HTTP server closes it first
	events := newRelay(c.bucket, c.log)
	on, err := a.open(ctx, c, listener.Addr(), events)
	if err != nil {
		return nil, err
	}
	srv, sweep, recorder, err := a.assemble(ctx, c, on)
	if err != nil {
		return nil, err
	}
	if on.alone {
		if err := sweep.Recover(ctx); err != nil {
			return nil, err
		}
	}
	a.run(ctx, srv.Watch)
	a.run(ctx, sweep.Run)
	events.to(recorder)
	a.serve(listener, srv, c.log)
	a.onClose(func(ctx context.Context) error { // before the HTTP server, whose streams end with the runs
		ctx, cancel := context.WithTimeout(ctx, runsTime)
		defer cancel()
		srv.Close(ctx)
		return nil
	})
	a.url = "http://" + listener.Addr().String()
	return a, nil
}

// assemble builds the server from the services.
func (a *app) assemble(ctx context.Context, c config, on *services) (
	_ *server.Server, _ *sweeper.Sweeper, _ *arrivals.Recorder, err error,
) {
	fail := func(err error) (*server.Server, *sweeper.Sweeper, *arrivals.Recorder, error) {
		return nil, nil, nil, err
	}
	audit, err := scope.NewLogAuditor(c.log)
	if err != nil {
		return fail(err)
	}
	bucket, err := s3object.Open(on.s3, c.bucket, &s3object.Options{Bucket: object.Options{Audit: audit}})
	if err != nil {
		return fail(err)
	}
	work, err := s3object.Open(on.s3, c.work, &s3object.Options{Bucket: object.Options{Audit: audit}})
	if err != nil {
		return fail(err)
	}
	signer, err := presign.New(on.s3, bucket, &presign.Options{Audit: audit})
	if err != nil {
		return fail(err)
	}
	tb, err := table.New(on.rows, &table.Options{Audit: audit})
	if err != nil {
		return fail(err)
	}
	tracker, err := tracking.New(tb, files.Pipeline(), &tracking.Options{Audit: audit, Review: server.Review})
	if err != nil {
		return fail(err)
	}
	store, err := files.New(tb, bucket, tracker)
	if err != nil {
		return fail(err)
	}
	set, err := intaketools.Tools(store)
	if err != nil {
		return fail(err)
	}
	// Long chats drop their oldest turns.
	helper, err := agent.New(on.model, &agent.Options{
		System: intaketools.System, Tools: set, Audit: audit, Compact: agent.DropOldest(60_000),
	})
	if err != nil {
		return fail(err)
	}
	turns, err := history.New(tb, &history.Options{Objects: work, Retention: server.ChatRetention})
	if err != nil {
		return fail(err)
	}
	logs, err := replay.New(tb, &replay.Options{
		Objects: work, Merge: runner.MergeDeltas, Retention: server.ChatRetention, // the page draws chats from them
	})
	if err != nil {
		return fail(err)
	}
	limits, err := admission.New(tb.System(), &admission.Options{
		Grants: c.grants, UserRuns: c.userRuns, TenantRuns: c.tenantRuns, Queue: c.waiting,
	})
	if err != nil {
		return fail(err)
	}
	recorder, err := arrivals.New(tb, bucket, signer, tracker, &arrivals.Options{
		MaxSize: server.MaxUpload, Failure: server.RejectedUpload, CloseGrant: limits.CloseGrant, Forget: store.Forget,
		Audit: audit, Log: c.log,
	})
	if err != nil {
		return fail(err)
	}
	pages, err := web.Handler(on.origin)
	if err != nil {
		return fail(err)
	}
	o := server.Options{
		Table: tb, History: turns, Logs: logs, Tracker: tracker, Files: store, Signer: signer, Work: work, Agent: helper,
		Pages: pages, Arrivals: recorder, Admission: limits, Lease: c.lease, Exclusive: on.alone, AnyHost: c.isPublic(),
		Log: c.log,
	}
	if err := a.signIn(ctx, c, on.dir, audit, &o); err != nil {
		return fail(err)
	}
	srv, err := server.New(o)
	if err != nil {
		return fail(err)
	}
	system := tb.System()
	sweep, err := sweeper.New(tracker, system, &sweeper.Options{
		Look: recorder.Look, Live: srv.IsLive, Log: c.log,
		Clean: func(ctx context.Context) error {
			return errors.Join(recorder.Clean(ctx, system), turns.Clean(ctx, system, srv.ForgetChat))
		},
	})
	return srv, sweep, recorder, err
}

// run runs f in the background until the app is closed. Closing waits for it.
func (a *app) run(ctx context.Context, f func(context.Context)) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(ctx)
	}()
	a.onClose(func(end context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-end.Done():
			return fmt.Errorf("background work did not end: %w", end.Err())
		}
	})
}

// serve answers requests until the app is closed.
func (a *app) serve(listener net.Listener, handler http.Handler, log *slog.Logger) {
	srv := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn), // no WriteTimeout: it would end every stream
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.failed <- err
		}
	}()
	a.onClose(func(ctx context.Context) error {
		err := srv.Shutdown(ctx)
		if err != nil {
			err = srv.Close()
		}
		<-done
		return err
	})
}
