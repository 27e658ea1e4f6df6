package sse_test

import (
	"context"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/sse"
)

// A thousand clients follow a stream of four events a second over TCP, and none is behind by more than a second.
func TestAThousandFollowers(t *testing.T) {
	if os.Getenv("CARREL_SOAK") == "" {
		t.Skip("CARREL_SOAK is not set")
	}
	const followers, events, interval = 1000, 60, 250 * time.Millisecond
	log := newTicks()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sse.Serve(w, r, log.events, nil)
	}))
	defer srv.Close()
	transport := &http.Transport{DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext}
	defer transport.CloseIdleConnections()
	o := &sse.FollowOptions{
		Client:   &http.Client{Transport: transport},
		Terminal: func(e sse.Event) bool { return e.ID == fmt.Sprint(events) },
	}
	var open atomic.Int32
	var wg sync.WaitGroup
	lags := make([]time.Duration, followers)
	for i := range lags {
		wg.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
			if err != nil {
				t.Error(err)
				return
			}
			n := 0
			for e, err := range sse.Follow(req, o) {
				if err != nil {
					t.Error(err)
					return
				}
				n++
				if n == 1 {
					open.Add(1)
					continue // the first event waits for everybody to connect
				}
				if e.ID != fmt.Sprint(n) {
					t.Errorf("event %s follows %d", e.ID, n-1)
				}
				lags[i] = max(lags[i], time.Since(log.at(n)))
			}
			if n != events {
				t.Errorf("%d events", n)
			}
		})
	}
	log.tick()
	for open.Load() < followers {
		<-time.After(10 * time.Millisecond)
	}
	for range events - 1 {
		<-time.After(interval)
		log.tick()
	}
	wg.Wait()
	slices.Sort(lags)
	t.Logf("largest lag of a follower: median %v, p99 %v, worst %v", lags[followers/2], lags[followers*99/100], lags[followers-1])
	require.Less(t, lags[followers-1], time.Second)
}

// ticks is a log of events that are numbers.
type ticks struct {
	mu      sync.Mutex
	times   []time.Time
	changed chan struct{}
}

func newTicks() *ticks { return &ticks{changed: make(chan struct{})} }

func (l *ticks) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times = append(l.times, time.Now())
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *ticks) at(n int) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.times[n-1]
}

func (l *ticks) events(ctx context.Context, after string) iter.Seq2[[]sse.Event, error] {
	return func(yield func([]sse.Event, error) bool) {
		n := 0
		if after != "" {
			if _, err := fmt.Sscan(after, &n); err != nil {
				yield(nil, sse.ErrUnknownID)
				return
			}
		}
		payload := make([]byte, 200)
		for i := range payload {
			payload[i] = 'x'
		}
		for {
			l.mu.Lock()
			known, changed := len(l.times), l.changed
			l.mu.Unlock()
			var batch []sse.Event
			for ; n < known; n++ {
				batch = append(batch, sse.Event{ID: fmt.Sprint(n + 1), Data: payload})
			}
			if len(batch) > 0 && !yield(batch, nil) {
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}
}
