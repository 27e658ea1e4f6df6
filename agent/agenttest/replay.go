package agenttest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
)

// Replay returns a transport that answers from the file at path, which [Record] has written, without a network.
//
// Each request takes the first exchange with the same method, path and body that has not been played, so several
// conversations may run at once. A request that was not recorded fails, and so does the test at its end; it also fails
// if exchanges are left. A response that was not read to its end when it was recorded ends with
// [io.ErrUnexpectedEOF].
func Replay(t testing.TB, path string, o *RecordingOptions) http.RoundTripper {
	t.Helper()
	b, err := os.ReadFile(path) //nolint:gosec // the caller's own file
	if err != nil {
		t.Fatalf("agenttest: replay: %v", err)
	}
	exchanges, err := decodeRecording(b)
	if err != nil {
		t.Fatalf("agenttest: replay %s: %v", path, err)
	}
	p := &player{options: o, exchanges: exchanges, played: make([]bool, len(exchanges))}
	t.Cleanup(func() {
		t.Helper()
		for _, err := range p.listErrors() {
			t.Errorf("agenttest: replay %s: %v", path, err)
		}
	})
	return p
}

type player struct {
	options   *RecordingOptions
	exchanges []*exchange

	mu       sync.Mutex
	requests int
	played   []bool
	errs     []error
}

func (p *player) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := readBody(req)
	if err != nil {
		return nil, err
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	e, err := p.takeExchange(req.Method, req.URL.EscapedPath(), compactJSON(p.options.redact(body)))
	if err != nil {
		return nil, err
	}
	return e.response(req), nil
}

func (p *player) takeExchange(method, path string, body []byte) (*exchange, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	for i, e := range p.exchanges {
		if !p.played[i] && e.Method == method && e.Path == path && bytes.Equal(compactJSON(e.Request), body) {
			p.played[i] = true
			return e, nil
		}
	}
	err := &replayError{request: p.requests, detail: "all exchanges have been played"}
	if next := slices.Index(p.played, false); next >= 0 {
		e := p.exchanges[next]
		err.detail = describeMismatch(e.Method+" "+e.Path+" "+string(compactJSON(e.Request)),
			method+" "+path+" "+string(body))
	}
	p.errs = append(p.errs, err)
	return nil, err
}

// listErrors returns the requests that were not recorded and the exchanges that were not played.
func (p *player) listErrors() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	errs := slices.Clone(p.errs)
	played := 0
	for _, done := range p.played {
		if done {
			played++
		}
	}
	if played < len(p.played) {
		errs = append(errs, fmt.Errorf("%d of %d exchanges were played", played, len(p.played)))
	}
	return errs
}

func (e *exchange) response(req *http.Request) *http.Response {
	res := &http.Response{
		Status: fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)), StatusCode: e.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, ContentLength: int64(len(e.Response)), Request: req,
	}
	for name, v := range e.Header {
		res.Header.Set(name, v)
	}
	var body io.Reader = bytes.NewReader(e.Response)
	if e.Cut {
		res.ContentLength = -1
		body = io.MultiReader(body, cutReader{})
	}
	res.Body = io.NopCloser(body)
	return res
}

// cutReader is the end of a response that was not read to its end.
type cutReader struct{}

func (cutReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// replayError is the error of a request that was not recorded.
type replayError struct {
	request int // from 1
	detail  string
}

func (e *replayError) Error() string {
	return fmt.Sprintf("request %d was not recorded: %s", e.request, e.detail)
}

// RetryableError makes the AWS SDK fail without a retry.
func (e *replayError) RetryableError() bool { return false }

// describeMismatch shows where two requests begin to differ.
func describeMismatch(want, got string) string {
	const around = 60
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	excerpt := func(s string) string { return s[max(0, at-around):min(len(s), at+around)] }
	return fmt.Sprintf("it differs from the next exchange at byte %d\nwant: %q\ngot:  %q", at, excerpt(want), excerpt(got))
}
