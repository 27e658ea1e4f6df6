// Quickstart is a service whose users upload files and ask an agent about them. A run of the agent outlives its request
// and its process: a client can leave its stream and rejoin it, and only a stop request ends it early.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/scope/object/s3object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools/objecttools"
)

func main() {
	presigntest.Main() // the embedded S3 is a child process of this program
	addr := flag.String("addr", "127.0.0.1:8080", "`address` to listen on")
	dir := flag.String("data", "quickstart-data", "`directory` for all data")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	on := must(startDevelopment(context.WithoutCancel(ctx), *dir)) // the table, S3, the model and the issuer of tokens

	tb := must(table.New(on.rows, nil))
	bucket := must(s3object.Open(on.s3, on.bucket, nil))
	reader := must(agent.New(must(bedrock.New(on.bedrock, on.model, nil)), &agent.Options{
		System: "Answer questions about the user's files.",
		Tools:  must(objecttools.Set(bucket, nil)), // they reach the files of the run's session only
	}))
	runs := must(runner.New(tb, runner.Host{
		Agent: func(context.Context, *runner.Run) (*agent.Agent, error) { return reader, nil },
	}, &runner.Options{Exclusive: true, Logger: log})) // Exclusive: the table is a file of this process
	go runs.Watch(ctx, tb.System()) // continues the runs of a process that has died

	s := &service{signer: must(presign.New(on.s3, bucket, nil)), runs: runs, drain: ctx, log: log}
	api := http.NewServeMux()
	api.Handle("POST /uploads", s.handle(s.grantUpload))
	api.Handle("POST /runs", s.handle(s.startRun))
	api.Handle("GET /runs/{run}/events", s.handle(s.followRun))
	api.Handle("POST /runs/{run}/stop", s.handle(s.stopRun))
	mux := http.NewServeMux()
	mux.Handle("/", on.tokens.Middleware(http.MaxBytesHandler(api, 64<<10)))
	mux.HandleFunc("GET /dev/token", on.issueToken)

	listener := must((&net.ListenConfig{}).Listen(ctx, "tcp", *addr))
	server := &http.Server{ // pages of other sites must not reach /dev/token
		Handler: &httpapi.Guard{Next: mux, Protected: "/dev/"}, ReadHeaderTimeout: 10 * time.Second,
	}
	log.Info("listening", "url", "http://"+listener.Addr().String())
	go func() {
		defer stop() // the program ends if the server fails
		log.Info("server ended", "reason", server.Serve(listener))
	}()
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// Shutdown interrupts runs that do not reach a checkpoint in that time. All of them continue after a restart.
	log.Info("stopped", "error", errors.Join(server.Shutdown(end), runs.Shutdown(end), on.close()))
}

// must returns v, or ends the program.
func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
	return v
}
