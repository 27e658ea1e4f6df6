package sse

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// openDelay is how long Serve waits for the first batch or error of a source before it sends the headers.
const openDelay = 3 * time.Second

// errDrained is the cause of a source's context at the end of the lifetime and at shutdown.
var errDrained = errors.New("sse: stream is drained")

// Source yields the events after the one with the id after, or all events if after is empty. It waits for new events
// until the stream is complete or ctx ends. A batch is sent with one Write. An empty batch opens the stream: it tells
// the client that its request is accepted. The batch may be reused after the next one is asked for.
//
// The id comes from the client. The source must treat it as untrusted, and must know from elsewhere which stream the
// client may read. A stream that is complete ends without an error; if the client already has its last event, the
// source yields [ErrFinished].
type Source func(ctx context.Context, after string) iter.Seq2[[]Event, error]

// Serve answers r with the events of source after the one that the client saw last: that of the header Last-Event-ID,
// or else of the query parameter last_event_id. If o is nil, the defaults apply.
//
// Serve waits up to three seconds for the source's first batch or error, so that the status can depend on it; then it
// opens the stream. An early error sets the status, see [ErrFinished] and its siblings; other errors are 503, and a nil
// source is 500. Before
// it starts from the first event because of [ErrUnknownID], it sends the event
//
//	event: reset
//	data: {"type":"reset"}
//
// When the source ends, the response ends. If it fails later, or the client does not read, Serve aborts the response
// like [Writer.Abort]. Serve calls source in the handler's goroutine. It cancels the source's context when the client
// disconnects, at the end of the lifetime and when Options.Drain is done.
func Serve(w http.ResponseWriter, r *http.Request, source Source, o *Options) {
	s, err := newStream(w, r, source, o)
	if err != nil {
		writeError(w, r, err, s.o)
		return
	}
	defer s.release()
	s.finish(r, s.sendAll(s.ctx, source, lastEventID(r)))
}

// newStream prepares a stream, which must be released. The error is that of the arguments. It is apart from Serve so
// that the frame of a stream that waits for events is small: a server has many.
func newStream(w http.ResponseWriter, r *http.Request, source Source, o *Options) (*stream, error) {
	if o == nil {
		o = &Options{}
	}
	s := &stream{w: w, o: o}
	var err error
	if s.out, err = newWriter(w, o); err == nil && source == nil {
		err = errNilSource
	}
	if err != nil {
		return s, err
	}
	s.ctx, s.cancel = context.WithCancelCause(r.Context())
	drain := func() { s.cancel(errDrained) }
	s.undrain = func() bool { return true }
	if o.Drain != nil {
		s.undrain = context.AfterFunc(o.Drain, drain)
	}
	if life := orDefault(o.Lifetime, 10*time.Minute); life > 0 {
		s.life = time.AfterFunc(life-rand.N(life/4+1), drain) //nolint:gosec // spreads load; not a secret
	}
	s.out.failed = func() { s.cancel(s.out.err) }
	s.opening = time.AfterFunc(openDelay, func() { s.openStream() })
	return s, nil
}

// release stops everything that belongs to the stream.
func (s *stream) release() {
	s.opening.Stop()
	s.sealStream()
	s.out.Close()
	s.undrain()
	if s.life != nil {
		s.life.Stop()
	}
	s.cancel(nil)
}

// finish ends the response to r after the source has ended with err.
func (s *stream) finish(r *http.Request, err error) {
	switch {
	case context.Cause(s.ctx) == errDrained: //nolint:errorlint // it is never wrapped
		if !s.openStream() || s.out.Drain() != nil {
			s.out.Abort()
		}
	case err == nil:
		s.openStream()
	case s.sealStream() && r.Context().Err() == nil:
		writeError(s.w, r, err, s.o)
	case !errors.Is(err, ErrFinished):
		s.out.Abort()
	}
}

// lastEventID returns the id of the event that the client saw last. The header comes first, since EventSource
// reconnects with the query of its first request.
func lastEventID(r *http.Request) string {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		return id
	}
	return r.URL.Query().Get("last_event_id")
}

// writeError writes the response for an error of the source before the stream is open.
func writeError(w http.ResponseWriter, r *http.Request, err error, o *Options) {
	status := http.StatusServiceUnavailable
	switch {
	case errors.Is(err, ErrFinished):
		w.WriteHeader(http.StatusNoContent)
		return
	case o.Error != nil:
		o.Error(w, r, err)
		return
	case errors.Is(err, ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, ErrExpired):
		status = http.StatusGone
	case errors.Is(err, errNilSource):
		status = http.StatusInternalServerError
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, http.StatusText(status), status)
}

// stream is a Writer that opens at the first batch or after a while.
type stream struct {
	out    *Writer
	w      http.ResponseWriter
	o      *Options
	ctx    context.Context //nolint:containedctx // of the source
	cancel context.CancelCauseFunc

	life    *time.Timer // nil without a lifetime
	opening *time.Timer
	undrain func() bool

	mu             sync.Mutex
	opened, sealed bool
}

// sendAll sends the batches of the source. An unknown id resets the client.
func (s *stream) sendAll(ctx context.Context, source Source, after string) error {
	for batch, err := range source(ctx, after) {
		switch {
		case errors.Is(err, ErrUnknownID) && after != "":
			if err := s.sendBatch([]Event{{Name: "reset", Data: []byte(`{"type":"reset"}`)}}); err != nil {
				return err
			}
			return s.sendAll(ctx, source, "")
		case err != nil:
			return err
		}
		if err := s.sendBatch(batch); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *stream) sendBatch(batch []Event) error {
	s.openStream()
	return s.out.Send(batch...)
}

// openStream sends the headers unless the stream is sealed. It reports whether the stream is open.
func (s *stream) openStream() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.opened && !s.sealed {
		s.opened = true
		s.out.openResponse()
	}
	return s.opened
}

// sealStream prevents the stream from being opened. It reports whether the stream was not open.
func (s *stream) sealStream() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
	return !s.opened
}
