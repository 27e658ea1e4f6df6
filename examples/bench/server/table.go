package main

import (
	"fmt"
	"io"
	"time"
)

// commitInterval is that of the bookshelf's log. The floor does not have one.
const commitInterval = 250 * time.Millisecond

const header = "streams\tserver\tlag p50\tp99\tbeyond\tfirst p50\tp99\tCPU\tratio\tRSS\tanonymous\tratio\t" +
	"left: goroutines\tfiles\tRSS\tlate\tbusy\t"

// print writes the row of a result. The ratios are to those of base.
func (r *result) print(w io.Writer, name string, base *result) error {
	beyond := r.lag99
	if base != r {
		beyond = max(beyond-commitInterval, 0)
	}
	_, err := fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f ms\t%.2f×\t%d KB\t%d KB\t%.2f×\t%d\t%d\t%.1f MB\t%s\t%.0f %%\t\n",
		r.streams, name, ms(r.lag50), ms(r.lag99), ms(beyond), ms(r.first50), ms(r.first99),
		float64(r.cpu)/float64(time.Millisecond), float64(r.cpu)/float64(base.cpu),
		r.resident>>10, r.anonymous>>10, float64(r.resident)/float64(base.resident),
		r.left.goroutines, r.left.files, float64(r.left.resident)/(1<<20),
		ms(r.load.late99), 100*r.load.busy)
	return err
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }
