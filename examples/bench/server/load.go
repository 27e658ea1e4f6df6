package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// request makes the request of a stream.
type request func(ctx context.Context) (*http.Request, error)

// load is what clients measure.
type load struct {
	client *http.Client
	lag    *histogram // of each piece of text, from the model to the client
	first  *histogram // from the request to the first piece of text
	active atomic.Int64
	ended  atomic.Int64
}

func newLoad() *load {
	return &load{
		client: &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 4096,
			ReadBufferSize: 2 << 10}},
		lag: newHistogram(), first: newHistogram(),
	}
}

// run has each client make its requests one after the other. The clients begin within ramp.
func (l *load) run(ctx context.Context, clients [][]request, ramp time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for i, requests := range clients {
		wg.Go(func() {
			l.active.Add(1)
			defer l.active.Add(-1)
			time.Sleep(ramp * time.Duration(i) / time.Duration(len(clients)))
			for _, make := range requests {
				if err := l.follow(ctx, make); err != nil {
					cancel(err)
					return
				}
				l.ended.Add(1)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// follow makes a request and reads its stream, which must hold every piece of text once, in order, and be complete.
func (l *load) follow(ctx context.Context, make request) error {
	req, err := make(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	res, err := l.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	s := &text{load: l, start: start}
	if _, err := io.Copy(s, res.Body); err != nil {
		return fmt.Errorf("%s after %d pieces of text: %w", req.URL.Path, s.pieces, err)
	}
	if res.StatusCode != http.StatusOK || s.pieces != allPieces || s.outOfOrder ||
		!bytes.Contains(s.rest, []byte(`"type":"complete"`)) {
		return fmt.Errorf("%s: status %d, %d pieces of text, in order %t, then %q", req.URL.Path, res.StatusCode, s.pieces,
			!s.outOfOrder, s.rest)
	}
	return nil
}

// text reads the pieces of text in a stream.
type text struct {
	load       *load
	start      time.Time
	pieces     int
	last       time.Time
	outOfOrder bool
	rest       []byte // the end of the stream, for pieces that were split
}

// maxRest is the size of the last event.
const maxRest = 512

func (t *text) Write(b []byte) (int, error) {
	now := time.Now()
	t.rest = append(t.rest, b...)
	for {
		sent, rest, ok := readStamp(t.rest)
		if !ok {
			break
		}
		if t.pieces++; t.pieces == 1 {
			t.load.first.add(now.Sub(t.start))
		}
		t.load.lag.add(now.Sub(sent))
		t.outOfOrder = t.outOfOrder || sent.Before(t.last)
		t.last, t.rest = sent, rest
	}
	if n := len(t.rest) - maxRest; n > 0 {
		t.rest = t.rest[:copy(t.rest, t.rest[n:])]
	}
	return len(b), nil
}

// ReadFrom reads with a small buffer, since the events are small.
func (t *text) ReadFrom(r io.Reader) (n int64, _ error) {
	var buf [1 << 10]byte
	for {
		m, err := r.Read(buf[:])
		n += int64(m)
		_, _ = t.Write(buf[:m])
		switch {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		}
	}
}
