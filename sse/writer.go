package sse

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Options are a [Writer]'s.
type Options struct {
	// KeepAlive is how long the stream may be silent before a comment is
	// sent. Default 15 s, below the idle timeouts of common proxies; negative
	// for none.
	KeepAlive time.Duration
	// WriteTimeout bounds each write with its flush, in place of the
	// server's own WriteTimeout, which would end every stream. Default 10 s.
	WriteTimeout time.Duration
}

// Writer writes events to one HTTP response. It is safe for concurrent use.
// After an error, every Send returns that error.
type Writer struct {
	keepAlive, timeout time.Duration

	mu    sync.Mutex
	w     http.ResponseWriter
	rc    *http.ResponseController
	buf   []byte
	err   error
	timer *time.Timer // nil without keep-alive
}

// NewWriter sets the response's headers, sends them with status 200 and
// returns a Writer on it; nil options mean the defaults. Call [Writer.Close]
// before the handler returns.
//
// The response must be able to flush ([http.ResponseController]); where it
// is not, the first Send says so.
func NewWriter(w http.ResponseWriter, o *Options) *Writer {
	sw := &Writer{keepAlive: 15 * time.Second, timeout: 10 * time.Second, w: w, rc: http.NewResponseController(w)}
	if o != nil && o.KeepAlive != 0 {
		sw.keepAlive = o.KeepAlive
	}
	if o != nil && o.WriteTimeout > 0 {
		sw.timeout = o.WriteTimeout
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx holds the stream back otherwise
	w.WriteHeader(http.StatusOK)

	sw.mu.Lock()
	defer sw.mu.Unlock()
	sw.write(nil)
	if sw.keepAlive > 0 {
		sw.timer = time.AfterFunc(sw.keepAlive, sw.ping)
	}
	return sw
}

// Send writes one event and flushes it. It blocks until the bytes are handed
// to the connection, at most for the write timeout. The event is not kept.
func (w *Writer) Send(e *Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	b, err := e.append(w.buf[:0])
	if err != nil {
		return err // nothing was written: the stream goes on
	}
	w.buf = b
	w.write(b)
	return w.err
}

// Close stops the keep-alive and waits for one that is being written. The
// response itself ends when its handler returns. Close may be called twice.
func (w *Writer) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end(ErrClosed)
}

func (w *Writer) ping() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.write([]byte(":\n\n"))
	}
}

// write hands b over and flushes, under a deadline that is cleared after it:
// on HTTP/2 a deadline that lapses later would reset the idle stream.
func (w *Writer) write(b []byte) {
	supported := w.rc.SetWriteDeadline(time.Now().Add(w.timeout)) == nil
	_, err := w.w.Write(b)
	if err == nil {
		err = w.rc.Flush()
	}
	if err == nil && supported {
		err = w.rc.SetWriteDeadline(time.Time{})
	}
	if err != nil {
		w.end(fmt.Errorf("sse: write: %w", err))
		return
	}
	if w.timer != nil {
		w.timer.Reset(w.keepAlive)
	}
}

// end keeps the first error and stops the timer.
func (w *Writer) end(err error) {
	if w.err == nil || errors.Is(err, ErrClosed) {
		w.err = err
	}
	if w.timer != nil {
		w.timer.Stop()
	}
}
