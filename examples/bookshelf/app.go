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

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/issuer"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/reader"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/web"
	"github.com/carrel-go/carrel/examples/internal/gateway"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/tracking"
)

// config is what the program is told.
type config struct {
	addr, data, model, landing, raw, table string

	getenv func(string) string
	log    *slog.Logger
	pace   time.Duration // of the offline reader: how long a word takes
}

// check refuses what could not work, before anything is opened.
func (c config) check() error {
	if c.model == "" || c.landing == "" || c.raw == "" || c.table == "" {
		return errors.New("-model, -landing, -raw and -table must not be empty")
	}
	if c.landing == c.raw {
		return fmt.Errorf("-landing and -raw are both %q: what is accepted must not meet what was uploaded", c.raw)
	}
	for _, variable := range []string{s3Endpoint, dynamoDBEndpoint, bedrockEndpoint} {
		v := c.getenv(variable)
		if v == "" {
			continue
		}
		if u, err := url.Parse(v); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("%s is %q, which is no http or https URL", variable, v)
		}
	}
	return nil
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
	a := &app{failed: make(chan error, 4)} // what can end by itself: two HTTP servers, the gateway and the announcement
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close(ctx))
		}
	}()
	if err := c.check(); err != nil {
		return nil, err
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
	// The file is opened first, and also where the table is elsewhere: its lock keeps a second process out.
	file, err := bolt.Open(dir)
	if err != nil {
		return nil, err
	}
	a.onClose(func(context.Context) error { return file.Close() })
	embedded, err := embeddedKeys(dir)
	if err != nil {
		return nil, err
	}
	var rows table.Driver = file
	if p, ok := replaced(c.getenv, dynamoDBEndpoint, embedded); ok {
		if rows, err = dynamoTable(ctx, p.dynamodb(), c.table); err != nil {
			return nil, err
		}
	}
	storage, err := a.storage(ctx, c, dir, embedded)
	if err != nil {
		return nil, err
	}
	model, err := a.model(ctx, c, embedded)
	if err != nil {
		return nil, err
	}
	audit := scope.NewLogAuditor(c.log)
	srv, err := a.assemble(ctx, c, dir, table.New(rows, &table.Options{Audit: audit}), audit, storage, model, listener.Addr())
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

// dynamoTable returns the table in DynamoDB, which is made where it is missing.
func dynamoTable(ctx context.Context, client *dynamodb.Client, name string) (table.Driver, error) {
	if err := dynamo.CreateTable(ctx, client, name, &dynamo.TableOptions{Listed: []string{"filename"}}); err != nil {
		return nil, err
	}
	return dynamo.New(client, name, nil)
}

// storage returns how S3 is called: the embedded gateway is started unless the environment names another.
func (a *app) storage(ctx context.Context, c config, dir string, embedded keys) (part, error) {
	if p, ok := replaced(c.getenv, s3Endpoint, embedded); ok {
		return p, nil
	}
	g, err := gateway.Start(context.WithoutCancel(ctx), filepath.Join(dir, "s3"), embedded.Access, embedded.Secret, nil)
	if err != nil {
		return part{}, err
	}
	a.onClose(g.Shutdown)
	go func() { // ends with the gateway
		<-g.Done()
		a.failed <- errors.New("the embedded S3 has ended")
	}()
	return part{g.Endpoint(), gateway.Region, embedded}, nil
}

// model returns the model that is asked: the offline reader, behind an endpoint that speaks Bedrock's protocol, unless
// the environment names another.
func (a *app) model(ctx context.Context, c config, embedded keys) (agent.Model, error) {
	p, ok := replaced(c.getenv, bedrockEndpoint, embedded)
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
func (a *app) assemble(ctx context.Context, c config, dir string, tb *table.Table, audit scope.Auditor, storage part, model agent.Model, addr net.Addr) (*server.Server, error) {
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
	watched := &object.Options{Audit: audit}
	landing, raw := object.New(landingDriver, c.landing, watched), object.New(rawDriver, c.raw, watched)
	signer, err := presign.New(client, landing, &presign.Options{Audit: audit})
	if err != nil {
		return nil, err
	}
	tracker, err := tracking.New(tb, tracking.Uploads(), &tracking.Options{Audit: audit})
	if err != nil {
		return nil, err
	}
	tools, err := booktools.Tools(landing, &booktools.Options{Upload: server.Upload(tracker, landing)})
	if err != nil {
		return nil, err
	}
	librarian, err := agent.New(model, &agent.Options{System: booktools.System, Tools: tools, Audit: audit})
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
	iss, err := issuer.Open(dir, "http://"+addr.String()+"/issuer", nil)
	if err != nil {
		return nil, err
	}
	anonymous, err := anonymous()
	if err != nil {
		return nil, err
	}
	verifier, err := iss.Verifier(ctx, &oidc.Options{Anonymous: &anonymous, Audit: audit})
	if err != nil {
		return nil, err
	}
	a.onClose(func(context.Context) error { return verifier.Close() })
	return server.New(server.Options{
		Table: tb, Tracker: tracker, Landing: landing, Raw: raw, Signer: signer, Agent: librarian, Prompt: reader.Prompt, Pages: pages,
		SignIn: verifier.Middleware, Token: iss.TokenHandler(), Issuer: iss.Handler(), Log: c.log,
	}), nil
}

// anonymous is who asks without a token.
func anonymous() (oidc.Identity, error) {
	tenant, err := scope.Tenant("demo")
	if err != nil {
		return oidc.Identity{}, err
	}
	user, err := tenant.User("anonymous")
	if err != nil {
		return oidc.Identity{}, err
	}
	shared, err := tenant.Shared()
	return oidc.Identity{User: user, Shared: shared}, err
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
