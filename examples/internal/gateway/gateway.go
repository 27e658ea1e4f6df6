package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3api"
	"github.com/versity/versitygw/s3api/middlewares"
	"github.com/versity/versitygw/s3event"
)

// Region is the one that the gateway expects in signatures.
const Region = "us-east-1"

const (
	healthPath = "/_health" // no bucket can have this name
	startLimit = 10 * time.Second
)

// running guards what there is only one of in a process: the working
// directory, and the server's own package-level state.
var running atomic.Bool

// Gateway is a running S3 server. Its methods are safe for concurrent use.
type Gateway struct {
	endpoint string
	stop     context.CancelFunc
	done     chan struct{}
	err      error // of the server; to be read once done is closed
}

// Options of [Start]. Nil is valid.
type Options struct {
	// Events gets a notification of each object that has come to be by a PUT, a
	// copy or in parts, as S3 writes them and presign.ParseEvent reads them. It
	// is called from many goroutines at once, when the upload is answered, in
	// no order; its context ends after 10 s. Each is given once: what a call
	// does not manage, nobody repeats. Close waits for the calls under way.
	// Default: nobody is told.
	Events func(ctx context.Context, notification []byte)

	// Notify names the buckets whose objects Events is told of, as S3 has notifications a bucket. Default: all.
	Notify []string
}

// Start serves the buckets below dir, which is made if it is missing, to the
// account with these keys, on a loopback port: the one that it had the last
// time, which is kept in the file dir + ".port", so that grants outlive a
// restart; a free one where that is taken. It returns when the server answers.
// The server ends when ctx does, or by [Gateway.Close].
//
// It writes nothing to the standard output and error, unless the file system
// has no extended attributes (a line at the start) or a request fails inside
// the server.
//
// Errors: ErrKeys, ErrFoldsCase, ErrRunning, and those of the file system and of the
// server.
func Start(ctx context.Context, dir, access, secret string, o *Options) (*Gateway, error) {
	if access == "" || secret == "" {
		return nil, fmt.Errorf("gateway: start: %w", ErrKeys)
	}
	if o == nil {
		o = &Options{}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("gateway: start: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("gateway: start: %w", err)
	}
	attributes, sidecar, err := probe(dir)
	if err != nil {
		return nil, err
	}
	// The port is reserved by asking for one and letting it go, so somebody
	// else can be quicker; then the server says so, and the next is tried.
	wanted := lastPort(dir)
	for range 5 {
		var g *Gateway
		g, err = serve(ctx, wanted, dir, attributes, sidecar, access, secret, o)
		if err == nil {
			return g, keepPort(dir, g)
		}
		if ctx.Err() != nil || errors.Is(err, ErrRunning) {
			return nil, err
		}
		wanted = "0"
	}
	return nil, err
}

func serve(ctx context.Context, port, dir string, attributes meta.MetadataStorer, sidecar, access, secret string, o *Options) (*Gateway, error) {
	if !running.CompareAndSwap(false, true) {
		return nil, ErrRunning
	}
	before, err := os.Getwd()
	if err != nil {
		running.Store(false)
		return nil, fmt.Errorf("gateway: start: %w", err)
	}
	back := func() error {
		defer running.Store(false)
		return os.Chdir(before)
	}
	address, err := reserve(ctx, port)
	if err != nil {
		return nil, errors.Join(err, back())
	}
	be, err := posix.New(dir, attributes, posix.PosixOpts{ // changes the working directory
		CopyObjectThreshold: 5 << 30,
		SideCarDir:          sidecar,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("gateway: open the directory: %w", err), back())
	}
	listening := make(chan struct{})
	var events s3event.S3EventSender
	if o.Events != nil {
		events = &sender{events: o.Events, buckets: o.Notify}
	}
	srv, err := server(be, access, secret, events, func() { close(listening) })
	if err != nil {
		return nil, errors.Join(fmt.Errorf("gateway: start: %w", err), back())
	}
	run, stop := context.WithCancel(ctx)
	g := &Gateway{endpoint: "http://" + address, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(g.done)
		defer stop()
		ended := make(chan struct{})
		var failed error // why it ended by itself
		go func() {
			defer close(ended)
			failed = srv.ServeMultiPort([]string{address})
		}()
		select {
		case <-ended:
			g.err = failed
		case <-run.Done():
			g.err = srv.ShutDown()
			select {
			case <-listening:
				<-ended // it says that its listener was closed, as it should be
			default: // it never began to serve
			}
		}
		be.Shutdown()
		if events != nil {
			g.err = errors.Join(g.err, events.Close())
		}
		g.err = errors.Join(g.err, back())
	}()

	limit, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	select {
	case <-listening:
		err = g.healthy(limit)
	case <-g.done:
		err = errors.Join(errors.New("the server ended"), g.err)
	case <-limit.Done():
		err = limit.Err()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("gateway: start: %w", err), g.Close())
	}
	return g, nil
}

// server is the S3 server, on one account. It is put together from its parts, as versitygw's own program does, since
// the ready-made one takes no sender of events but its own.
func server(be *posix.Posix, access, secret string, events s3event.S3EventSender, listening func()) (*s3api.S3ApiServer, error) {
	account := auth.Account{Access: access, Secret: secret, Role: auth.RoleAdmin}
	return s3api.New(be, middlewares.RootUserConfig{Access: access, Secret: secret}, Region, auth.NewIAMServiceSingle(account), nil, nil, events, nil,
		s3api.WithConcurrencyLimiter(1000, 1000),
		s3api.WithMpMaxParts(10000),
		s3api.WithQuiet(),
		s3api.WithHealth(healthPath),
		s3api.WithOnListen(listening),
	)
}

// healthy asks once: the listener is open, so the question waits for the answer.
func (g *Gateway) healthy(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.endpoint+healthPath, nil)
	if err != nil {
		return err
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		err = fmt.Errorf("health answers %s", res.Status)
	}
	return errors.Join(err, res.Body.Close())
}

// Endpoint returns the server's base URL. Buckets are addressed by path.
func (g *Gateway) Endpoint() string { return g.endpoint }

// Done is closed when the server has ended, of itself or by Close.
func (g *Gateway) Done() <-chan struct{} { return g.done }

// Close ends the server, waits until requests under way are answered (at most
// 10 s) and the working directory is back, and returns the server's error if it
// had failed before. It may be called again.
func (g *Gateway) Close() error { return g.Shutdown(context.Background()) }

// Shutdown is Close, but waits no longer than ctx; then the server still ends,
// by itself.
func (g *Gateway) Shutdown(ctx context.Context) error {
	g.stop()
	select {
	case <-g.done:
	case <-ctx.Done():
		return fmt.Errorf("gateway: requests are still under way: %w", ctx.Err())
	}
	if g.err != nil {
		return fmt.Errorf("gateway: %w", g.err)
	}
	return nil
}

// reserve returns an address with the port, or where that is taken, or "0",
// with a free one.
func reserve(ctx context.Context, port string) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:"+port)
	if err != nil {
		l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	}
	if err != nil {
		return "", fmt.Errorf("gateway: reserve a port: %w", err)
	}
	address := l.Addr().String()
	return address, l.Close()
}
