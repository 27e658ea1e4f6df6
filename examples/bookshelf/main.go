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
//	-sweep  how often to look for uploads that nobody goes on with; default a minute
//	-grants     how many uploads of a user may be granted and not have arrived; default 500
//	-retention  how long the record of an upload is kept after it has ended, 0 for ever; default 2160h (90 days)
//
// With AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL_BEDROCK_RUNTIME set, that part is not started
// and the endpoint is used in its place, with the environment's credentials and region.
//
// Whoever asks without a token is the user "anonymous" of the tenant "demo". POST /api/dev/token makes tokens for
// others: the program is its own issuer, for users that are made up.
//
//	-aws  call AWS, or what AWS_ENDPOINT_URL names, for everything; nothing is embedded
//
// Then the SDK's own configuration holds (environment, profile, role). The buckets, with a CORS rule for the page's
// origin, and the table must be there; -model is a model or an inference profile that the account may call.
//
//	-events-queue  URL of the SQS queue that the landing bucket notifies; an upload is then recorded when it arrives
//	-events-wait   how long one call waits for messages, 1s to 20s; default 20s
//
// Without -aws the embedded S3 tells of arrivals itself; -events-queue is for another one, with AWS_ENDPOINT_URL_SQS.
// Without either, an upload is recorded by the first extract, or by the sweep.
//
//	-issuer        OIDC issuer whose tokens are asked for; then there is no anonymous user and no /api/dev/token
//	-audience      whom its tokens are for, in the claim aud
//	-client        the app client's id instead, where the issuer is a Cognito user pool
//	-tenant-claim  the claim that holds the tenant; default custom:tenant_id
//
// With -aws and -issuer the server may listen on any address. Without -issuer it lets in whoever reaches it, so also
// with -aws only this machine may.
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

	"github.com/carrel-go/carrel/examples/bookshelf/internal/queue"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/sweeper"
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

	defaultGrants    = 500
	defaultRetention = 90 * 24 * time.Hour
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
	flags.BoolVar(&c.aws, "aws", false, "call AWS, or what AWS_ENDPOINT_URL names: nothing is embedded, and nothing is made")
	flags.StringVar(&c.queue, "events-queue", "", "`URL` of the SQS queue that the landing bucket notifies")
	flags.DurationVar(&c.queueWait, "events-wait", queue.MaxWait, "how `long` one call waits for messages, 1s to 20s")
	flags.DurationVar(&c.sweep, "sweep", sweeper.Every, "`interval` at which to look for uploads that nobody goes on with")
	flags.IntVar(&c.grants, "grants", defaultGrants, "`number` of uploads of a user that may be granted and not have arrived")
	flags.DurationVar(&c.retention, "retention", defaultRetention, "`time` that the record of an upload is kept after it has ended, 0 for ever")
	flags.StringVar(&c.issuer, "issuer", "", "`URL` of the OIDC issuer whose tokens are asked for (default nobody needs one)")
	flags.StringVar(&c.audience, "audience", "", "`audience` of the issuer's tokens")
	flags.StringVar(&c.client, "client", "", "`id` of the app client, where the issuer is a Cognito user pool")
	flags.StringVar(&c.tenantClaim, "tenant-claim", "", "`claim` that holds the tenant (default custom:tenant_id)")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if c.grants == 0 {
		return errors.New("-grants: invalid limit 0: must be at least 1")
	}
	if c.sweep == 0 || c.queueWait == 0 { // which in a config is the default, and nobody means by a flag
		return errors.New("-sweep: 0s is no interval, and -events-wait takes 1s to 20s")
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
