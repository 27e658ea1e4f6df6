package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"text/tabwriter"
)

func main() {
	rounds := flag.Int("rounds", 40, "number of measurements of each library; the median is printed")
	flag.Parse()
	ctx := context.Background()
	if err := errors.Join(table(ctx, os.Stdout, *rounds), eventTable(ctx, os.Stdout, *rounds)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// table measures the contestants and prints the costs of each per turn. The ratios are relative to the first.
func table(ctx context.Context, out io.Writer, rounds int) error {
	all, err := contestants(ctx)
	if err != nil {
		return err
	}
	seen, err := measure(ctx, all, rounds)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	versions := versions()
	first := medians(seen[0])
	rows := []string{
		fmt.Sprintf("%d turns, %d tool calls; %s, %d CPUs, median of %d\n\n", turns, toolCalls, runtime.Version(),
			runtime.NumCPU(), rounds),
		"library\tversion\tµs/turn\tCPU µs/turn\tallocs/turn\tbytes/turn\ttime\tCPU\tallocs\tbytes\t\n",
	}
	for i, c := range all {
		k := medians(seen[i])
		rows = append(rows, fmt.Sprintf("%s\t%s\t%.1f\t%.1f\t%.0f\t%.0f\t%.1f×\t%.1f×\t%.1f×\t%.1f×\t\n", c.name,
			versions[c.module],
			k.wall/turns, k.cpu/turns, k.allocs/turns, k.bytes/turns,
			k.wall/first.wall, k.cpu/first.cpu, k.allocs/first.allocs, k.bytes/first.bytes))
	}
	for _, r := range rows {
		if _, err := io.WriteString(w, r); err != nil {
			return err
		}
	}
	return w.Flush()
}

// versions returns the versions of the modules in this binary.
func versions() map[string]string {
	out := map[string]string{}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return out
	}
	for _, m := range info.Deps {
		out[m.Path] = m.Version
		if m.Replace != nil {
			out[m.Path] = "this"
		}
	}
	return out
}
