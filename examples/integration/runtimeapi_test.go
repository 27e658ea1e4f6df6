package integration_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// runtimeAPI is the Runtime API of one execution environment of AWS Lambda, for the runtime client in the process of the
// function (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). An environment has one invocation at a time.
type runtimeAPI struct {
	t       *testing.T
	server  *httptest.Server
	next    chan *invocation
	mu      sync.Mutex
	running map[string]*invocation
	count   int
}

// invocation is an event and the answer to it.
type invocation struct {
	id     string
	event  []byte
	length time.Duration
	answer chan *functionAnswer

	deadline time.Time // is set when the function takes the event
}

// functionAnswer is the answer of a function. Its body ends with an error if the function has aborted it.
type functionAnswer struct {
	status   int
	header   map[string]string
	body     io.Reader
	failed   string    // the error of the function
	end      func()    // lets the function end its request
	deadline time.Time // of the invocation
}

func newRuntimeAPI(t *testing.T) *runtimeAPI {
	t.Helper()
	a := &runtimeAPI{t: t, next: make(chan *invocation), running: map[string]*invocation{}}
	mux := http.NewServeMux()
	const path = "/2018-06-01/runtime/invocation/"
	mux.HandleFunc("GET "+path+"next", a.serveNext)
	mux.HandleFunc("POST "+path+"{id}/response", a.takeResponse)
	mux.HandleFunc("POST "+path+"{id}/error", a.takeError)
	a.server = httptest.NewServer(mux)
	t.Cleanup(a.server.Close)
	return a
}

// invoke starts an invocation that may last for a time. It returns when its answer begins.
func (a *runtimeAPI) invoke(event any, length time.Duration) *functionAnswer {
	a.t.Helper()
	raw, err := json.Marshal(event)
	require.NoError(a.t, err)
	a.mu.Lock()
	a.count++
	i := &invocation{id: fmt.Sprint("i", a.count), event: raw, length: length, answer: make(chan *functionAnswer, 1)}
	a.mu.Unlock()
	select {
	case a.next <- i:
	case <-time.After(30 * time.Second):
		require.Fail(a.t, "the function does not ask for an invocation")
	}
	select {
	case answer := <-i.answer:
		answer.deadline = i.deadline
		return answer
	case <-time.After(length + 10*time.Second):
		require.Fail(a.t, "the function does not answer")
		return nil
	}
}

func (a *runtimeAPI) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case i := <-a.next:
		i.deadline = time.Now().Add(i.length)
		a.mu.Lock()
		a.running[i.id] = i
		a.mu.Unlock()
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", i.id)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(i.deadline.UnixMilli()))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:shelf")
		_, _ = w.Write(i.event)
	}
}

func (a *runtimeAPI) find(r *http.Request) *invocation {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.running[r.PathValue("id")]
}

// takeResponse passes a response on while it arrives. A streamed one begins with its status and headers as JSON, which
// end with eight zero bytes.
func (a *runtimeAPI) takeResponse(w http.ResponseWriter, r *http.Request) {
	i := a.find(r)
	answer := &functionAnswer{status: http.StatusOK, body: r.Body}
	if r.Header.Get("Content-Type") == "application/vnd.awslambda.http-integration-response" {
		body := bufio.NewReader(r.Body)
		var prelude struct {
			StatusCode int
			Headers    map[string]string
		}
		raw, err := body.ReadBytes(0)
		if err == nil {
			_, err = io.CopyN(io.Discard, body, 7)
		}
		if err == nil {
			err = json.Unmarshal(raw[:len(raw)-1], &prelude)
		}
		if err != nil {
			answer.failed = err.Error()
		}
		answer.status, answer.header, answer.body = prelude.StatusCode, prelude.Headers, body
	}
	end := make(chan struct{})
	answer.end = sync.OnceFunc(func() { close(end) })
	answer.body = &trailedBody{Reader: answer.body, request: r, end: answer.end}
	i.answer <- answer
	select {
	case <-end:
	case <-r.Context().Done():
	}
	w.WriteHeader(http.StatusAccepted)
}

// trailedBody fails at its end if the trailers report an error of the function.
type trailedBody struct {
	io.Reader
	request *http.Request
	end     func()
}

func (b *trailedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		if kind := b.request.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
			err = errors.New("aborted: " + kind)
		}
		b.end()
	}
	return n, err
}

func (a *runtimeAPI) takeError(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	a.find(r).answer <- &functionAnswer{failed: string(raw), end: func() {}, body: bytes.NewReader(nil)}
	w.WriteHeader(http.StatusAccepted)
}

// urlEvent is the event of a request of the function's URL.
func urlEvent(method, path, token, body string, header map[string]string) map[string]any {
	path, query, _ := strings.Cut(path, "?")
	headers := map[string]string{"authorization": "Bearer " + token, "content-type": "application/json"}
	for name, value := range header {
		headers[name] = value
	}
	return map[string]any{
		"version": "2.0", "rawPath": path, "rawQueryString": query, "headers": headers, "body": body,
		"requestContext": map[string]any{
			"domainName": "shelf.lambda-url.us-east-1.on.aws",
			"http":       map[string]any{"method": method, "path": path, "sourceIp": "192.0.2.1"},
		},
	}
}

// request answers a request whose response is JSON.
func (a *runtimeAPI) request(method, path, token, body string) map[string]any {
	a.t.Helper()
	answer := a.invoke(urlEvent(method, path, token, body, nil), 20*time.Second)
	raw, err := io.ReadAll(answer.body)
	require.NoError(a.t, err)
	require.Equal(a.t, http.StatusOK, answer.status, "%s %s: %s %s", method, path, raw, answer.failed)
	var v map[string]any
	require.NoError(a.t, json.Unmarshal(raw, &v))
	return v
}
