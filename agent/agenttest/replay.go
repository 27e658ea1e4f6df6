package agenttest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
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
	p := &player{options: o, recorded: len(exchanges), left: exchanges}
	t.Cleanup(func() {
		t.Helper()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, err := range p.errs {
			t.Errorf("agenttest: replay %s: %v", path, err)
		}
		if n := len(p.left); n > 0 {
			t.Errorf("agenttest: replay %s: %d of %d exchanges were played", path, p.recorded-n, p.recorded)
		}
	})
	return p
}

type player struct {
	options  *RecordingOptions
	recorded int // number of exchanges in the file

	mu       sync.Mutex
	left     []*exchange // not played yet
	requests int
	errs     []error // of the requests that were not recorded
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
	for i, e := range p.left {
		if e.Method == method && e.Path == path && bytes.Equal(compactJSON(e.Request), body) {
			p.left = slices.Delete(p.left, i, i+1)
			return e, nil
		}
	}
	detail := "all exchanges have been played"
	if len(p.left) > 0 {
		e := p.left[0]
		detail = describeMismatch(fmt.Sprintf("%s %s %s", e.Method, e.Path, compactJSON(e.Request)),
			fmt.Sprintf("%s %s %s", method, path, body))
	}
	err := replayError(fmt.Sprintf("request %d was not recorded: %s", p.requests, detail))
	p.errs = append(p.errs, err)
	return nil, err
}

func (e *exchange) response(req *http.Request) *http.Response {
	w := httptest.NewRecorder()
	for name, v := range e.Header {
		w.Header().Set(name, v)
	}
	w.WriteHeader(e.Status)
	var body io.Reader = bytes.NewReader(e.Response)
	if e.Cut {
		body = io.MultiReader(body, iotest.ErrReader(io.ErrUnexpectedEOF))
	}
	res := w.Result()
	res.Request, res.Body = req, io.NopCloser(body)
	return res
}

// replayError is the error of a request that was not recorded.
type replayError string

func (e replayError) Error() string { return string(e) }

// RetryableError makes the AWS SDK fail without a retry.
func (replayError) RetryableError() bool { return false }

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
