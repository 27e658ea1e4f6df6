// Intake takes in files of supply-chain data, of any size, in a chat: it says which kind of data a file holds, measures
// its columns and quality, records what a person confirms, and answers questions across all of them.
//
//	go run ./examples/intake
//
// starts everything on this machine and prints the address of its page. It does not need anything else: S3 is an
// embedded server, the table is a file, and the model is a program that follows fixed rules.
//
//	-addr   address to listen on, of this machine only; default 127.0.0.1:8090
//	-data   directory for all data; default a temporary one that is removed at the end
//	-pace   pause of the embedded model after each word, so that a person can follow it; 0 for none; default 8ms
//	-lease  how long a process may be silent before another one takes over its runs; default 10s
//	-grants, -user-runs, -tenant-runs, -queue
//	        most open uploads and runs of a user, and most runs of a tenant at a time and in its queue;
//	        defaults 100, 8, 32 and 64
//
// Requests without a token are from the user "anonymous" of the tenant "demo". POST /api/dev/token issues tokens for
// other, made-up users.
//
//	-bedrock  ask a language model in Amazon Bedrock, with the SDK's default configuration; the rest is embedded
//	-aws      call AWS for everything; nothing is embedded
//	-model    id of the model or inference profile; required with -bedrock and -aws
//	-bucket, -work, -table  the buckets of the files and of the runs, and the table; defaults carrel-intake,
//	                        carrel-intake-work and carrel-intake
//	-issuer, -audience, -client, -tenant-claim  the OIDC issuer whose tokens are required, and its settings
//
// With -aws the buckets, with a CORS rule for the page's origin, and the table must exist. Give -bucket a lifecycle
// rule that aborts incomplete multipart uploads. Without -issuer the server does not authenticate anybody, so it
// accepts connections from this machine only.
//
//	intake sample -kind shipments -size 1000000000 > shipments.csv
//
// writes a made-up file, with -format csv, tsv, jsonl or json, -rows or -size, -seed, and one of -every rows with a
// flaw.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	_ "golang.org/x/crypto/x509roots/fallback" // for a container without certificates

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/sample"
	"github.com/carrel-go/carrel/presign/presigntest"
)

func main() {
	presigntest.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if args := os.Args[1:]; len(args) > 0 && args[0] == "sample" {
		err = writeSample(args[1:], os.Stdout, os.Stderr)
	} else {
		err = run(ctx, args, os.Stdout, os.Stderr)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "intake:", err)
		stop()
		os.Exit(1) //nolint:gocritic // the deferred stop has been called
	}
}

const (
	shutdownTime = 6 * time.Second // longest wait for requests in flight
	runsTime     = 3 * time.Second // time within it before runs are interrupted
)

// config holds the program's settings.
type config struct {
	addr, data, model, bucket, work, table string

	aws, bedrock                          bool
	issuer, audience, client, tenantClaim string

	lease                                 time.Duration
	grants, userRuns, tenantRuns, waiting int

	pace time.Duration // pause after each word of the offline reader; 0 means its default, and less means none
	log  *slog.Logger
}

// parseConfig reads the flags.
func parseConfig(args []string, stderr io.Writer) (config, error) {
	c := config{log: slog.New(slog.NewTextHandler(stderr, nil))}
	flags := flag.NewFlagSet("intake", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8090", "`address` to listen on, of this machine only")
	flags.StringVar(&c.data, "data", "", "`directory` for all data (default a temporary one, removed at the end)")
	flags.StringVar(&c.model, "model", "", "`id` of the model in Amazon Bedrock")
	flags.StringVar(&c.bucket, "bucket", "carrel-intake", "`bucket` of the files")
	flags.StringVar(&c.work, "work", "carrel-intake-work", "`bucket` for the runs")
	flags.StringVar(&c.table, "table", "carrel-intake", "name of the DynamoDB `table`, with -aws")
	flags.BoolVar(&c.aws, "aws", false, "call AWS for everything: nothing is embedded or created")
	flags.BoolVar(&c.bedrock, "bedrock", false, "ask a model in Amazon Bedrock; the rest is embedded")
	flags.StringVar(&c.issuer, "issuer", "", "`URL` of the OIDC issuer whose tokens are required")
	flags.StringVar(&c.audience, "audience", "", "`audience` of the issuer's tokens")
	flags.StringVar(&c.client, "client", "", "`id` of the app client, if the issuer is a Cognito user pool")
	flags.StringVar(&c.tenantClaim, "tenant-claim", "", "`claim` that holds the tenant (default custom:tenant_id)")
	flags.DurationVar(&c.pace, "pace", 8*time.Millisecond, "`pause` of the embedded model after each word, 0 for none")
	flags.DurationVar(&c.lease, "lease", 10*time.Second,
		"`time` after which the runs of a silent process are taken over, at least 1s")
	flags.IntVar(&c.grants, "grants", 100, "largest `number` of a user's open uploads")
	flags.IntVar(&c.userRuns, "user-runs", 8, "largest `number` of a user's runs at a time")
	flags.IntVar(&c.tenantRuns, "tenant-runs", 32, "largest `number` of a tenant's runs at a time")
	flags.IntVar(&c.waiting, "queue", 64, "largest `number` of a tenant's runs that wait")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	switch {
	case c.pace < 0:
		return c, fmt.Errorf("-pace: invalid duration %v: must not be negative", c.pace)
	case c.pace == 0: // zero means the default in a config
		c.pace = -1
	}
	return c, c.check()
}

// check validates the settings before anything is opened.
func (c config) check() error {
	switch {
	case c.bucket == "" || c.work == "" || c.table == "":
		return errors.New("-bucket, -work and -table must not be empty")
	case c.bucket == c.work:
		return fmt.Errorf("-bucket and -work are both %q: must be different buckets", c.work)
	case c.aws && c.bedrock:
		return errors.New("-bedrock is part of -aws: use one of them")
	case (c.aws || c.bedrock) && c.model == "":
		return errors.New("-model must be set with -aws and -bedrock")
	case !c.aws && !c.bedrock && c.model != "":
		return errors.New("-model requires -aws or -bedrock")
	case c.issuer == "" && (c.audience != "" || c.client != "" || c.tenantClaim != ""):
		return errors.New("-audience, -client and -tenant-claim require -issuer")
	case c.issuer != "" && (c.audience == "") == (c.client == ""):
		return errors.New("-issuer requires either -audience, or -client for a Cognito user pool")
	case c.lease < time.Second:
		return fmt.Errorf("-lease: invalid duration %v: must be at least 1s", c.lease)
	}
	for _, n := range []int{c.grants, c.userRuns, c.tenantRuns, c.waiting} {
		if n < 1 || n > admission.MaxLimit {
			return fmt.Errorf("-grants, -user-runs, -tenant-runs and -queue must be 1 to %d", admission.MaxLimit)
		}
	}
	host, _, err := net.SplitHostPort(c.addr)
	if err != nil {
		return fmt.Errorf("-addr: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) && !c.isPublic() {
		return fmt.Errorf("-addr: invalid host %q: must be a loopback address, for example 127.0.0.1, "+
			"unless -aws and -issuer are set", host)
	}
	return nil
}

// isPublic reports whether other machines may connect: only if every request needs a token, and browsers can reach the
// S3 that they upload to.
func (c config) isPublic() bool { return c.aws && c.issuer != "" }

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parseConfig(args, stderr)
	if err != nil {
		return err
	}
	a, err := start(ctx, c)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(stdout, "Intake is open at %s\n", a.url); err != nil {
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

// writeSample writes a made-up file.
func writeSample(args []string, stdout, stderr io.Writer) error {
	var o sample.Options
	var kind, format string
	flags := flag.NewFlagSet("intake sample", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&kind, "kind", string(kinds.Shipments), fmt.Sprintf("`kind` of data, one of %v", sample.Kinds()))
	flags.StringVar(&format, "format", string(sample.CSV), "`format`: csv, tsv, jsonl or json")
	flags.Int64Var(&o.Rows, "rows", 0, "`number` of rows")
	flags.Int64Var(&o.Size, "size", 0, "`bytes` after which the file ends, instead of -rows")
	flags.Uint64Var(&o.Seed, "seed", 1, "`seed` of the made-up values")
	flags.IntVar(&o.Every, "every", 20, "one of this `number` of rows has a flaw; -1 for files without flaws")
	if err := flags.Parse(args); err != nil {
		return err
	}
	o.Kind, o.Format = kinds.Kind(kind), sample.Format(format)
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err := (&sample.Options{Kind: o.Kind, Format: o.Format, Rows: 1}).Check(); err != nil { // before the flags for rows
		return err
	}
	switch {
	case o.Rows < 0 || o.Size < 0:
		return errors.New("-rows and -size must not be negative")
	case o.Rows > 0 && o.Size > 0:
		return errors.New("-rows and -size are both set: use one of them")
	case o.Rows == 0 && o.Size == 0:
		return errors.New("-rows or -size must be set, for example -rows 1000")
	}
	counts, err := sample.Write(stdout, &o)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stderr, "%d rows, %d duplicates, missing %v, wrong %v, negative %v, other dates %v\n",
		counts.Rows, counts.Duplicates, counts.Missing, counts.Wrong, counts.Negative, counts.OtherDates)
	return err
}
