package main

import (
	"sync"
	"time"
)

// resolution is the width of a histogram's buckets.
const resolution = 500 * time.Microsecond

// histogram counts durations of up to a minute. It is safe for concurrent use.
type histogram struct {
	mu     sync.Mutex
	counts []int
	n      int
}

func newHistogram() *histogram { return &histogram{counts: make([]int, time.Minute/resolution+1)} }

func (h *histogram) add(d time.Duration) {
	i := min(max(int(d/resolution), 0), len(h.counts)-1)
	h.mu.Lock()
	h.counts[i]++
	h.n++
	h.mu.Unlock()
}

// quantile returns the duration below which the fraction q of the durations is, in steps of the resolution.
func (h *histogram) quantile(q float64) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	rank, seen := int(q*float64(h.n)), 0
	for i, c := range h.counts {
		if seen += c; seen > rank {
			return time.Duration(i) * resolution
		}
	}
	return 0
}
