package sse

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// keptBuffer is the largest buffer in bytes that a Writer keeps, since a process has many idle streams.
const keptBuffer = 8 << 10

// Writer writes events to one HTTP response. It is safe for concurrent use. After a failed write, Send and Drain return
// that error until Close.
type Writer struct {
	keepAlive, timeout, retry time.Duration
	unbuffered                bool

	mu     sync.Mutex
	w      http.ResponseWriter
	conn   connection
	buf    []byte
	opened time.Time
	last   time.Time // time of the last write
	err    error
	failed func()      // called once when a write fails; may be nil
	timer  *time.Timer // nil without keep-alive
}

// connection has methods of net/http's responses. Calling them directly is cheaper than through a controller.
type connection interface {
	FlushError() error
	SetWriteDeadline(time.Time) error
}

// controller is the connection of any other response.
type controller struct{ *http.ResponseController }

func (c controller) FlushError() error { return c.Flush() }

// NewWriter sends the response's headers with status 200 and returns a Writer for its body. If o is nil, the defaults
// apply. Call [Writer.Close] before the handler returns. NewWriter returns an error if w is nil.
//
// The response must be able to flush ([http.ResponseController]); otherwise the first Send returns an error, unless
// [Options].Unbuffered is set.
func NewWriter(w http.ResponseWriter, o *Options) (*Writer, error) {
	sw, err := newWriter(w, o)
	if err != nil {
		return nil, err
	}
	sw.openResponse()
	return sw, nil
}

func newWriter(w http.ResponseWriter, o *Options) (*Writer, error) {
	if w == nil {
		return nil, errNilResponse
	}
	if o == nil {
		o = &Options{}
	}
	sw := &Writer{
		keepAlive: orDefault(o.KeepAlive, 15*time.Second), timeout: orDefault(max(o.WriteTimeout, 0), 10*time.Second),
		retry: orDefault(o.Retry, 5*time.Second), unbuffered: o.Unbuffered,
		w: w, opened: time.Now(),
	}
	var ok bool
	if sw.conn, ok = w.(connection); !ok {
		sw.conn = controller{http.NewResponseController(w)}
	}
	return sw, nil
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// openResponse sends the headers and starts the keep-alive.
func (w *Writer) openResponse() {
	h := w.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Accel-Buffering", "no") // otherwise nginx holds the stream back
	w.w.WriteHeader(http.StatusOK)

	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return
	}
	w.writeFrames(nil)
	if w.err == nil && w.keepAlive > 0 {
		w.timer = time.AfterFunc(w.keepAlive, w.fillSilence)
	}
}

// Send writes the events with one Write and one flush. It blocks until the bytes are handed to the connection, at most
// for the write timeout. It does not keep the events. If an event is invalid, Send writes nothing, and the stream
// remains usable.
func (w *Writer) Send(events ...Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil || len(events) == 0 {
		return w.err
	}
	b := w.buf[:0]
	for i := range events {
		var err error
		if b, err = events[i].appendTo(b); err != nil {
			return err
		}
	}
	w.writeFrames(b)
	if w.buf = b; cap(b) > keptBuffer {
		w.buf = nil
	}
	return w.err
}

// Drain asks the client to reconnect after a random delay of at most [Options].Retry, and closes the Writer. The
// handler should then return.
func (w *Writer) Drain() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	w.writeFrames(appendRetry(nil, pickJitter(w.retry)))
	err := w.err
	w.endStream(ErrClosed)
	return err
}

// pickJitter returns a random duration from 1 ms to below d + 1 ms.
func pickJitter(d time.Duration) time.Duration {
	return time.Millisecond + rand.N(max(d, 1)) //nolint:gosec // spreads load; not a secret
}

func appendRetry(b []byte, d time.Duration) []byte {
	b = append(b, "retry: "...)
	b = strconv.AppendInt(b, d.Milliseconds(), 10)
	return append(b, "\n\n"...)
}

// Close stops the keep-alive and waits for a write in flight. The response ends, cleanly, when its handler returns.
// Close may be called twice.
func (w *Writer) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endStream(ErrClosed)
}

// Abort closes the Writer and panics with [http.ErrAbortHandler], so that the client sees a broken stream and not a
// complete one. On HTTP/1 the server closes the connection, on HTTP/2 it resets the stream. Call it in the handler's
// goroutine. A middleware that recovers must panic again. The lambdaurl package of aws-lambda-go does not recover:
// there the process ends, and Lambda breaks the stream.
func (w *Writer) Abort() {
	w.Close()
	panic(http.ErrAbortHandler)
}

// fillSilence sends a keep-alive if nothing else was sent for so long. It runs in the timer's goroutine.
func (w *Writer) fillSilence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return
	}
	wait := w.keepAlive - time.Since(w.last)
	if wait <= 0 {
		w.writeFrames([]byte(":\n\n"))
		wait = w.keepAlive
	}
	if w.err == nil {
		w.timer.Reset(wait)
	}
}

// writeFrames writes b and flushes, under a deadline. It clears the deadline afterwards, since a deadline that passes
// later would reset an idle stream on HTTP/2 and break the next response on HTTP/1.
func (w *Writer) writeFrames(b []byte) {
	w.last = w.now()
	hasDeadline := w.conn.SetWriteDeadline(w.last.Add(w.timeout)) == nil
	var err error
	if len(b) > 0 {
		_, err = w.w.Write(b)
	}
	if err == nil {
		err = w.conn.FlushError()
		if w.unbuffered && errors.Is(err, http.ErrNotSupported) {
			err = nil
		}
	}
	if err == nil && hasDeadline {
		err = w.conn.SetWriteDeadline(time.Time{})
	}
	if err != nil {
		w.endStream(fmt.Errorf("sse: write: %w", err))
		if w.failed != nil {
			w.failed()
		}
	}
}

// now returns the time by the monotonic clock. It reads one clock, while time.Now reads two. Reading a clock takes a
// quarter of the time of an event.
func (w *Writer) now() time.Time { return w.opened.Add(time.Since(w.opened)) }

// endStream stops the timer and stores the error for later calls: the first one, or ErrClosed.
func (w *Writer) endStream(err error) {
	if w.err == nil || errors.Is(err, ErrClosed) {
		w.err = err
	}
	if w.timer != nil {
		w.timer.Stop()
	}
}
