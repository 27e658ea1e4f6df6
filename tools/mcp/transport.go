package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carrel-go/carrel/sse"
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

// RoundTrip returns the answer to a call as one JSON message, whether the server has sent it as such or in a stream of
// events. It ignores other messages of the stream. The SDK ends a session, with all calls in flight, if it cannot read
// an answer, so invalid answers are errors of the call here.
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
	trace, isCall := req.Context().Value(traceKey{}).(*callTrace)
	if !isCall {
		trace = new(callTrace)
	}
	trace.isSent.Store(true)
	res, err := t.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		done()
		return nil, err
	}
	body := &limitedBody{body: res.Body, left: t.max, trace: trace, done: done}
	res.Body = body
	id := requestID(req)
	hasLostSession := res.StatusCode == http.StatusNotFound && req.Header.Get("Mcp-Session-Id") != ""
	if id == nil || hasLostSession || !isCall && res.StatusCode != http.StatusOK {
		return res, nil // the SDK knows what it means
	}
	answer, err := findAnswer(res, id, int(t.max)+1)
	_ = body.Close()
	if err != nil {
		return nil, err
	}
	res.StatusCode, res.Status = http.StatusOK, "200 OK"
	res.Header.Set("Content-Type", "application/json")
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(answer)), int64(len(answer))
	return res, nil
}

// requestID returns the id of a request of the protocol, or nil if it is another message.
func requestID(req *http.Request) json.RawMessage {
	if req.GetBody == nil {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	defer func() { _ = body.Close() }()
	var m message
	if json.NewDecoder(body).Decode(&m) != nil || m.Method == "" {
		return nil
	}
	return m.ID
}

// message is a message of the protocol.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

func isAnswer(data []byte, id json.RawMessage) bool {
	var m message
	return json.Unmarshal(data, &m) == nil && bytes.Equal(m.ID, id) && m.Method == "" &&
		(m.Result != nil || m.Error != nil)
}

// findAnswer reads the answer to the request with this id. An event has at most maxEvent bytes, which is more than the
// body may have.
func findAnswer(res *http.Response, id json.RawMessage, maxEvent int) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case err == nil && kind == "application/json":
		data, err := io.ReadAll(res.Body)
		if err == nil && !isAnswer(data, id) {
			err = fmt.Errorf("mcp: status %d without an answer to the request", res.StatusCode)
		}
		return data, err
	case err == nil && kind == "text/event-stream" && res.StatusCode == http.StatusOK:
		for e, err := range sse.Decode(res.Body, maxEvent) {
			if err != nil {
				return nil, err
			}
			if isAnswer(e.Data, id) {
				return e.Data, nil
			}
		}
		return nil, errors.New("mcp: the stream ended without an answer")
	}
	return nil, fmt.Errorf("mcp: status %d with the media type %.80q", res.StatusCode, kind)
}

type limitedBody struct {
	body  io.ReadCloser
	left  int64
	trace *callTrace
	done  func()
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
	return n, err
}

func (b *limitedBody) Close() error {
	defer b.done()
	return b.body.Close()
}
