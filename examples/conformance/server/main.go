// Command server is a small service for the conformance suites: an agent with a scripted model, over a table in a
// directory, whose runs are served in each dialect of the library.
//
// Anybody is the user that the header User names. So it listens on loopback only. It prints its address when it is
// ready. A process that is started on the directory of one that was killed continues its runs.
//
// The model answers by the first word of a message: "lend A B" calls a tool for each book, which needs an approval;
// "wait" never ends; anything else is an answer with reasoning, two calls and a text, whose length in words may be the
// last word of the message.
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
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on, of loopback")
	dir := flag.String("dir", "", "directory of the table")
	pace := flag.Duration("pace", 5*time.Millisecond, "time between two words of the model")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *addr, *dir, *pace)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr, dir string, pace time.Duration) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	if ip := listener.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
		return errors.Join(fmt.Errorf("invalid address %s: must be of loopback", ip), listener.Close())
	}
	s, err := open(ctx, dir, pace)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	routes, err := s.routes()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: routes, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	_, _ = fmt.Fprintf(os.Stdout, "http://%s\n", listener.Addr())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = s.runs.Shutdown(last) // the next process continues the runs in flight
	return errors.Join(server.Close(), s.close())
}
