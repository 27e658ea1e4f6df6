// Bookshelf is carrel's complete example: photograph a book, and an agent identifies it.
//
//	go run ./examples/bookshelf
//
// starts everything on this machine and prints the address of its page. It does not need anything else. S3 is an
// embedded server that checks signatures as S3 does. The table is a file. The model is a program that reads barcodes
// and covers, behind an endpoint that speaks Bedrock's protocol. The code between them is the same as on AWS.
//
//	-addr   address to listen on, of this machine only; default 127.0.0.1:8080
//	-data   directory for all data; default a temporary one that is removed at the end
//	-model  id of the model; default one that only the embedded endpoint accepts
//	-landing, -raw, -table  the buckets and the table; default carrel-landing, carrel-raw and carrel
//	-sweep  how often to look for abandoned uploads; default a minute
//	-lease      how long a process may be silent before another one takes over its runs, at least a second; default 10s
//	-user-runs, -tenant-runs, -queue
//	            most runs of a user and of a tenant at a time, and in a tenant's queue; defaults 8, 32 and 64
//	-tenant-tokens, -tenant-period
//	            most tokens of a tenant in a period, 0 for any number, and the period; defaults 0 and 24h
//	-step-tokens
//	            estimated tokens of a request to the model, which are reserved before it; default 10000
//	-grants     most uploads of a user that are granted and have not arrived; default 500
//	-pprof      address of this machine for the profiles of net/http/pprof; default none
//	-pace       pause of the embedded model after each word, so that a person can follow it; 0 for none; default 12ms
//	-retention  how long the record of an upload is kept after it has ended, 0 for ever; default 2160h (90 days)
//	-chat-retention
//	            how long a chat is kept after its last message, 0 for ever; default 2160h (90 days)
//	-lookup     where the agent looks books up: builtin, a small catalogue, or openlibrary, which is asked over HTTPS;
//	            default builtin
//	-lookup-contact
//	            email address or URL under which Open Library can reach you; -lookup openlibrary requires it
//
// If AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL_BEDROCK_RUNTIME is set, that endpoint replaces
// the embedded part, with the environment's credentials and region.
//
// The garbage collector runs when the heap has grown by 80 %. GOGC in the environment replaces that.
//
// Requests without a token are from the user "anonymous" of the tenant "demo". POST /api/dev/token issues tokens for
// other, made-up users: the program is its own issuer. The menu on each page switches to them.
//
//	-aws  call AWS, or the endpoints in AWS_ENDPOINT_URL, for everything; nothing is embedded
//
//	-lan  serve the page and the uploads on the local network, for devices that have sent the code that is shown here
//
// With -lan, -addr may name an address of this machine on that network. A loopback address counts for its port only:
// the program then chooses an address of a real network, says so, and lists the others. The network is plain http, so
// everybody on it can read the traffic. Every device is the user "anonymous".
//
// With -aws, the SDK's default configuration applies (environment, profile, role). The table and the buckets, with a
// CORS rule for the page's origin, must exist. -model is a model or an inference profile that the account may call. The
// program checks all of them, and the issuer, before it starts, and reports every failure. It asks the model for one
// token.
//
//	-events-queue  URL of the SQS queue that the landing bucket notifies; an upload is then recorded when it arrives
//	-events-wait   how long one call waits for messages, 1s to 20s; default 20s
//
// Without -aws the embedded S3 reports arrivals itself. -events-queue is for another S3, with AWS_ENDPOINT_URL_SQS.
// Without either, an upload is recorded by the first extract or by the sweep.
//
//	-issuer        OIDC issuer whose tokens are required; it disables the anonymous user and /api/dev/token
//	-audience      accepted audience of the tokens, in the claim aud
//	-client        app client id, instead of -audience, if the issuer is a Cognito user pool
//	-tenant-claim  claim that holds the tenant; default custom:tenant_id
//	-issuer-keys   URL of the issuer's key set, if its configuration cannot be read from here
//
// With an issuer, people sign in on its pages. Its client must be public, and must allow the redirect
// https://…/sign-in/callback and, after a sign-out, https://…/sign-in. With -issuer-keys, only requests with a token are
// possible.
//
//	-sign-in  require a sign-in with the program's own issuer, whose page signs in anybody without a password
//
// In an AWS Lambda function (AWS_LAMBDA_RUNTIME_API is set) the program answers the function's invocations instead of
// listening, with -aws and -issuer.
//
// With -aws and -issuer the server may listen on any address. Without -issuer it does not authenticate anybody, so it
// accepts connections from this machine only, even with -aws.
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
	"runtime/debug"
	"syscall"
	"time"

	_ "golang.org/x/crypto/x509roots/fallback" // for a container without certificates

	"github.com/carrel-go/carrel/presign/presigntest"
)

func main() {
	presigntest.Main()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bookshelf:", err)
		stop()
		os.Exit(1) //nolint:gocritic // the deferred stop has been called
	}
}

const (
	shutdownTime = 6 * time.Second // longest wait for requests in flight
	runsTime     = 3 * time.Second // time within it before runs are interrupted

	defaultGrants     = 500
	defaultUserRuns   = 8
	defaultTenantRuns = 32
	defaultQueue      = 64
	defaultPeriod     = 24 * time.Hour
	defaultStepTokens = 10_000
	defaultLease      = 10 * time.Second
	defaultPace       = 12 * time.Millisecond
	defaultRetention  = 90 * 24 * time.Hour
)

// gcPercent is the growth of the heap, in percent, that starts a garbage collection, unless GOGC is set. Much of the
// memory of a server with many streams is the room for that growth.
const gcPercent = 80

// run serves until ctx ends.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	c := config{getenv: getenv, terminal: stdout, log: slog.New(slog.NewTextHandler(stderr, nil))}
	flags := flag.NewFlagSet("bookshelf", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8080", "`address` to listen on, of this machine only")
	flags.StringVar(&c.data, "data", "", "`directory` for all data (default a temporary one, removed at the end)")
	flags.StringVar(&c.model, "model", "carrel.offline-reader", "`id` of the model")
	flags.StringVar(&c.landing, "landing", "carrel-landing", "`bucket` that browsers upload to")
	flags.StringVar(&c.raw, "raw", "carrel-raw", "`bucket` for accepted metadata")
	flags.StringVar(&c.table, "table", "carrel", "name of the DynamoDB `table`, if DynamoDB is used")
	flags.BoolVar(&c.aws, "aws", false, "call AWS, or the endpoint in AWS_ENDPOINT_URL: nothing is embedded or created")
	flags.StringVar(&c.queue, "events-queue", "", "`URL` of the SQS queue that the landing bucket notifies")
	flags.DurationVar(&c.queueWait, "events-wait", maxQueueWait, "how `long` one call waits for messages, 1s to 20s")
	flags.DurationVar(&c.sweep, "sweep", time.Minute, "`interval` at which to look for abandoned uploads")
	flags.DurationVar(&c.lease, "lease", defaultLease,
		"`time` after which the runs of a silent process are taken over, at least 1s")
	flags.IntVar(&c.grants, "grants", defaultGrants,
		"largest `number` of a user's uploads that are granted and have not arrived")
	flags.IntVar(&c.userRuns, "user-runs", defaultUserRuns, "largest `number` of a user's runs at a time")
	flags.IntVar(&c.tenantRuns, "tenant-runs", defaultTenantRuns, "largest `number` of a tenant's runs at a time")
	flags.IntVar(&c.waiting, "queue", defaultQueue, "largest `number` of a tenant's runs that wait")
	flags.Int64Var(&c.tenantTokens, "tenant-tokens", 0,
		"largest `number` of a tenant's tokens in a period, 0 for any number")
	flags.DurationVar(&c.tenantPeriod, "tenant-period", defaultPeriod, "`period` of -tenant-tokens, at least 1s")
	flags.Int64Var(&c.stepTokens, "step-tokens", defaultStepTokens,
		"estimated `number` of tokens of a request to the model")
	flags.DurationVar(&c.retention, "retention", defaultRetention,
		"`time` that the record of an upload is kept after it has ended, 0 for ever")
	flags.DurationVar(&c.pace, "pace", defaultPace, "`pause` of the embedded model after each word")
	flags.DurationVar(&c.chatRetention, "chat-retention", defaultRetention,
		"`time` that a chat is kept after its last message, 0 for ever")
	flags.StringVar(&c.lookup, "lookup", lookupBuiltin, "`source` of facts about books: builtin or openlibrary")
	flags.StringVar(&c.lookupContact, "lookup-contact", "",
		"email `address` or URL under which Open Library can reach you")
	flags.StringVar(&c.pprof, "pprof", "", "`address` of this machine for profiles of net/http/pprof (default none)")
	flags.StringVar(&c.issuer, "issuer", "",
		"`URL` of the OIDC issuer whose tokens are required (default no token is required)")
	flags.StringVar(&c.audience, "audience", "", "`audience` of the issuer's tokens")
	flags.StringVar(&c.client, "client", "", "`id` of the app client, if the issuer is a Cognito user pool")
	flags.StringVar(&c.issuerKeys, "issuer-keys", "",
		"`URL` of the issuer's key set, if its configuration cannot be read from here; people cannot sign in on the pages")
	flags.BoolVar(&c.signIn, "sign-in", false, "require a sign-in, on the pages of the program's own test issuer")
	flags.BoolVar(&c.lan, "lan", false,
		"let in devices of the local network that have sent the code that is shown here; plain http")
	flags.StringVar(&c.tenantClaim, "tenant-claim", "", "`claim` that holds the tenant (default custom:tenant_id)")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err := c.checkZeros(); err != nil {
		return err
	}
	if c.pace == 0 { // zero means the default in a config
		c.pace = -1
	}
	flags.Visit(func(f *flag.Flag) { c.isAddrSet = c.isAddrSet || f.Name == "addr" })
	if getenv(runtimeAPI) != "" {
		return serveFunction(ctx, c)
	}
	a, err := start(ctx, c)
	if err != nil {
		return err
	}
	debug.FreeOSMemory() // bundling and compressing the pages took 30 MB
	if _, err := fmt.Fprintf(stdout, "The bookshelf is open at %s\n%s", a.url, c.warning(a.url)); err != nil {
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
