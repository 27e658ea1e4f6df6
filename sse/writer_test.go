package sse_test

import (
	"bufio"
	"bytes"
	"errors"
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

func (r *response) calls() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.log...)
}

func (r *response) Header() http.Header { return r.header }
func (r *response) WriteHeader(int)     { r.note("status") }
func (r *response) Write(b []byte) (int, error) {
	if r.fail != nil {
		return 0, r.fail
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

// What a client by the specification makes of the bytes.
func parse(t testing.TB, r io.Reader) (events []sse.Event) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	s.Split(func(b []byte, eof bool) (int, []byte, error) {
		i := bytes.IndexAny(b, "\r\n")
		if i < 0 || b[i] == '\r' && i+1 == len(b) && !eof {
			return 0, nil, nil
		}
		if b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n' {
			return i + 2, b[:i], nil
		}
		return i + 1, b[:i], nil
	})
	var e sse.Event
	hasData, lastID := false, ""
	for s.Scan() {
		field, value, _ := strings.Cut(s.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case s.Text() == "":
			if hasData {
				e.ID, e.Data = lastID, bytes.TrimSuffix(e.Data, []byte("\n"))
				events = append(events, e)
			}
			e, hasData = sse.Event{}, false
		case field == "data":
			e.Data, hasData = append(append(e.Data, value...), '\n'), true
		case field == "event":
			e.Name = value
		case field == "id":
			lastID = value
		case field != "":
			t.Fatalf("unknown field %q", field)
		}
	}
	require.NoError(t, s.Err())
	return events
}

func TestWireFormat(t *testing.T) {
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
		w := sse.NewWriter(rec, nil)
		require.NoError(t, w.Send(&c.e))
		w.Close()
		require.Equal(t, c.want, rec.Body.String())
	}
}

func TestHeaders(t *testing.T) {
	rec := httptest.NewRecorder()
	sse.NewWriter(rec, nil).Close()
	require.True(t, rec.Flushed, "the client sees the stream open before the first event")
	require.Equal(t, http.Header{
		"Content-Type": {"text/event-stream"}, "Cache-Control": {"no-cache, no-transform"}, "X-Accel-Buffering": {"no"},
	}, rec.Header())
}

func TestBadFieldsAreRefusedAndTheStreamGoesOn(t *testing.T) {
	rec := httptest.NewRecorder()
	w := sse.NewWriter(rec, nil)
	defer w.Close()
	for _, bad := range []string{"a\ndata: injected", "a\rb", "a\x00"} {
		require.ErrorIs(t, w.Send(&sse.Event{ID: bad}), sse.ErrField)
		require.ErrorIs(t, w.Send(&sse.Event{Name: bad}), sse.ErrField)
	}
	require.Empty(t, rec.Body.String())
	require.NoError(t, w.Send(&sse.Event{Data: []byte("on")}))
}

func TestOneWriteAnEventUnderItsOwnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newResponse()
		w := sse.NewWriter(r, &sse.Options{WriteTimeout: 2 * time.Second})
		require.NoError(t, w.Send(&sse.Event{ID: "1", Data: []byte("a\nb")}))
		w.Close()
		require.Equal(t, []string{
			"status", "deadline 2s", "flush", "deadline off",
			"deadline 2s", "write data: a\ndata: b\nid: 1\n\n", "flush", "deadline off",
		}, r.calls())
	})
}

func TestSilenceIsFilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newResponse()
		w := sse.NewWriter(r, nil)
		pings := func() int { return strings.Count(strings.Join(r.calls(), "|"), "write :\n\n") }
		time.Sleep(14 * time.Second)
		require.NoError(t, w.Send(&sse.Event{Data: []byte("x")}))
		time.Sleep(14 * time.Second)
		synctest.Wait()
		require.Zero(t, pings(), "an event starts the wait anew")
		time.Sleep(32 * time.Second)
		synctest.Wait()
		require.Equal(t, 3, pings())
		w.Close()
		time.Sleep(time.Hour)
		require.Equal(t, 3, pings(), "nothing after Close")
		require.ErrorIs(t, w.Send(&sse.Event{}), sse.ErrClosed)
		w.Close()
	})
}

// A handler that has returned must never see its response touched again.
func TestCloseWaitsForAKeepAliveInFlight(t *testing.T) {
	r := &blocking{response: newResponse(), entered: make(chan struct{}), release: make(chan struct{})}
	w := sse.NewWriter(r, &sse.Options{KeepAlive: time.Millisecond})
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

func TestErrorsStick(t *testing.T) {
	r := newResponse()
	w := sse.NewWriter(r, nil)
	r.fail = os.ErrDeadlineExceeded
	require.ErrorIs(t, w.Send(&sse.Event{}), os.ErrDeadlineExceeded)
	r.fail = nil
	require.ErrorIs(t, w.Send(&sse.Event{}), os.ErrDeadlineExceeded)
	w.Close()
}

type unflushable struct{ http.ResponseWriter }

func TestAResponseThatCannotFlush(t *testing.T) {
	w := sse.NewWriter(unflushable{httptest.NewRecorder()}, nil)
	defer w.Close()
	require.ErrorIs(t, w.Send(&sse.Event{}), errors.ErrUnsupported)
}

// Over a real connection: a client that reads nothing is let go of within the
// deadline, and the stream outlives the server's own WriteTimeout.
func TestRealConnection(t *testing.T) {
	result := make(chan error, 1)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w := sse.NewWriter(rw, &sse.Options{WriteTimeout: 200 * time.Millisecond})
		defer w.Close()
		big := bytes.Repeat([]byte("x"), 1<<20)
		var err error
		for err == nil {
			err = w.Send(&sse.Event{Data: big})
		}
		result <- err
	}))
	srv.Config.WriteTimeout = time.Millisecond
	srv.Start()
	defer srv.Close()
	res, err := http.Get(srv.URL)
	require.NoError(t, err)
	defer res.Body.Close()
	require.ErrorIs(t, <-result, os.ErrDeadlineExceeded)
}

func TestSendDoesNotAllocate(t *testing.T) {
	w := sse.NewWriter(&discard{header: http.Header{}}, nil)
	defer w.Close()
	e := &sse.Event{ID: "0.1", Name: "n", Data: bytes.Repeat([]byte("x"), 500)}
	require.NoError(t, w.Send(e))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = w.Send(e) }))
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header              { return d.header }
func (d *discard) WriteHeader(int)                  {}
func (d *discard) Write(b []byte) (int, error)      { return len(b), nil }
func (d *discard) FlushError() error                { return nil }
func (d *discard) SetWriteDeadline(time.Time) error { return nil }

func BenchmarkSend(b *testing.B) {
	w := sse.NewWriter(&discard{header: http.Header{}}, nil)
	defer w.Close()
	e := &sse.Event{ID: "0.1", Data: bytes.Repeat([]byte("x"), 200)}
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Send(e); err != nil {
			b.Fatal(err)
		}
	}
}

// Whatever the data, the client gets it back (line ends as LF) and nothing else.
func FuzzEvent(f *testing.F) {
	f.Add("0.1", "n", []byte("a\r\nb"))
	f.Add("", "", []byte("\n\nid: 1\n\ndata: x"))
	f.Fuzz(func(t *testing.T, id, name string, data []byte) {
		rec := httptest.NewRecorder()
		w := sse.NewWriter(rec, nil)
		defer w.Close()
		if err := w.Send(&sse.Event{ID: id, Name: name, Data: data}); err != nil {
			require.ErrorIs(t, err, sse.ErrField)
			require.Empty(t, rec.Body.Bytes())
			return
		}
		got := parse(t, rec.Body)
		require.Len(t, got, 1)
		require.Equal(t, id, got[0].ID)
		require.Equal(t, name, got[0].Name)
		want := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
		require.Equal(t, want, string(got[0].Data))
	})
}
