// Package memnet runs an HTTP server over in-memory connections, so that a test of a client and a server can run
// inside a testing/synctest bubble, where a socket cannot.
//
// It has one function, [Serve]. It does not speak TLS or HTTP/2.
package memnet

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// URL is the base URL under which the client reaches the handler.
const URL = "http://memnet.invalid"

// Serve starts a server for h. The client reaches it whatever host it asks for; stop closes all connections and
// waits for the server to end.
func Serve(h http.Handler) (client *http.Client, stop func()) {
	l := &listener{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l) // always http.ErrServerClosed
	}()
	transport := &http.Transport{DialContext: l.dial}
	return &http.Client{Transport: transport}, func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-ended
	}
}

// listener accepts one end of a net.Pipe for each dial.
type listener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (l *listener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *listener) Addr() net.Addr { return addr{} }

type addr struct{}

func (addr) Network() string { return "mem" }
func (addr) String() string  { return "mem" }
