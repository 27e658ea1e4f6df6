// Bookshelf is carrel put together: photograph a book, and an agent finds out which one it is.
//
//	go run ./examples/bookshelf
//
// starts everything on this machine and prints the address of its page. Nothing else is needed: S3 is an embedded
// gateway that checks signatures as S3 does, the table is a file, and the model is a program that reads barcodes and
// covers, behind an endpoint that speaks Bedrock's protocol. The code between them is what would run on AWS.
//
//	-addr   the address to listen on, of this machine only; default 127.0.0.1:8080
//	-data   the directory to keep everything in; default a temporary one that is removed at the end
//	-model  the id of the model to ask; default one that only the embedded endpoint takes
//	-landing, -raw, -table  the buckets and the table; default carrel-landing, carrel-raw and carrel
//
// With AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL_BEDROCK_RUNTIME set, that part is not started
// and the endpoint is used in its place, with the environment's credentials and region.
//
// Whoever asks without a token is the user "anonymous" of the tenant "demo". POST /api/dev/token makes tokens for
// others: the program is its own issuer, for users that are made up.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bookshelf:", err)
		stop()
		os.Exit(1) //nolint:gocritic // the deferred stop has been called
	}
}

const (
	shutdownTime = 6 * time.Second // how long requests under way are waited for, at most
	runsTime     = 3 * time.Second // and how much of it runs get before they are cut off
)

// run is the program: it serves until ctx ends.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	c := config{getenv: getenv, log: slog.New(slog.NewTextHandler(stderr, nil)), pace: 12 * time.Millisecond}
	flags := flag.NewFlagSet("bookshelf", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8080", "`address` to listen on, of this machine only")
	flags.StringVar(&c.data, "data", "", "`directory` to keep everything in (default a temporary one, removed at the end)")
	flags.StringVar(&c.model, "model", "carrel.offline-reader", "`id` of the model to ask")
	flags.StringVar(&c.landing, "landing", "carrel-landing", "`bucket` that browsers upload to")
	flags.StringVar(&c.raw, "raw", "carrel-raw", "`bucket` that accepted metadata is kept in")
	flags.StringVar(&c.table, "table", "carrel", "`table` that everything is tracked in, where DynamoDB is used")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	a, err := start(ctx, c)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(stdout, "The bookshelf is open at %s\n", a.url); err != nil {
		a.failed <- err
	}
	select {
	case <-ctx.Done():
	case err = <-a.failed:
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	return errors.Join(err, a.close(end))
}
