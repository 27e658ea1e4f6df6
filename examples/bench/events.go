package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"text/tabwriter"
	"time"

	"github.com/launchdarkly/eventsource"
	r3labs "github.com/r3labs/sse/v2"
	gosse "github.com/tmaxmax/go-sse"

	"github.com/carrel-go/carrel/sse"
)

const eventID = "000000000012.0003"

var eventData = bytes.Repeat([]byte("x"), 200)

// eventWriter is a way to write an event of 200 B with a flush.
type eventWriter struct {
	name, module string
	setUp        func(ctx context.Context, w *response) (func() error, error)
}

func eventWriters() []eventWriter {
	return []eventWriter{
		{"by hand", "", writeByHand},
		{"carrel", "github.com/carrel-go/carrel", writeCarrel},
		{"go-sse", "github.com/tmaxmax/go-sse", writeGoSSE},
		{"launchdarkly", "github.com/launchdarkly/eventsource", writeLaunchDarkly},
		{"r3labs", "github.com/r3labs/sse/v2", writeR3labs},
	}
}

// eventTable measures the writers and prints the cost of an event. The ratios are relative to the first.
func eventTable(ctx context.Context, out io.Writer, rounds int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all []contestant
	for _, e := range eventWriters() {
		write, err := e.setUp(ctx, newResponse())
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		all = append(all, contestant{e.name, e.module, func(context.Context) error { return write() }})
	}
	seen, err := measure(ctx, all, rounds)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	versions, first := versions(), medians(seen[0])
	if _, err := fmt.Fprint(w, "\nan event of 200 B and its flush\n\nwriter\tversion\tns\tCPU "+
		"ns\tallocs\tbytes\ttime\tCPU\t\n"); err != nil {
		return err
	}
	for i, c := range all {
		k := medians(seen[i])
		if _, err := fmt.Fprintf(w, "%s\t%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.1f×\t%.1f×\t\n", c.name, versions[c.module],
			1e3*k.wall, 1e3*k.cpu, k.allocs, k.bytes, k.wall/first.wall, k.cpu/first.cpu); err != nil {
			return err
		}
	}
	return w.Flush()
}

// response discards its body.
type response struct {
	header  http.Header
	written int64
	wait    bool
	flushed chan struct{}
}

func newResponse() *response {
	return &response{header: http.Header{}, flushed: make(chan struct{}, 1)}
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
	out, err := sse.NewWriter(w, &sse.Options{KeepAlive: -1})
	if err != nil {
		return nil, err
	}
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
