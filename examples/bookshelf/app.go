package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/reader"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/web"
	"github.com/carrel-go/carrel/examples/internal/gateway"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
	"github.com/carrel-go/carrel/tracking"
)

// config is what the program is told.
type config struct {
	addr, data, model, landing, raw string

	getenv func(string) string
	log    *slog.Logger
	pace   time.Duration // of the offline reader: how long a word takes
}

// app is the running program.
type app struct {
	url    string     // of the page
	failed chan error // gets why the server ended by itself, if it does

	cleanup []func(context.Context) error // of what has been started, in order
}

// close ends what was started, last first. Runs under way have until ctx ends.
func (a *app) close(ctx context.Context) error {
	var errs []error
	for _, f := range slices.Backward(a.cleanup) {
		errs = append(errs, f(ctx))
	}
	return errors.Join(errs...)
}

func (a *app) onClose(f func(context.Context) error) { a.cleanup = append(a.cleanup, f) }

// start starts everything and returns once requests are answered.
func start(ctx context.Context, c config) (_ *app, err error) {
	a := &app{failed: make(chan error, 3)} // what can fail by itself: two HTTP servers and the announcement
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close(ctx))
		}
	}()
	if v := "AWS_ENDPOINT_URL_DYNAMODB"; c.getenv(v) != "" {
		return nil, fmt.Errorf("%s is set, but there is no DynamoDB driver yet: unset it to use the embedded table", v)
	}
	listener, err := listenLoopback(ctx, c.addr)
	if err != nil {
		return nil, err
	}
	a.onClose(func(context.Context) error { _ = listener.Close(); return nil }) // the HTTP server closes it first

	dir, err := a.dataDir(c.data)
	if err != nil {
		return nil, err
	}
	driver, err := bolt.Open(dir)
	if err != nil {
		return nil, err
	}
	a.onClose(func(context.Context) error { return driver.Close() })
	embedded, err := embeddedKeys(dir)
	if err != nil {
		return nil, err
	}
	storage, err := a.storage(ctx, c, dir, embedded)
	if err != nil {
		return nil, err
	}
	model, err := a.model(ctx, c, embedded)
	if err != nil {
		return nil, err
	}
	srv, err := assemble(ctx, c, table.New(driver, nil), storage, model, listener.Addr())
	if err != nil {
		return nil, err
	}
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

// listenLoopback listens on an address of this machine that no other can reach: whoever reaches the server is let in.
func listenLoopback(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("-addr: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("-addr: %q is not an address of this machine alone, such as 127.0.0.1: there is no sign-in", host)
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
}

// dataDir returns the absolute path of the data directory: the gateway changes the process's working directory.
func (a *app) dataDir(dir string) (string, error) {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "bookshelf-")
		if err != nil {
			return "", err
		}
		a.onClose(func(context.Context) error { return os.RemoveAll(tmp) })
		return tmp, nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o700)
}

// storage returns how S3 is called: the embedded gateway is started unless the environment names another.
func (a *app) storage(ctx context.Context, c config, dir string, embedded keys) (part, error) {
	if p, ok := replaced(c.getenv, "AWS_ENDPOINT_URL_S3", embedded); ok {
		return p, nil
	}
	g, err := gateway.Start(context.WithoutCancel(ctx), filepath.Join(dir, "s3"), embedded.Access, embedded.Secret)
	if err != nil {
		return part{}, err
	}
	a.onClose(func(context.Context) error { return g.Close() })
	return part{g.Endpoint(), gateway.Region, embedded}, nil
}

// model returns the model that is asked: the offline reader, behind an endpoint that speaks Bedrock's protocol, unless
// the environment names another.
func (a *app) model(ctx context.Context, c config, embedded keys) (agent.Model, error) {
	p, ok := replaced(c.getenv, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", embedded)
	if !ok {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		a.serve(listener, bedrocktest.Front(reader.New(&reader.Options{Pace: c.pace})), c.log)
		p = part{"http://" + listener.Addr().String(), gateway.Region, embedded}
	}
	return bedrock.New(p.bedrock(), c.model, nil), nil
}

// assemble puts the server together.
func assemble(ctx context.Context, c config, tb *table.Table, storage part, model agent.Model, addr net.Addr) (*server.Server, error) {
	client := storage.s3()
	for _, bucket := range []string{c.landing, c.raw} {
		if err := gateway.EnsureBucket(ctx, client, bucket); err != nil {
			return nil, err
		}
	}
	if err := gateway.AllowUploads(ctx, client, c.landing, origins(addr)); err != nil {
		return nil, err
	}
	landingDriver, err := s3object.New(client, c.landing, nil)
	if err != nil {
		return nil, err
	}
	rawDriver, err := s3object.New(client, c.raw, nil)
	if err != nil {
		return nil, err
	}
	landing, raw := object.New(landingDriver, c.landing, nil), object.New(rawDriver, c.raw, nil)
	signer, err := presign.New(client, landing, nil)
	if err != nil {
		return nil, err
	}
	tracker, err := tracking.New(tb, tracking.Uploads(), nil)
	if err != nil {
		return nil, err
	}
	tools, err := booktools.Tools(landing, &booktools.Options{Upload: server.Upload(tracker, landing)})
	if err != nil {
		return nil, err
	}
	librarian, err := agent.New(model, &agent.Options{System: booktools.System, Tools: tools})
	if err != nil {
		return nil, err
	}
	origin, err := url.Parse(storage.endpoint)
	if err != nil {
		return nil, err
	}
	pages, err := web.Handler(&web.Options{ConnectSrc: []string{origin.Scheme + "://" + origin.Host}})
	if err != nil {
		return nil, err
	}
	return server.New(server.Options{
		Table: tb, Tracker: tracker, Landing: landing, Raw: raw, Signer: signer, Agent: librarian, Pages: pages, Log: c.log,
	})
}

// origins are what a browser may call the page's address.
func origins(addr net.Addr) []string {
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return nil
	}
	var list []string
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]"} {
		list = append(list, "http://"+host+":"+port)
	}
	return list
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
