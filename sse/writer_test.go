package sse_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/sse"
)

// response records each Write, Flush and deadline as the connection would see them.
type response struct {
	mu     sync.Mutex
	header http.Header
	log    []string
	fail   error
}

func newResponse() *response { return &response{header: http.Header{}} }

func (r *response) note(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, s)
}

func (r *response) setFail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = err
}

func (r *response) calls() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.log...)
}

// body returns the bytes that were written.
func (r *response) body() (b string) {
	for _, c := range r.calls() {
		if w, ok := strings.CutPrefix(c, "write "); ok {
			b += w
		}
	}
	return b
}

func (r *response) Header() http.Header { return r.header }
func (r *response) WriteHeader(int)     { r.note("status") }
func (r *response) Write(b []byte) (int, error) {
	r.mu.Lock()
	fail := r.fail
	r.mu.Unlock()
	if fail != nil {
		return 0, fail
	}
	if len(b) > 0 {
		r.note("write " + string(b))
	}
	return len(b), nil
}
func (r *response) FlushError() error { r.note("flush"); return nil }
func (r *response) SetWriteDeadline(t time.Time) error {
	if t.IsZero() {
		r.note("deadline off")
	} else {
		r.note("deadline " + time.Until(t).String())
	}
	return nil
}

// decode returns the events of a whole stream.
func decode(t testing.TB, r io.Reader) (events []sse.Event) {
	t.Helper()
	for e, err := range sse.Decode(r, 0) {
		require.NoError(t, err)
		events = append(events, e)
	}
	return events
}

func TestWireFormat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		e    sse.Event
		want string
	}{
		{sse.Event{Data: []byte("x")}, "data: x\n\n"},
		{sse.Event{}, "data: \n\n"},
		{sse.Event{ID: "0.1", Name: "n", Data: []byte(`{"a":1}`)}, "event: n\ndata: {\"a\":1}\nid: 0.1\n\n"},
		{sse.Event{Data: []byte("a\nb\rc\r\nd")}, "data: a\ndata: b\ndata: c\ndata: d\n\n"},
		{sse.Event{Data: []byte("\n")}, "data: \ndata: \n\n"},
		{sse.Event{Data: []byte("a\r\n\r\nid: 9\n\n")}, "data: a\ndata: \ndata: id: 9\ndata: \ndata: \n\n"},
		{sse.Event{Data: []byte(" lead: x")}, "data:  lead: x\n\n"},
	} {
		rec := httptest.NewRecorder()
		w := must.Get(sse.NewWriter(rec, nil))
		require.NoError(t, w.Send(c.e))
		w.Close()
		require.Equal(t, c.want, rec.Body.String())
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	must.Get(sse.NewWriter(rec, nil)).Close()
	require.True(t, rec.Flushed, "the client sees the stream open before the first event")
	require.Equal(t, http.Header{
		"Content-Type": {"text/event-stream"}, "Cache-Control": {"no-cache, no-transform"}, "X-Accel-Buffering": {"no"},
	}, rec.Header())
}

func TestBadFieldsAreRefusedAndTheStreamGoesOn(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	w := must.Get(sse.NewWriter(rec, nil))
	defer w.Close()
	for _, bad := range []string{"a\ndata: injected", "a\rb", "a\x00"} {
		require.ErrorIs(t, w.Send(sse.Event{ID: bad}), sse.ErrField)
		require.ErrorIs(t, w.Send(sse.Event{Name: bad}), sse.ErrField)
	}
	require.Empty(t, rec.Body.String())
	require.NoError(t, w.Send(sse.Event{Data: []byte("on")}))
}

func TestOneWriteAnEventUnderItsOwnDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newResponse()
		w := must.Get(sse.NewWriter(r, &sse.Options{WriteTimeout: 2 * time.Second}))
		require.NoError(t, w.Send(sse.Event{ID: "1", Data: []byte("a\nb")}))
		w.Close()
		require.Equal(t, []string{
			"status", "deadline 2s", "flush", "deadline off",
			"deadline 2s", "write data: a\ndata: b\nid: 1\n\n", "flush", "deadline off",
		}, r.calls())
	})
}

func TestSilenceIsFilled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newResponse()
		w := must.Get(sse.NewWriter(r, nil))
		pings := func() int { return strings.Count(strings.Join(r.calls(), "|"), "write :\n\n") }
		time.Sleep(14 * time.Second)
		require.NoError(t, w.Send(sse.Event{Data: []byte("x")}))
		time.Sleep(14 * time.Second)
		synctest.Wait()
		require.Zero(t, pings(), "an event starts the wait anew")
		time.Sleep(32 * time.Second)
		synctest.Wait()
		require.Equal(t, 3, pings())
		w.Close()
		time.Sleep(time.Hour)
		require.Equal(t, 3, pings(), "nothing after Close")
		require.ErrorIs(t, w.Send(sse.Event{}), sse.ErrClosed)
		w.Close()
	})
}

// A handler that has returned must never see its response touched again.
func TestCloseWaitsForAKeepAliveInFlight(t *testing.T) {
	t.Parallel()
	r := &blocking{response: newResponse(), entered: make(chan struct{}), release: make(chan struct{})}
	w := must.Get(sse.NewWriter(r, &sse.Options{KeepAlive: time.Millisecond}))
	<-r.entered // the comment is being written
	closed := make(chan struct{})
	go func() {
		w.Close()
		r.note("closed")
		close(closed)
	}()
	for range 1000 {
		runtime.Gosched()
	}
	close(r.release)
	<-closed
	log := r.calls()
	require.Equal(t, "closed", log[len(log)-1])
	require.Contains(t, log, "write :\n\n")
}

type blocking struct {
	*response
	once             sync.Once
	entered, release chan struct{}
}

func (b *blocking) Write(p []byte) (int, error) {
	if len(p) > 0 {
		b.once.Do(func() { close(b.entered) })
		<-b.release
	}
	return b.response.Write(p)
}

func TestSeveralEventsAreOneWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newResponse()
		w := must.Get(sse.NewWriter(r, nil))
		require.NoError(t, w.Send(sse.Event{ID: "1", Data: []byte("a")}, sse.Event{ID: "2", Data: []byte("b")}))
		require.NoError(t, w.Send(), "nothing is not written")
		require.ErrorIs(t, w.Send(sse.Event{Data: []byte("c")}, sse.Event{ID: "\n"}), sse.ErrField, "all or nothing")
		w.Close()
		require.Equal(t, []string{
			"status", "deadline 10s", "flush", "deadline off",
			"deadline 10s", "write data: a\nid: 1\n\ndata: b\nid: 2\n\n", "flush", "deadline off",
		}, r.calls())
	})
}

func TestDrainSpreadsReconnects(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 50 {
		r := newResponse()
		w := must.Get(sse.NewWriter(r, &sse.Options{Retry: 2 * time.Second}))
		require.NoError(t, w.Drain())
		require.ErrorIs(t, w.Drain(), sse.ErrClosed)
		var ms int
		_, err := fmt.Sscanf(r.body(), "retry: %d\n\n", &ms)
		require.NoError(t, err)
		require.True(t, ms >= 1 && ms <= 2001, ms)
		seen[r.body()] = true
	}
	require.Greater(t, len(seen), 10)
}

func TestErrorsStick(t *testing.T) {
	t.Parallel()
	r := newResponse()
	w := must.Get(sse.NewWriter(r, nil))
	r.setFail(os.ErrDeadlineExceeded)
	require.ErrorIs(t, w.Send(sse.Event{}), os.ErrDeadlineExceeded)
	r.setFail(nil)
	require.ErrorIs(t, w.Send(sse.Event{}), os.ErrDeadlineExceeded)
	w.Close()
}

type unflushable struct{ http.ResponseWriter }

func TestAResponseThatCannotFlush(t *testing.T) {
	t.Parallel()
	w := must.Get(sse.NewWriter(unflushable{httptest.NewRecorder()}, nil))
	defer w.Close()
	require.ErrorIs(t, w.Send(sse.Event{}), errors.ErrUnsupported)

	rec := httptest.NewRecorder()
	unbuffered := must.Get(sse.NewWriter(unflushable{rec}, &sse.Options{Unbuffered: true}))
	defer unbuffered.Close()
	require.NoError(t, unbuffered.Send(sse.Event{Data: []byte("x")}))
	require.Equal(t, "data: x\n\n", rec.Body.String())
}
