package main

import (
	"fmt"
	"io"
	"time"
)

// commitInterval is that of the bookshelf's log. The floor does not have one.
const commitInterval = 250 * time.Millisecond

const header = "streams\trounds\tserver\tlag p50\tp99\tbeyond\tfirst p50\tp99\tCPU\tratio\tRSS\tanonymous\tratio\t" +
	"total RSS\tslope\tratio\tleft: goroutines\tfiles\tRSS\tlate\tbusy\t"

// print writes the row of a result. The ratios are to those of base.
func (r *result) print(w io.Writer, name string, base *result) error {
	beyond := r.lag99
	if base != r {
		beyond = max(beyond-commitInterval, 0)
	}
	cpu, rss := r.ratios(base)
	_, err := fmt.Fprintf(w, "%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f ms\t%.2f×\t%d KB\t%d KB\t%.2f×\t%.1f MB\t%s\t"+
		"%d\t%d\t%.1f MB\t%s\t%.0f %%\t\n",
		r.streams, r.rounds, name, ms(r.lag50), ms(r.lag99), ms(beyond), ms(r.first50), ms(r.first99),
		float64(r.cpu)/float64(time.Millisecond), cpu,
		r.resident>>10, r.anonymous>>10, rss, float64(r.total)/(1<<20),
		r.formatSlope(base), r.left.goroutines, r.left.files, float64(r.left.resident)/(1<<20),
		ms(r.load.late99), 100*r.load.busy)
	return err
}

// formatSlope returns the columns of the memory that each stream adds to that of the first number of streams.
func (r *result) formatSlope(base *result) string {
	if r.slope == 0 {
		return "\t"
	}
	return fmt.Sprintf("%d KB\t%.2f×", r.slope>>10, float64(r.slope)/float64(base.slope))
}

// setSlope compares the memory with that of the first number of streams.
func (r *result) setSlope(first result) {
	if n := int64(r.streams - first.streams); n > 0 {
		r.slope = (r.total - first.total) / n
	}
}

// check returns an error if a ratio to base is too large.
func (r *result) check(base *result, s settings) error {
	cpu, rss := r.ratios(base)
	if s.maxCPU > 0 && cpu > s.maxCPU {
		return fmt.Errorf("%d streams: the CPU time is %.2f times that of the floor: must be at most %.2f", r.streams, cpu,
			s.maxCPU)
	}
	if s.maxRSS > 0 && rss > s.maxRSS {
		return fmt.Errorf("%d streams: the memory is %.2f times that of the floor: must be at most %.2f", r.streams, rss,
			s.maxRSS)
	}
	return nil
}

func (r *result) ratios(base *result) (cpu, rss float64) {
	return float64(r.cpu) / float64(base.cpu), float64(r.resident) / float64(base.resident)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }
