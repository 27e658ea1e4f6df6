package sse_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/sse"
)

type discard struct{ header http.Header }

func (d *discard) Header() http.Header              { return d.header }
func (d *discard) WriteHeader(int)                  {}
func (d *discard) Write(b []byte) (int, error)      { return len(b), nil }
func (d *discard) FlushError() error                { return nil }
func (d *discard) SetWriteDeadline(time.Time) error { return nil }

// floor is a stream as one writes it by hand: safe data, one Write and one flush under a deadline that is cleared.
type floor struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	buf []byte
}

func (f *floor) send(id string, data []byte) error {
	b := f.buf[:0]
	for rest := data; ; {
		i := bytes.IndexByte(rest, '\n')
		line := rest
		if i >= 0 {
			line = rest[:i]
		}
		if bytes.IndexByte(line, '\r') >= 0 {
			line = bytes.ReplaceAll(line, []byte("\r"), []byte("\ndata: "))
		}
		b = append(append(append(b, "data: "...), line...), '\n')
		if i < 0 {
			break
		}
		rest = rest[i+1:]
	}
	b = append(append(append(b, "id: "...), id...), "\n\n"...)
	f.buf = b
	if err := f.rc.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := f.w.Write(b); err != nil {
		return err
	}
	if err := f.rc.Flush(); err != nil {
		return err
	}
	return f.rc.SetWriteDeadline(time.Time{})
}

func TestSendDoesNotAllocate(t *testing.T) {
	w := must.Get(sse.NewWriter(&discard{header: http.Header{}}, nil))
	defer w.Close()
	one := sse.Event{ID: "0.1", Name: "n", Data: bytes.Repeat([]byte("x"), 500)}
	two := sse.Event{ID: "0.2", Data: bytes.Repeat([]byte("x\r\n"), 50)}
	require.NoError(t, w.Send(one, two))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = w.Send(one) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = w.Send(one, two) }))
}

// An event of 200 B costs at most 1.2 times what it costs by hand. Both take turns in short slices, and the best slice
// of each counts, so that other load on the machine does not. On a busy machine that takes more slices.
func TestSendCostsLittleMoreThanByHand(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("measures time")
	}
	data := bytes.Repeat([]byte("x"), 200)
	w := must.Get(sse.NewWriter(&discard{header: http.Header{}}, nil))
	defer w.Close()
	d := &discard{header: http.Header{}}
	f := &floor{w: d, rc: http.NewResponseController(d)}
	const events, rounds, most = 2000, 200, 6000
	slice := func(send func() error) time.Duration {
		start := time.Now()
		for range events {
			if err := send(); err != nil {
				t.Fatal(err)
			}
		}
		return time.Since(start)
	}
	ours, byHand := time.Hour, time.Hour
	for n := 1; n <= most; n++ {
		ours = min(ours, slice(func() error { return w.Send(sse.Event{ID: "000000000012.0003", Data: data}) }))
		byHand = min(byHand, slice(func() error { return f.send("000000000012.0003", data) }))
		if n%rounds == 0 && float64(ours) <= 1.2*float64(byHand) {
			break
		}
	}
	t.Logf("%v an event, by hand %v: %.2f", ours/events, byHand/events, float64(ours)/float64(byHand))
	require.LessOrEqual(t, float64(ours), 1.2*float64(byHand))
}

func BenchmarkSend(b *testing.B) {
	w := must.Get(sse.NewWriter(&discard{header: http.Header{}}, nil))
	defer w.Close()
	e := sse.Event{ID: "0.1", Data: bytes.Repeat([]byte("x"), 200)}
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Send(e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	stream := bytes.Repeat([]byte("data: "+string(bytes.Repeat([]byte("x"), 200))+"\nid: 000000000012.0003\n\n"), 100)
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range sse.Decode(bytes.NewReader(stream), 0) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
