package agenttest

import (
	"bytes"
	"fmt"
	"regexp"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

const labelKey = "agenttest"

// checkReleased fails unless all but a few of the goroutines that the given number of streams started have ended. A
// model may keep some for a pool of connections.
func (p *probe) checkReleased(streams int) {
	deadline := time.Now().Add(releaseTimeout)
	for {
		n := countGoroutines(p.label)
		if n < streams {
			return
		}
		if !time.Now().Before(deadline) {
			p.fail("%d goroutines of %d streams are still running", n, streams)
		}
		p.waitFor(releaseTimeout / 50)
	}
}

// waitFor returns after d, or when the test ends.
func (p *probe) waitFor(d time.Duration) {
	select {
	case <-time.After(d):
	case <-p.ctx.Done():
	}
}

var goroutineCount = regexp.MustCompile(`(?m)^(\d+) @ `)

// countGoroutines counts the goroutines with the label, which they inherit.
func countGoroutines(label string) int {
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		return 0
	}
	n := 0
	for record := range strings.SplitSeq(b.String(), "\n\n") {
		if !strings.Contains(record, fmt.Sprintf("%q:%q", labelKey, label)) {
			continue
		}
		if m := goroutineCount.FindStringSubmatch(record); m != nil {
			c, _ := strconv.Atoi(m[1])
			n += c
		}
	}
	return n
}
