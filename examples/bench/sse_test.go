package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/launchdarkly/eventsource"
	r3labs "github.com/r3labs/sse/v2"
	"github.com/stretchr/testify/require"
	gosse "github.com/tmaxmax/go-sse"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/sse"
)

const eventID = "000000000012.0003"

var eventData = bytes.Repeat([]byte("x"), 200)

// BenchmarkEvent writes an event of 200 B to a response that discards it, with a flush. Only carrel and the loop by
// hand set a deadline for each write. launchdarkly's figure is that of its encoder, r3labs' that of its server, from
// Publish to the flush:
//
//	cd examples/bench && GOWORK=off go test -run '^$' -bench Event -benchmem .
func BenchmarkEvent(b *testing.B) {
	for _, c := range []struct {
		name  string
		write func(ctx context.Context, w *response) (func() error, error)
	}{
		{"by hand", writeByHand}, {"carrel", writeCarrel}, {"go-sse", writeGoSSE}, {"launchdarkly", writeLaunchDarkly},
		{"r3labs", writeR3labs},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := &response{header: http.Header{}, flushed: make(chan struct{}, 1)}
			write, err := c.write(b.Context(), w)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if err := write(); err != nil {
					b.Fatal(err)
				}
			}
			require.Greater(b, w.written, int64(b.N*len(eventData)), "every event is written")
		})
	}
}

// response discards its body.
type response struct {
	header  http.Header
	written int64
	wait    bool
	flushed chan struct{}
}

func (r *response) Header() http.Header              { return r.header }
func (r *response) WriteHeader(int)                  {}
func (r *response) Write(b []byte) (int, error)      { r.written += int64(len(b)); return len(b), nil }
func (r *response) SetWriteDeadline(time.Time) error { return nil }
func (r *response) Flush()                           { _ = r.FlushError() }
func (r *response) FlushError() error {
	if r.wait {
		r.flushed <- struct{}{}
	}
	return nil
}

func writeByHand(_ context.Context, w *response) (func() error, error) {
	rc := http.NewResponseController(w)
	var buf []byte
	return func() error {
		buf = buf[:0]
		for rest, more := eventData, true; more; {
			var line []byte
			line, rest, more = bytes.Cut(rest, []byte("\n"))
			if bytes.IndexByte(line, '\r') >= 0 {
				line = bytes.ReplaceAll(line, []byte("\r"), []byte("\ndata: "))
			}
			buf = append(append(append(buf, "data: "...), line...), '\n')
		}
		buf = append(append(append(buf, "id: "...), eventID...), "\n\n"...)
		if err := rc.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
			return err
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
		if err := rc.Flush(); err != nil {
			return err
		}
		return rc.SetWriteDeadline(time.Time{})
	}, nil
}

func writeCarrel(_ context.Context, w *response) (func() error, error) {
	out := must.Get(sse.NewWriter(w, &sse.Options{KeepAlive: -1}))
	return func() error { return out.Send(sse.Event{ID: eventID, Data: eventData}) }, nil
}

func writeGoSSE(ctx context.Context, w *response) (func() error, error) {
	session, err := gosse.Upgrade(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	if err != nil {
		return nil, err
	}
	data := string(eventData)
	return func() error {
		m := &gosse.Message{ID: gosse.ID(eventID)}
		m.AppendData(data)
		if err := session.Send(m); err != nil {
			return err
		}
		return session.Flush()
	}, nil
}

// publication is an event of launchdarkly's.
type publication struct{ data string }

func (publication) Id() string     { return eventID } //nolint:revive,staticcheck // the interface's name
func (publication) Event() string  { return "" }
func (p publication) Data() string { return p.data }

func writeLaunchDarkly(_ context.Context, w *response) (func() error, error) {
	enc, p := eventsource.NewEncoder(w, false), publication{string(eventData)}
	return func() error {
		if err := enc.Encode(p); err != nil {
			return err
		}
		return w.FlushError()
	}, nil
}

func writeR3labs(ctx context.Context, w *response) (func() error, error) {
	server := r3labs.New()
	server.AutoReplay = false
	server.CreateStream("s")
	w.wait = true
	go server.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/?stream=s", nil))
	select {
	case <-w.flushed: // the headers
	case <-time.After(10 * time.Second):
		return nil, fmt.Errorf("r3labs does not answer")
	}
	return func() error {
		server.Publish("s", &r3labs.Event{ID: []byte(eventID), Data: eventData})
		<-w.flushed
		return nil
	}, nil
}
