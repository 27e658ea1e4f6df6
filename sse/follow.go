package sse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	firstBackoff = 500 * time.Millisecond
	maxWait      = 10 * time.Minute // of a server's retry: or Retry-After
)

var (
	errDone   = errors.New("sse: stream is complete")
	errSilent = errors.New("sse: server is silent")
	errEnded  = errors.New("sse: stream ended before its last event")
)

// FollowOptions configures [Follow].
type FollowOptions struct {
	// Client sends the requests. Its Timeout would limit each connection, so it should be zero. If nil,
	// http.DefaultClient sends them.
	Client *http.Client
	// Terminal reports whether an event is the last one of the stream. Follow yields it and ends. If nil, the stream
	// ends only when the server answers 204, as for EventSource.
	Terminal func(Event) bool
	// MaxEvent is the largest size of an event's data in bytes. Zero means 1 MiB.
	MaxEvent int
	// MaxBackoff is the longest back-off between attempts without progress. Zero means 30 s.
	MaxBackoff time.Duration
	// MaxSilence is the longest time without a byte, keep-alives included. After it Follow reconnects. Zero means
	// 1 min.
	MaxSilence time.Duration
}

// Follow sends req, yields the events of its response and reconnects when the stream breaks, with the header
// Last-Event-ID. If o is nil, the defaults apply. To start after an event, set that header in req.
//
// Follow retries after a broken connection, a timeout and the statuses 408, 425, 429, 500, 502, 503 and 504. It also
// reconnects after a clean end, which does not prove that the stream is complete: see [FollowOptions].Terminal, or use
// [Decode] for a single response. Follow waits for the server's retry: or Retry-After, at most ten minutes, and then
// for a random part of a back-off that doubles with each attempt. An event resets the back-off; a connection without
// one does not.
//
// A request with another method than GET or HEAD is sent again only if it has an Idempotency-Key header, which stays
// the same. Its body is sent again with [http.Request.GetBody].
//
// Follow ends without an error after the terminal event or a 204. Otherwise its last value is an error: the cause of
// the request's context, [ErrTooLarge], a [*ResponseError], or the reason why the request is invalid or cannot be sent
// again. Leaving the loop cancels the request.
func Follow(req *http.Request, o *FollowOptions) iter.Seq2[Event, error] {
	if o == nil {
		o = &FollowOptions{}
	}
	return func(yield func(Event, error) bool) {
		if req == nil {
			yield(Event{}, errNilRequest)
			return
		}
		f := &follower{
			o: o, req: req, client: o.Client, lastID: req.Header.Get("Last-Event-ID"),
			maxBackoff: orDefault(max(o.MaxBackoff, 0), 30*time.Second), maxSilence: orDefault(max(o.MaxSilence, 0),
				time.Minute),
		}
		if f.client == nil {
			f.client = http.DefaultClient
		}
		if err := f.followStream(yield); err != nil {
			yield(Event{}, err)
		}
	}
}

// follower is the state of one loop over Follow.
type follower struct {
	o                      *FollowOptions
	req                    *http.Request
	client                 *http.Client
	maxBackoff, maxSilence time.Duration

	answered bool // whether there was a response
	lastID   string
	retry    time.Duration // the server's last retry:
	failures int           // attempts since the last event
}

// followStream connects until the stream is complete. It returns an error for the caller, or nil.
func (f *follower) followStream(yield func(Event, error) bool) error {
	hasBody := f.req.Body != nil && f.req.Body != http.NoBody
	if hasBody && f.req.GetBody == nil {
		return errors.New("sse: request body cannot be sent again: GetBody must not be nil")
	}
	for {
		if strings.ContainsFunc(f.lastID, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return fmt.Errorf("sse: event id %q cannot be sent as Last-Event-ID: must not contain control characters", f.lastID)
		}
		err := f.connectOnce(yield)
		if errors.Is(err, errDone) {
			return nil
		}
		if f.req.Context().Err() != nil {
			return fmt.Errorf("sse: follow: %w", context.Cause(f.req.Context()))
		}
		wait := f.retry
		if res, ok := errors.AsType[*ResponseError](err); ok {
			if !isRetryable(res.StatusCode) {
				return err
			}
			wait = max(wait, retryAfter(res.Header))
		}
		if errors.Is(err, ErrTooLarge) || !f.isRepeatable() || !f.answered && !isNetwork(err) {
			return fmt.Errorf("sse: follow: %w", err)
		}
		if err := f.awaitRetry(wait, err); err != nil {
			return err
		}
	}
}

// isRepeatable reports whether the request may be sent twice.
func (f *follower) isRepeatable() bool {
	switch f.req.Method {
	case "", http.MethodGet, http.MethodHead:
		return true
	}
	return f.req.Header.Get("Idempotency-Key") != ""
}

// isNetwork reports whether err may pass, other than an invalid request or certificate.
func isNetwork(err error) bool {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // url.Error is a net.Error whatever its cause
	}
	_, ok := errors.AsType[net.Error](err)
	return ok || errors.Is(err, errSilent) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func isRetryable(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter returns the delay that the header Retry-After asks for.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return time.Until(at)
	}
	return 0
}

// awaitRetry waits for at least the duration that the server asked for, and for a random part of the back-off.
func (f *follower) awaitRetry(atLeast time.Duration, cause error) error {
	backoff := firstBackoff << min(f.failures, 16)
	f.failures++
	wait := min(atLeast, maxWait) + pickJitter(min(backoff, f.maxBackoff))
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-f.req.Context().Done():
		return fmt.Errorf("sse: follow: %w; last attempt: %w", context.Cause(f.req.Context()), cause)
	}
}

// connectOnce sends the request once and yields the events of the response. It never returns nil.
func (f *follower) connectOnce(yield func(Event, error) bool) error {
	ctx, cancel := context.WithCancelCause(f.req.Context())
	defer cancel(nil)
	watchdog := time.AfterFunc(f.maxSilence, func() { cancel(errSilent) })
	defer watchdog.Stop()
	res, err := f.sendRequest(ctx)
	if err == nil {
		defer func() { _ = res.Body.Close() }()
		err = f.readResponse(&watchedReader{res.Body, watchdog, f.maxSilence}, yield)
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, errDone) {
		return cause
	}
	return err
}

// sendRequest sends the request and checks that the response is an event stream.
func (f *follower) sendRequest(ctx context.Context) (*http.Response, error) {
	req := f.req.Clone(ctx)
	if f.req.GetBody != nil {
		body, err := f.req.GetBody()
		if err != nil {
			return nil, err
		}
		req.Body = body
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Cache-Control", "no-cache")
	req.Header.Del("Last-Event-ID")
	if f.lastID != "" {
		req.Header.Set("Last-Event-ID", f.lastID)
	}
	res, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	f.answered = true
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if res.StatusCode == http.StatusOK && kind == "text/event-stream" {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode == http.StatusNoContent {
		return nil, errDone
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10)) // an excerpt for people
	return nil, &ResponseError{StatusCode: res.StatusCode, Header: res.Header, Body: body}
}

func (f *follower) readResponse(body io.Reader, yield func(Event, error) bool) error {
	d := newDecoder(body, f.o.MaxEvent, f.lastID)
	for {
		e, err := d.readEvent()
		f.lastID = d.lastID
		if d.retry >= 0 {
			f.retry = d.retry
		}
		if errors.Is(err, io.EOF) {
			return errEnded
		}
		if err != nil {
			return err
		}
		f.failures = 0
		if !yield(e, nil) || f.o.Terminal != nil && f.o.Terminal(e) {
			return errDone
		}
	}
}

// watchedReader runs the watchdog while it waits for bytes, and not while the caller handles an event.
type watchedReader struct {
	io.Reader
	watchdog *time.Timer
	silence  time.Duration
}

func (r *watchedReader) Read(b []byte) (int, error) {
	r.watchdog.Reset(r.silence)
	defer r.watchdog.Stop()
	return r.Reader.Read(b)
}
