package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxHeader is the largest header of a response in bytes.
const maxHeader = 64 << 10

// errTooLarge ends a response that is larger than the limit.
var errTooLarge = errors.New("mcp: the response is too large")

// callTrace is the progress of a call, which limitedTransport sets.
type callTrace struct {
	isSent     atomic.Bool // the server may have received the call
	isTooLarge atomic.Bool // the response was cut off
}

// traceKey is the context key of a *callTrace.
type traceKey struct{}

// limitedTransport limits the size and the time of each response, and counts those that are open.
type limitedTransport struct {
	base    http.RoundTripper
	own     *http.Transport // base, if it was made here
	max     int64
	timeout time.Duration

	life   context.Context // of all requests
	end    context.CancelFunc
	bodies sync.WaitGroup
	mu     sync.Mutex // guards additions to bodies after the end
}

func newLimitedTransport(o ImportOptions) *limitedTransport {
	t := &limitedTransport{max: o.MaxResult, timeout: o.Timeout}
	t.life, t.end = context.WithCancel(context.Background())
	if o.Client != nil && o.Client.Transport != nil {
		t.base = o.Client.Transport
		return t
	}
	t.own = &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxResponseHeaderBytes: maxHeader, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: 16,
	}
	t.base = t.own
	return t
}

// client returns a copy of c that uses t.
func (t *limitedTransport) client(c *http.Client) *http.Client {
	limited := http.Client{}
	if c != nil {
		limited = *c
	}
	limited.Transport = t
	limited.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &limited
}

// close ends all requests, and returns when their responses are closed.
func (t *limitedTransport) close() {
	t.end()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bodies.Wait()
	if t.own != nil {
		t.own.CloseIdleConnections()
	}
}

func (t *limitedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.mu.Lock()
	if t.life.Err() != nil {
		t.mu.Unlock()
		return nil, errClosed
	}
	t.bodies.Add(1)
	t.mu.Unlock()
	ctx, cancel := context.WithTimeout(req.Context(), t.timeout)
	stop := context.AfterFunc(t.life, cancel)
	done := sync.OnceFunc(func() {
		stop()
		cancel()
		t.bodies.Done()
	})
	trace, ok := req.Context().Value(traceKey{}).(*callTrace)
	if !ok {
		trace = new(callTrace) // of a request that is not a call
	}
	trace.isSent.Store(true)
	res, err := t.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		done()
		return nil, err
	}
	body := &limitedBody{body: res.Body, left: t.max, trace: trace, done: done}
	res.Body = body
	body.isStream = strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream")
	// The SDK gives a session up if it cannot read a JSON answer, so the answer is read here first.
	if res.StatusCode == http.StatusOK && strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		data, err := io.ReadAll(body)
		_ = body.Close()
		if err == nil && !json.Valid(data) {
			err = errors.New("mcp: the response is not JSON")
		}
		if err != nil {
			return nil, err
		}
		res.Body = io.NopCloser(bytes.NewReader(data))
	}
	return res, nil
}

// limitedBody is the body of a response.
type limitedBody struct {
	body  io.ReadCloser
	left  int64
	trace *callTrace
	done  func()

	isStream bool // of events
	inLine   bool // the next byte is not the first of its line
}

// Read returns errTooLarge once the limit has been read, and does not read on.
func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.trace.isTooLarge.Store(true)
		return 0, errTooLarge
	}
	if b.isStream {
		b.hideIDs(p[:n])
	}
	return n, err
}

// hideIDs turns the ids of events into comments. After an event with an id, the SDK would try to resume a stream that
// ends, and give the session up.
func (b *limitedBody) hideIDs(p []byte) {
	for i, c := range p {
		if !b.inLine && c == 'i' { // no other field begins so
			p[i] = ':'
		}
		b.inLine = c != '\n' && c != '\r'
	}
}

func (b *limitedBody) Close() error {
	defer b.done()
	return b.body.Close()
}
