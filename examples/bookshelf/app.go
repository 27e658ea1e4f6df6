package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/draft"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/librarytools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/reader"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/web"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools/approval"
	"github.com/carrel-go/carrel/tracking"
	"github.com/carrel-go/carrel/tracking/sweeper"
)

// app is the running program.
type app struct {
	url    string     // the page's address
	store  string     // the endpoint of the embedded S3, or empty
	failed chan error // receives the error of a server that stops unexpectedly

	cleanup []func(context.Context) error // releases the started parts, in starting order
}

// close stops all parts, last started first. Runs in flight may continue until ctx ends.
func (a *app) close(ctx context.Context) error {
	var errs []error
	for _, f := range slices.Backward(a.cleanup) {
		errs = append(errs, f(ctx))
	}
	return errors.Join(errs...)
}

func (a *app) onClose(f func(context.Context) error) { a.cleanup = append(a.cleanup, f) }

// services are the backends of the server.
type services struct {
	s3    *s3.Client
	rows  table.Driver
	alone bool // no other process uses the table
	model agent.Model
	queue arrivals.SQS // nil if arrivals are not read from a queue
}

// start starts all parts and returns when requests are answered.
func start(ctx context.Context, c config) (_ *app, err error) {
	a := &app{failed: make(chan error, 5)} // one for each sender: three HTTP servers, the embedded S3 and main
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close(ctx))
		}
	}()
	if err := c.check(); err != nil {
		return nil, err
	}
	listener, err := listen(ctx, c)
	if err != nil {
		return nil, err
	}
	a.onClose(func(context.Context) error { _ = listener.Close(); return nil }) // the HTTP server closes it first

	var on services
	dir, events := "", newRelay(c.log)
	if !c.aws || c.issuer == "" { // files are kept there
		if dir, err = a.dataDir(c.data); err != nil {
			return nil, err
		}
	}
	if c.aws {
		on, err = amazon(ctx, c)
	} else {
		on, err = a.embedded(ctx, c, dir, listener.Addr(), events)
	}
	if err != nil {
		return nil, err
	}
	p, err := a.assemble(ctx, c, on, dir, listener.Addr())
	if err != nil {
		return nil, err
	}
	if err := a.background(ctx, c, on, p); err != nil {
		return nil, err
	}
	events.to(p.recorder)
	if err := a.serveProfiles(ctx, c.pprof, c.log); err != nil {
		return nil, err
	}
	handler, err := a.handler(c, p, listener.Addr().String())
	if err != nil {
		return nil, err
	}
	a.serve(listener, handler, c.log)
	a.onClose(func(ctx context.Context) error { // before the HTTP server, whose streams end with the runs
		ctx, cancel := context.WithTimeout(ctx, runsTime)
		defer cancel()
		p.server.Close(ctx)
		return nil
	})
	a.url = "http://" + listener.Addr().String()
	return a, nil
}

// handler returns the handler of the requests to an address.
func (a *app) handler(c config, p *parts, address string) (http.Handler, error) {
	if !c.lan {
		return p.server, nil
	}
	open, err := passGrants(a.store, []string{c.landing, c.raw}, p.server)
	if err != nil {
		return nil, err
	}
	return openToNetwork(address, open, c.terminal), nil
}

// listen listens on the address. Without sign-in, it accepts only a loopback address, since everybody who reaches the
// server may use it.
func listen(ctx context.Context, c config) (net.Listener, error) {
	if c.lan {
		address, err := c.lanAddress()
		if err != nil {
			return nil, err
		}
		return openListener(ctx, address)
	}
	host, _, err := net.SplitHostPort(c.addr)
	if err != nil {
		return nil, fmt.Errorf("-addr: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) && !c.public() {
		return nil, fmt.Errorf("-addr: invalid host %q: must be a loopback address, for example 127.0.0.1, "+
			"unless -aws and -issuer are set", host)
	}
	return openListener(ctx, c.addr)
}

func openListener(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("-addr: another process uses %s: stop it, or name another port: %w", address, err)
	}
	if err != nil {
		return nil, fmt.Errorf("-addr: %w", err)
	}
	return l, nil
}

// parts answer requests, sweep, and record uploads.
type parts struct {
	server   *server.Server
	sweeper  *sweeper.Sweeper
	recorder *arrivals.Recorder
}

// assemble builds the parts. The address is that of the server if it serves this machine only.
func (a *app) assemble(ctx context.Context, c config, on services, dir string, addr net.Addr) (*parts, error) {
	audit, err := scope.NewLogAuditor(c.log)
	if err != nil {
		return nil, err
	}
	watched := &s3object.Options{Bucket: object.Options{Audit: audit}}
	landing, err := s3object.Open(on.s3, c.landing, watched)
	if err != nil {
		return nil, err
	}
	raw, err := s3object.Open(on.s3, c.raw, watched)
	if err != nil {
		return nil, err
	}
	signer, err := presign.New(on.s3, landing, &presign.Options{Audit: audit, Expires: c.grant, Types: photoTypes})
	if err != nil {
		return nil, err
	}
	sharedSigner, err := presign.New(on.s3, raw, &presign.Options{Audit: audit, Types: photoTypes})
	if err != nil {
		return nil, err
	}
	tb, err := table.New(on.rows, &table.Options{Audit: audit})
	if err != nil {
		return nil, err
	}
	tracker, err := tracking.New(tb, tracking.Uploads(), &tracking.Options{Audit: audit, Retention: c.retention})
	if err != nil {
		return nil, err
	}
	photos := photo.NewDecoder(nil)
	edits, err := draft.NewStore(tb)
	if err != nil {
		return nil, err
	}
	source, err := newSource(c, tb)
	if err != nil {
		return nil, err
	}
	tools, err := booktools.Tools(landing, &booktools.Options{
		Upload: server.Upload(tracker, landing), Photos: photos, Edits: edits, Books: source,
	})
	if err != nil {
		return nil, err
	}
	librarian, err := agent.New(on.model, &agent.Options{
		SystemFunc: booktools.SystemPrompt(edits), Tools: tools, Audit: audit,
	})
	if err != nil {
		return nil, err
	}
	books, err := library.New(tb, raw, landing, tracker, &library.Options{Log: c.log})
	if err != nil {
		return nil, err
	}
	approvals, err := approval.New(tb, nil)
	if err != nil {
		return nil, err
	}
	chat, err := newChat(on.model, books, approvals, audit)
	if err != nil {
		return nil, err
	}
	turns, err := history.New(tb, &history.Options{Objects: landing, Retention: c.chatRetention})
	if err != nil {
		return nil, err
	}
	logs, err := replay.New(tb, &replay.Options{Objects: landing, Merge: runner.MergeDeltas})
	if err != nil {
		return nil, err
	}
	limits, err := admission.New(tb.System(), &admission.Options{
		Grants: c.grants, UserRuns: c.userRuns, TenantRuns: c.tenantRuns, Queue: c.waiting,
		Tokens: c.tenantTokens, Period: c.tenantPeriod,
	})
	if err != nil {
		return nil, err
	}
	recorder, err := arrivals.New(tb, landing, signer, tracker, &arrivals.Options{
		MaxSize: server.MaxUpload, Failure: server.RejectedUpload, CloseGrant: limits.CloseGrant,
		IsOwn: server.IsOwnObject, Audit: audit, Log: c.log,
		Forget: func(ctx context.Context, session scope.Scope) error {
			return errors.Join(turns.Delete(ctx, session), edits.Delete(ctx, session))
		},
	})
	if err != nil {
		return nil, err
	}
	pages, err := newPages(ctx, c, on.s3)
	if err != nil {
		return nil, err
	}
	o := server.Options{
		Table: tb, History: turns, Logs: logs, Tracker: tracker, Landing: landing, Raw: raw,
		Signer: signer, Agent: librarian, Photos: photos, Prompt: reader.Prompt, Pages: pages,
		Library: books, SharedSigner: sharedSigner, Chat: chat, Approvals: approvals,
		Arrivals: recorder, Admission: limits, StepTokens: c.stepTokens, Grace: c.grace, AnyHost: c.public(), Log: c.log,
		Unbuffered: c.getenv(runtimeAPI) != "",
		Lease:      c.lease, Exclusive: on.alone, ChatRetention: c.chatRetention,
	}
	if err := a.signIn(ctx, c, dir, addr, audit, &o); err != nil {
		return nil, err
	}
	if c.lan { // the page and the uploads have one origin
		o.Hosts = []string{hostOf(addr)}
	} else if !c.aws {
		if err := presigntest.AllowUploads(ctx, on.s3, c.landing, origins(addr)); err != nil {
			return nil, err
		}
	}
	srv, err := server.New(o)
	if err != nil {
		return nil, err
	}
	system := tb.System()
	clean := func(ctx context.Context) error {
		return errors.Join(recorder.Clean(ctx, system), turns.Clean(ctx, system, srv.ForgetChat))
	}
	sweep, err := sweeper.New(tracker, system, &sweeper.Options{
		Look: recorder.Look, Live: srv.IsLive, Every: c.sweep, Clean: clean, Log: c.log,
	})
	if err != nil {
		return nil, err
	}
	return &parts{srv, sweep, recorder}, nil
}

// hostOf returns the host of an address, without the port.
func hostOf(addr net.Addr) string {
	host, _, _ := net.SplitHostPort(addr.String()) // a listener's address has a port
	return host
}

// photoTypes are the media types of photos that a page may show.
var photoTypes = []string{"image/png", "image/jpeg", "image/webp"}

// newChat returns the agent of chats about the accepted books.
func newChat(
	model agent.Model, books *library.Library, approvals *approval.Approvals, audit scope.Auditor,
) (*agent.Agent, error) {
	set, err := librarytools.Tools(books, approvals)
	if err != nil {
		return nil, err
	}
	return agent.New(model, &agent.Options{System: librarytools.System, Tools: set, Audit: audit})
}

// newPages returns the pages, which may upload to the landing bucket and show photos of both buckets.
func newPages(ctx context.Context, c config, client *s3.Client) (http.Handler, error) {
	landing, err := uploadOrigin(ctx, client, c.landing)
	if err != nil {
		return nil, err
	}
	raw, err := uploadOrigin(ctx, client, c.raw)
	if err != nil {
		return nil, err
	}
	images := slices.Compact([]string{landing, raw})
	return web.Handler(&web.Options{ConnectSrc: []string{landing}, ImgSrc: images})
}

// background releases the leases of a killed process if no other process uses the table. Then it takes over runs,
// sweeps and takes messages until the app is closed.
func (a *app) background(ctx context.Context, c config, on services, p *parts) error {
	if on.alone {
		if err := p.sweeper.Recover(ctx); err != nil {
			return err
		}
	}
	a.run(ctx, p.server.Watch)
	a.run(ctx, p.sweeper.Run)
	if on.queue == nil {
		return nil
	}
	q, err := arrivals.NewConsumer(on.queue, c.queue, p.recorder.HandleMessage,
		&arrivals.ConsumerOptions{Wait: c.queueWait, Log: c.log})
	if err != nil {
		return err
	}
	a.run(ctx, q.Run)
	return nil
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
