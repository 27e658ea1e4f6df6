package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "server:", err)
		stop()
		os.Exit(1) //nolint:gocritic // the deferred stop has been called
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	list := flags.String("streams", "50,200,400,600", "`numbers` of concurrent streams")
	limit := flags.Duration("limit", 10*time.Minute, "longest `time` of the whole run")
	var s settings
	flags.Float64Var(&s.maxCPU, "max-cpu", 0, "fail if the `ratio` of the CPU time is greater; 0 accepts any")
	flags.Float64Var(&s.maxRSS, "max-rss", 0, "fail if the `ratio` of the memory is greater; 0 accepts any")
	flags.StringVar(&s.only, "only", "", "`name` of the only server to measure, floor or bookshelf")
	procs := flags.Int("procs", 2, "GOMAXPROCS of the servers")
	flags.IntVar(&s.rounds, "rounds", 0, "`number` of streams of each client, one after the other; "+
		"0 for enough to make 600 in total, 3 to 12")
	flags.DurationVar(&s.ramp, "ramp", idealTime, "`time` within which the clients begin")
	flags.StringVar(&s.profiles, "profiles", "", "`directory` for profiles of each measurement")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *procs < 1 || s.rounds < 0 {
		return fmt.Errorf("-procs %d, -rounds %d: invalid: must be at least 1 and 0", *procs, s.rounds)
	}
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	if err := useCoreForAll(os.Getpid(), loadCore); err != nil {
		return err
	}
	runtime.GOMAXPROCS(1)
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	floorPath, shelfPath, err := buildPrograms(ctx, dir)
	if err != nil {
		return err
	}
	m := newModel(newHistogram())
	endpoint, err := serveModel(ctx, m)
	if err != nil {
		return err
	}
	shelf, err := newBookshelf(ctx, shelfPath, endpoint, dir, *procs)
	if err != nil {
		return err
	}
	contestants := []contestant{&floor{program: floorPath, model: endpoint, procs: *procs}, shelf}
	if _, err := fmt.Fprintf(out,
		"one core, GOMAXPROCS=%d; %s; clients begin within %v; ideal %v\n\n",
		*procs, runtime.Version(), s.ramp, idealTime); err != nil {
		return err
	}
	first := map[string]result{}
	for n := range strings.SplitSeq(*list, ",") {
		streams, err := strconv.Atoi(n)
		if err != nil || streams < 1 {
			return fmt.Errorf("-streams: invalid number %q", n)
		}
		if err := compare(ctx, out, contestants, first, m, streams, s); err != nil {
			return err
		}
	}
	return nil
}

// compare measures the contestants with a number of streams, one after the other, and prints a table. first holds their
// results with the first number.
func compare(
	ctx context.Context, out io.Writer, contestants []contestant, first map[string]result, m *model, streams int,
	s settings,
) error {
	s.rounds = countRounds(s.rounds, streams)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if _, err := fmt.Fprintln(w, header); err != nil {
		return err
	}
	var base *result
	var limits error
	for _, c := range contestants {
		if s.only != "" && s.only != c.name() {
			continue
		}
		r, err := measure(ctx, c, m, streams, s)
		if err != nil {
			return errors.Join(fmt.Errorf("%s, %d streams: %w", c.name(), streams, err), w.Flush())
		}
		if _, ok := first[c.name()]; !ok {
			first[c.name()] = r
		}
		r.setSlope(first[c.name()])
		if base == nil {
			base = &r
		}
		if err := r.print(w, c.name(), base); err != nil {
			return err
		}
		limits = errors.Join(limits, r.check(base, s))
	}
	_, err := fmt.Fprintln(w)
	return errors.Join(err, w.Flush(), limits)
}

// countRounds returns how many streams each client makes: asked, or enough to make 600 in total. The first streams of a
// process cost more than the others.
func countRounds(asked, streams int) int {
	const atLeast, atMost, total = 3, 12, 600
	if asked > 0 {
		return asked
	}
	return min(max(atLeast, (total+streams-1)/streams), atMost)
}

// serveModel serves the model on this machine until the program ends, and returns its address.
func serveModel(ctx context.Context, m *model) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	m.server = &http.Server{Handler: m, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = m.server.Serve(l) }()
	return "http://" + l.Addr().String(), nil
}
