package openlibrary

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	maxFailures  = 3                // in a row, after which the client pauses
	defaultPause = 30 * time.Second // without a Retry-After
	refusedPause = 10 * time.Minute // after a 403, which concerns the program
	maxPause     = 15 * time.Minute
)

// breaker keeps the client from asking a service that is down or has asked for a pause.
type breaker struct {
	mu       sync.Mutex
	failures int // in a row
	until    time.Time
}

// check returns an error during a pause.
func (b *breaker) check(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if left := b.until.Sub(now); left > 0 {
		return fmt.Errorf("openlibrary: no request for another %v, since the last ones have failed", left.Round(time.Second))
	}
	return nil
}

// succeed records an answer.
func (b *breaker) succeed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures = 0
}

// fail records a failure, and begins a pause if the service has asked for one or has failed too often. After a pause,
// one more failure begins the next one.
func (b *breaker) fail(now time.Time, pause time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
	if pause == 0 && b.failures >= maxFailures {
		pause = defaultPause
	}
	if until := now.Add(pause); until.After(b.until) {
		b.until = until
	}
}

// pauseOf returns the pause that an answer asks for, or 0. The answer is nil if the request has failed.
func pauseOf(res *http.Response) time.Duration {
	if res == nil {
		return 0
	}
	switch res.StatusCode {
	case http.StatusForbidden:
		return refusedPause
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
	default:
		return 0
	}
	pause := defaultPause
	after := res.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(after); err == nil {
		pause = time.Duration(min(seconds, int(maxPause/time.Second))) * time.Second
	} else if at, err := http.ParseTime(after); err == nil {
		pause = time.Until(at)
	}
	return max(time.Second, min(pause, maxPause))
}
