package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/internal/transcript"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

// client follows one run over every process that serves it.
type client struct {
	run    string
	events []sse.Event
	err    error
	wake   int           // ready is closed after that many events, or after the last one
	ready  chan struct{} // may be nil
}

// follow reads the run's events until the last one. It reconnects to the newest process whenever the stream breaks.
func (c *client) follow(ctx context.Context, url *atomic.Pointer[string]) {
	for ctx.Err() == nil {
		if c.read(ctx, *url.Load()); c.err != nil || len(c.events) > 0 && isTerminal(c.events[len(c.events)-1]) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	c.err = fmt.Errorf("%s has not ended after %d events: %w", c.run, len(c.events), context.Cause(ctx))
}

// read reads one response, which may break at any byte.
func (c *client) read(ctx context.Context, url string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/runs/"+c.run+"/events", nil)
	if err != nil {
		c.err = err
		return
	}
	if len(c.events) > 0 {
		req.Header.Set("Last-Event-ID", c.events[len(c.events)-1].ID)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		if res.StatusCode != http.StatusServiceUnavailable {
			c.err = fmt.Errorf("%s: %s", c.run, res.Status)
		}
		return
	}
	for e, err := range sse.Decode(res.Body, 0) {
		if err != nil {
			return
		}
		c.events = append(c.events, e)
		// The text of one commit is one event, so runs do not have the same number of events.
		if c.ready != nil && (len(c.events) == c.wake || len(c.events) < c.wake && isTerminal(e)) {
			close(c.ready)
		}
	}
}

// outcome is the final state of a client: the text, the results of the calls, and the metadata.
type outcome struct {
	Text     string
	Calls    []string
	Metadata map[string]any
}

// readOutcome applies the retractions of a stream.
func readOutcome(t *testing.T, events []sse.Event) (o outcome, retractions int) {
	t.Helper()
	log := make([]replay.Event, len(events))
	for i, e := range events {
		log[i] = replay.Event{ID: e.ID, Data: e.Data}
	}
	shown, err := transcript.FromLog(log)
	require.NoError(t, err)
	o.Text = shown.Text
	for _, c := range shown.Calls {
		o.Calls = append(o.Calls, c.Name+": "+c.Summary)
	}
	var end struct{ Metadata map[string]any }
	require.NoError(t, json.Unmarshal([]byte(shown.Last), &end))
	o.Metadata = end.Metadata
	return o, shown.Retractions
}

// A process on the embedded table is killed at random moments, and each time the next one takes over its runs at once.
// Every client receives the log of its run: nothing twice, nothing missing, nothing out of order. After the retractions it
// equals the stream of an undisturbed run. Each round begins a new run and kills the process when that run has come to a
// random event, so that kills hit runs of every age, and a slow machine does not interrupt a run too often without
// progress. In examples/integration, servers that share a table are killed.
func TestCrashes(t *testing.T) {
	t.Parallel()
	kills := 8
	switch {
	case os.Getenv("CARREL_SOAK") == "1":
		kills = 300
	case testing.Short():
		kills = 5
	}
	dir := t.TempDir()
	photo := drawn(t, cover.Samples()[0], nil)
	s, kill := child(t, dir, nil)
	whole := s.follow(s.begin(s.upload("cover.png", "image/png", photo)), "", nil)
	want, _ := readOutcome(t, whole)
	require.NotEmpty(t, want.Metadata)
	t.Logf("a run has %d events and %d calls", len(whole), len(want.Calls))

	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(kills)*30*time.Second+time.Minute)
	defer cancel()
	var url atomic.Pointer[string]
	url.Store(&s.url)
	var clients []*client
	var following sync.WaitGroup
	for i := range kills {
		run := s.begin(s.upload("cover.png", "image/png", photo))
		killed := &client{run: run, wake: 1 + rand.N(len(whole)), ready: make(chan struct{})}
		for _, c := range []*client{killed, {run: run}} {
			clients = append(clients, c)
			following.Go(func() { c.follow(ctx, &url) })
		}
		select {
		case <-killed.ready:
		case <-ctx.Done():
			require.NoError(t, context.Cause(ctx), "run %s has not come to event %d", run, killed.wake)
		}
		kill(syscall.SIGKILL)
		s, kill = child(t, dir, nil)
		url.Store(&s.url)
		t.Logf("kill %d of %d", i+1, kills)
	}
	following.Wait()

	retractions := 0
	for i, c := range clients {
		require.NoError(t, c.err)
		require.Equal(t, s.follow(c.run, "", nil), c.events, "the client has the log")
		got, n := readOutcome(t, c.events)
		require.Equal(t, want, got)
		retractions += n
		if i%2 == 0 { // the first of two clients of a run
			accept := map[string]any{"session_id": strings.TrimSuffix(c.run, ".1"), "metadata": want.Metadata}
			status, answer := s.json("POST", "/api/metadata/accept", accept)
			require.Equal(t, http.StatusOK, status, answer)
		}
	}
	require.Positive(t, retractions, "no run was hit")
	t.Logf("%d kills, %d runs, %d retractions", kills, len(clients)/2, retractions/2)
	kill(syscall.SIGTERM)
}
