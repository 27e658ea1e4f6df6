package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3event"
)

// Region is the region that the gateway expects in signatures.
const Region = "us-east-1"

const (
	defaultConns = 512
	startLimit   = 10 * time.Second
	stopLimit    = 10 * time.Second
)

// running guards the state that exists once in a process: the working
// directory and the server's package-level variables.
var running atomic.Bool

// Gateway is a running S3 server. Its methods are safe for concurrent use.
type Gateway struct {
	endpoint string
	inner    *fasthttputil.InmemoryListener // for the process's own connections
	stop     context.CancelFunc
	held     []func() error // releases the resources of start, in opening order
	done     chan struct{}
	err      error // the server's error; valid after done is closed
}

// Options configures [Start]. Nil means the defaults.
type Options struct {
	// Events receives a notification of each object that has been created by a PUT, a copy or in parts, as S3 writes
	// them and presign.ParseEvent reads them. It is called from many goroutines at once, after the upload, in no
	// order; its context ends after 10 s. Each notification is delivered once and never retried. Close waits for
	// calls in flight. If nil, no notifications are made.
	Events func(ctx context.Context, notification []byte)

	// Notify lists the buckets whose objects Events receives. If empty, it receives those of all buckets.
	Notify []string

	// MaxObject is the largest object in bytes. A larger one is rejected with EntityTooLarge before it is stored,
	// whether it comes by a PUT, a form or in parts. Zero means S3's own limits.
	MaxObject int64

	// MaxConns is the largest number of open connections of an address. Further ones are answered with 429.
	// Connections of [Gateway.Client] do not count. Zero means 512.
	MaxConns int
}

// Start serves the buckets below dir to the account with these keys, on a loopback port. It creates dir if it is
// missing. It prefers the port of the last start, stored in the file dir + ".port", so that grants survive a restart.
// If that port is taken, it uses a free one. Start returns when the server answers. The server ends when ctx ends, or
// by [Gateway.Close].
//
// A connection is closed if its client sends nothing for 20 s, does not complete its header within 20 s, or sends its
// body more slowly than 16 KiB a second on average.
//
// The server writes to the standard output and error only if the file system does not support extended attributes (a
// line at the start) or if a request fails internally.
//
// It returns ErrKeys, ErrFoldsCase, ErrRunning, or errors of the file system and of the server.
func Start(ctx context.Context, dir, access, secret string, o *Options) (*Gateway, error) {
	if access == "" || secret == "" {
		return nil, fmt.Errorf("gateway: start: %w", ErrKeys)
	}
	opt := Options{}
	if o != nil {
		opt = *o
	}
	opt.MaxConns = cmp.Or(opt.MaxConns, defaultConns)
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
	if !running.CompareAndSwap(false, true) {
		return nil, ErrRunning
	}
	g := &Gateway{done: make(chan struct{})}
	account := auth.Account{Access: access, Secret: secret, Role: auth.RoleAdmin}
	if err := g.start(ctx, dir, attributes, sidecar, account, &opt); err != nil {
		return nil, fmt.Errorf("gateway: start: %w", errors.Join(err, g.release()))
	}
	limit, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := askHealth(limit, g.endpoint+healthPath, &http.Transport{DisableKeepAlives: true}); err != nil {
		return nil, fmt.Errorf("gateway: start: %w", errors.Join(err, g.Close()))
	}
	return g, keepPort(dir, g)
}

// start opens everything, in g.held, and begins to serve.
func (g *Gateway) start(
	ctx context.Context, dir string, attributes meta.MetadataStorer, sidecar string, account auth.Account, o *Options,
) error {
	before, err := os.Getwd()
	g.hold(func() error {
		running.Store(false)
		return nil
	})
	if err != nil {
		return err
	}
	g.hold(func() error { return os.Chdir(before) })
	tcp, err := listen(ctx, lastPort(dir))
	if err != nil {
		return err
	}
	g.hold(func() error { _ = tcp.Close(); return nil })      // the server closes it first
	files, err := posix.New(dir, attributes, posix.PosixOpts{ // changes the working directory
		CopyObjectThreshold: 5 << 30,
		SideCarDir:          sidecar,
	})
	if err != nil {
		return fmt.Errorf("open the directory: %w", err)
	}
	g.hold(func() error { files.Shutdown(); return nil })
	var events s3event.S3EventSender
	if o.Events != nil {
		events = &sender{events: o.Events, buckets: o.Notify}
		g.hold(events.Close)
	}
	srv, err := newServer(ctx, &backendLimits{Posix: files, maxObject: o.MaxObject}, account, events, o)
	if err != nil {
		return err
	}
	g.endpoint, g.inner = "http://"+tcp.Addr().String(), fasthttputil.NewInmemoryListener()
	run, stop := context.WithCancel(ctx)
	g.stop = stop
	go g.serve(run, srv, tcp)
	return nil
}

// serve serves until ctx ends or the server fails, and then releases everything.
func (g *Gateway) serve(ctx context.Context, srv *fasthttp.Server, tcp net.Listener) {
	defer close(g.done)
	defer g.stop()
	ended := make(chan error, 2)
	listeners := []net.Listener{tcp, g.inner}
	for _, l := range listeners {
		go func() { ended <- srv.Serve(listener{l}) }()
	}
	left := len(listeners)
	select {
	case g.err = <-ended:
		left--
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	g.err = errors.Join(g.err, srv.ShutdownWithContext(limit))
	for _, l := range listeners { // also those that the server does not serve yet
		_ = l.Close()
	}
	for range left {
		g.err = errors.Join(g.err, <-ended)
	}
	g.err = errors.Join(g.err, g.release())
}

func (g *Gateway) hold(release func() error) { g.held = append(g.held, release) }

// release releases the resources of start, last opened first.
func (g *Gateway) release() error {
	var errs []error
	for _, f := range slices.Backward(g.held) {
		errs = append(errs, f())
	}
	g.held = nil
	return errors.Join(errs...)
}

// Client returns a client for the process's own requests. It reaches the server without a socket, so that connections
// from elsewhere cannot block the process. Requests to other addresses are sent as usual.
func (g *Gateway) Client() *http.Client {
	own := strings.TrimPrefix(g.endpoint, "http://")
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == own {
				return g.inner.Dial()
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}
}

// Endpoint returns the server's base URL. Buckets are addressed by path.
func (g *Gateway) Endpoint() string { return g.endpoint }

// Done returns a channel that is closed when the server has ended, by Close or otherwise.
func (g *Gateway) Done() <-chan struct{} { return g.done }

// Close ends the server, waits until requests in flight are answered (at most 10 s) and the working directory is
// restored, and returns the server's error if it had failed before. It may be called again.
func (g *Gateway) Close() error { return g.Shutdown(context.Background()) }

// Shutdown is like Close, but stops waiting when ctx ends. The server still ends in the background.
func (g *Gateway) Shutdown(ctx context.Context) error {
	g.stop()
	select {
	case <-g.done:
	case <-ctx.Done():
		return fmt.Errorf("gateway: requests are still in flight: %w", ctx.Err())
	}
	if g.err != nil {
		return fmt.Errorf("gateway: %w", g.err)
	}
	return nil
}

// listen listens on the port of the loopback address, or on a free one if that is taken or "0".
func listen(ctx context.Context, port string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:"+port)
	if err != nil {
		l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	}
	return l, err
}
