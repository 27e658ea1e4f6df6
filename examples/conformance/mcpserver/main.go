// Command mcpserver serves the fixtures of MCP's conformance suite by package mcp.
//
// The suite calls tools, resources and prompts by name. Tools of a tools.Set, approvals and objects are served as in
// any service (fixtures.go). Prompts and other parts that carrel does not have are added to the SDK's server
// (features.go).
//
// The suite does not send tokens, so everybody is one user: it listens on loopback only. It prints its address when it
// is ready.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools/mcp"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on, of loopback")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *addr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr string) error {
	handler, err := newHandler(ctx)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	if ip := listener.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
		return errors.Join(fmt.Errorf("invalid address %s: must be of loopback", ip), listener.Close())
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	_, _ = fmt.Fprintf(os.Stdout, "http://%s/mcp\n", listener.Addr())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return server.Close()
	}
}

// newHandler returns the handler of /mcp. In place of a verifier it names the one user.
func newHandler(ctx context.Context) (http.Handler, error) {
	tenant, err := scope.Tenant("acme")
	if err != nil {
		return nil, err
	}
	user, err := tenant.User("suite")
	if err != nil {
		return nil, err
	}
	set, options, err := newFixtures(ctx, user)
	if err != nil {
		return nil, err
	}
	options.Features = addFeatures
	h, err := mcp.Serve(set, options)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/mcp", func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(scope.NewContext(r.Context(), user)))
	})
	return mux, nil
}
