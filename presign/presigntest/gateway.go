package presigntest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"

	"github.com/valyala/fasthttp"
	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3event"
)

// gateway is the server in the child process.
type gateway struct {
	endpoint  string
	listeners []net.Listener
	stop      context.CancelFunc
	held      []func() error // releases the resources of the start, in opening order
	done      chan struct{}
	err       error // the server's error; valid after done is closed
}

// startGateway opens everything and returns when the server answers. It changes the working directory.
func startGateway(with settings, to *messages) (*gateway, error) {
	ctx, stop := context.WithCancel(context.Background())
	g := &gateway{stop: stop, done: make(chan struct{})}
	srv, err := g.openServer(ctx, with, to)
	if err != nil {
		stop()
		return nil, errors.Join(err, g.release())
	}
	go g.serve(ctx, srv)
	limit, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	err = askHealth(limit, g.endpoint+healthPath, &http.Transport{DisableKeepAlives: true})
	if err == nil {
		err = keepPort(with.Dir, g.endpoint)
	}
	if err != nil {
		stop()
		<-g.done
		return nil, errors.Join(err, g.err)
	}
	return g, nil
}

func (g *gateway) openServer(ctx context.Context, with settings, to *messages) (*fasthttp.Server, error) {
	tcp, err := listenLoopback(ctx, lastPort(with.Dir))
	if err != nil {
		return nil, err
	}
	g.hold(func() error { _ = tcp.Close(); return nil }) // the server closes it first
	own, err := (&net.ListenConfig{}).Listen(ctx, "unix", filepath.Join(with.Sockets, ownSocket))
	if err != nil {
		return nil, err
	}
	g.hold(func() error { _ = own.Close(); return nil })
	attributes, err := newStorer(with.Sidecar)
	if err != nil {
		return nil, err
	}
	files, err := posix.New(with.Dir, attributes, posix.PosixOpts{ // changes the working directory
		CopyObjectThreshold: 5 << 30,
		SideCarDir:          with.Sidecar,
	})
	if err != nil {
		return nil, fmt.Errorf("open the directory: %w", err)
	}
	g.hold(func() error { files.Shutdown(); return nil })
	var events s3event.S3EventSender
	if with.Events {
		events = &sender{to: to, buckets: with.Notify}
		g.hold(events.Close)
	}
	account := auth.Account{Access: with.AccessKey, Secret: with.SecretKey, Role: auth.RoleAdmin}
	srv, err := newServer(ctx, &backendLimits{Posix: files, maxObject: with.MaxObject}, account, events, with)
	g.endpoint, g.listeners = "http://"+tcp.Addr().String(), []net.Listener{tcp, own}
	return srv, err
}

// newStorer returns the storage of objects' attributes: a directory, or extended attributes if sidecar is empty.
func newStorer(sidecar string) (meta.MetadataStorer, error) {
	if sidecar == "" {
		return meta.XattrMeta{}, nil
	}
	s, err := meta.NewSideCar(sidecar)
	if err != nil {
		return nil, fmt.Errorf("attributes in %s: %w", sidecar, err)
	}
	return s, nil
}

// serve serves until ctx ends or the server fails, and then releases everything.
func (g *gateway) serve(ctx context.Context, srv *fasthttp.Server) {
	defer close(g.done)
	ended := make(chan error, len(g.listeners))
	for _, l := range g.listeners {
		go func() { ended <- srv.Serve(listener{l}) }()
	}
	left := len(g.listeners)
	select {
	case g.err = <-ended:
		left--
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	g.err = errors.Join(g.err, srv.ShutdownWithContext(limit))
	for _, l := range g.listeners { // also those that the server does not serve yet
		_ = l.Close()
	}
	for range left {
		g.err = errors.Join(g.err, <-ended)
	}
	g.err = errors.Join(g.err, g.release())
}

func (g *gateway) hold(release func() error) { g.held = append(g.held, release) }

// release releases the resources of openServer, last opened first.
func (g *gateway) release() error {
	var errs []error
	for _, f := range slices.Backward(g.held) {
		errs = append(errs, f())
	}
	g.held = nil
	return errors.Join(errs...)
}

// listenLoopback listens on the port of the loopback address, or on a free one if that is taken or "0".
func listenLoopback(ctx context.Context, port string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:"+port)
	if err != nil {
		l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	}
	return l, err
}
