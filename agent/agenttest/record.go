package agenttest

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"sync"
	"testing"
)

// RecordingOptions configures [Record] and [Replay], which must use the same options. A nil *RecordingOptions means
// the defaults.
type RecordingOptions struct {
	// Redact returns a body without its secrets, and without values that differ from run to run, such as times. It is
	// applied to the requests that are recorded, to those that are compared with them, and to answers in JSON or text.
	// It must return its own output unchanged, and must be safe for concurrent use. Nil means that bodies are not changed.
	Redact func(body []byte) []byte
}

func (o *RecordingOptions) redact(body []byte) []byte {
	if o == nil || o.Redact == nil {
		return body
	}
	return o.Redact(body)
}

// Record returns a transport that sends requests through next and, at the end of the test, writes the conversation to
// the file at path, for [Replay]. It belongs in the HTTP client of the service's SDK:
//
//	client := bedrockruntime.NewFromConfig(cfg, func(o *bedrockruntime.Options) {
//		o.HTTPClient = &http.Client{Transport: agenttest.Record(t, "testdata/greeting.json", http.DefaultTransport, nil)}
//	})
//
// The file is JSON. It holds the method, the path and the body of each request, and the status, the content type and
// the body of each response: no host, no query, and no header that could hold credentials. A body that is neither JSON
// nor UTF-8 text, such as the event stream of Amazon Bedrock, is stored in base64. Requests without a response are not
// recorded.
//
// If a body holds an AWS access key id, a session token, a signed URL, a bearer token, a JSON web token or a private
// key, the test fails and nothing is written: remove the secret by [RecordingOptions].Redact. A secret that an answer
// spreads over several events is not found.
func Record(t testing.TB, path string, next http.RoundTripper, o *RecordingOptions) http.RoundTripper {
	t.Helper()
	if next == nil {
		t.Fatalf("agenttest: record %s: next must not be nil", path)
	}
	r := &recorder{next: next, options: o, exchanges: []*exchange{}}
	t.Cleanup(func() {
		t.Helper()
		if err := r.writeFile(path); err != nil {
			t.Errorf("agenttest: record %s: %v", path, err)
		}
	})
	return r
}

// recorder is safe for concurrent use if its next transport is.
type recorder struct {
	next    http.RoundTripper
	options *RecordingOptions

	mu        sync.Mutex
	exchanges []*exchange // in the order of the responses
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := readBody(req)
	if err != nil {
		return nil, err
	}
	sent := req.Clone(req.Context())
	sent.Body = io.NopCloser(bytes.NewReader(body))
	res, err := r.next.RoundTrip(sent)
	if err != nil {
		return nil, err
	}
	e := &exchange{
		Method: req.Method, Path: req.URL.EscapedPath(), Request: r.options.redact(body),
		Status: res.StatusCode, Header: map[string]string{}, Cut: true,
	}
	for _, name := range recordedHeaders {
		if v := res.Header.Get(name); v != "" {
			e.Header[name] = v
		}
	}
	r.mu.Lock()
	r.exchanges = append(r.exchanges, e)
	r.mu.Unlock()
	res.Body = &recordedBody{ReadCloser: res.Body, recorder: r, exchange: e}
	return res, nil
}

// recordedBody adds the bytes that are read from a response to its exchange.
type recordedBody struct {
	io.ReadCloser
	recorder *recorder
	exchange *exchange
}

func (b *recordedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.recorder.mu.Lock()
	defer b.recorder.mu.Unlock()
	b.exchange.Response = append(b.exchange.Response, p[:n]...)
	if err == io.EOF {
		b.exchange.Cut = false
	}
	return n, err
}

func (r *recorder) writeFile(path string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.exchanges {
		if !e.Response.isBinary() {
			e.Response = r.options.redact(e.Response)
		}
	}
	b, err := encodeRecording(r.exchanges)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

// readBody reads and closes the body of a request.
func readBody(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	b, err := io.ReadAll(req.Body)
	_ = req.Body.Close() // it has been read
	return b, err
}
