package integration_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

// follow reads the run's events to the last one. It reconnects with the id of its last event to any process when a
// response breaks, is silent for too long, or at random.
func (f *follower) follow(ctx context.Context) {
	for f.err == nil && !f.hasEnded() {
		if ctx.Err() != nil {
			f.err = fmt.Errorf("%s has not ended after %d events: %w", f.run, len(f.events), context.Cause(ctx))
			return
		}
		if p := f.visit.world.choose(f.rnd); p != nil {
			f.read(ctx, p)
		}
		time.Sleep(time.Duration(f.rnd.IntN(100)) * time.Millisecond)
	}
}

func (f *follower) hasEnded() bool {
	if len(f.events) == 0 {
		return false
	}
	t := f.events[len(f.events)-1].Type()
	return t == "finished" || t == "failed"
}

// silence is the time without a byte after which a client reconnects.
const silence = 1500 * time.Millisecond

// read reads one response, which may break at any byte.
func (f *follower) read(ctx context.Context, p *process) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := time.AfterFunc(silence+3*time.Second, cancel) // Serve waits up to three seconds for the first events
	defer timer.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+f.visit.path()+"/runs/"+f.run+"/events", nil)
	if err != nil {
		f.err = err
		return
	}
	if len(f.events) > 0 {
		req.Header.Set("Last-Event-ID", f.events[len(f.events)-1].ID)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		if res.StatusCode != http.StatusServiceUnavailable {
			f.err = fmt.Errorf("%s after %d events: %s", f.run, len(f.events), res.Status)
		}
		return
	}
	left := 1 + f.rnd.IntN(40)
	for e, err := range sse.Decode(watched{res.Body, timer}, 0) {
		if err != nil {
			return
		}
		f.events = append(f.events, replay.Event{ID: e.ID, Data: e.Data})
		event := f.events[len(f.events)-1].Type()
		if event == "step_finished" {
			f.visit.world.answers.Add(1)
		}
		if f.isFirst {
			f.visit.world.recordProgress(f.run, event)
		}
		if left--; left == 0 {
			return
		}
	}
}

// watched starts a timer anew with each read.
type watched struct {
	io.Reader
	timer *time.Timer
}

func (w watched) Read(p []byte) (int, error) {
	w.timer.Reset(silence)
	n, err := w.Reader.Read(p)
	w.timer.Reset(silence)
	return n, err
}
