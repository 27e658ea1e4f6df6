package sse_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/sse"
)

// Nothing of the package may run after the tests.
func TestMain(m *testing.M) {
	code := m.Run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for range 3000 {
		if running() == "" {
			os.Exit(code)
		}
		<-time.After(20 * time.Millisecond)
	}
	_, _ = io.WriteString(os.Stderr, "goroutines are left:\n"+running())
	os.Exit(1)
}

// running returns the stacks that contain code of the package, except for the caller's.
func running() (left string) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for i, stack := range strings.Split(string(stacks), "\n\n") {
		if i > 0 && strings.Contains(stack, "carrel/sse") {
			left += stack + "\n\n"
		}
	}
	return left
}

// eachProtocol runs test with a server and client of HTTP/1 and HTTP/2 over TCP. HTTP/2 is not encrypted, because the
// WriteTimeout of a server is the limit of its TLS handshakes too.
func eachProtocol(t *testing.T, test func(t *testing.T, serve func(http.HandlerFunc) (url string, client *http.Client))) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			test(t, func(h http.HandlerFunc) (string, *http.Client) {
				srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Proto != proto {
						t.Errorf("unexpected protocol %s", r.Proto)
					}
					h(w, r)
				}))
				srv.Config.WriteTimeout = serverTimeout
				protocols := &http.Protocols{}
				protocols.SetHTTP1(proto == "HTTP/1.1")
				protocols.SetUnencryptedHTTP2(proto == "HTTP/2.0")
				srv.Config.Protocols = protocols
				srv.Start()
				t.Cleanup(srv.Close)
				client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
				t.Cleanup(client.CloseIdleConnections)
				return srv.URL, client
			})
		})
	}
}

// serverTimeout is the WriteTimeout of the server.
const serverTimeout = 3 * time.Second

// The stream takes longer than a response of the server may.
func TestStreamOutlivesDeadlines(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, serve func(http.HandlerFunc) (string, *http.Client)) {
		const idle = serverTimeout * 2 / 3
		waited := make(chan struct{})
		url, client := serve(func(rw http.ResponseWriter, r *http.Request) {
			w := must.Get(sse.NewWriter(rw, &sse.Options{WriteTimeout: idle - 200*time.Millisecond}))
			defer w.Close()
			for n := range 3 {
				if n > 0 {
					<-waited
				}
				if err := w.Send(sse.Event{Data: []byte("x")}); err != nil {
					t.Errorf("the stream is broken: %v", err)
				}
			}
		})
		res, err := client.Get(url)
		require.NoError(t, err)
		defer res.Body.Close()
		n := 0
		for _, err := range sse.Decode(res.Body, 0) {
			require.NoError(t, err)
			if n++; n < 3 {
				<-time.After(idle) // the deadline passes while the stream is idle
				waited <- struct{}{}
			}
		}
		require.Equal(t, 3, n)
	})
}

func TestAbortLooksBrokenAndCloseComplete(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, serve func(http.HandlerFunc) (string, *http.Client)) {
		url, client := serve(func(rw http.ResponseWriter, r *http.Request) {
			w := must.Get(sse.NewWriter(rw, nil))
			defer w.Close()
			if err := w.Send(sse.Event{Data: []byte("x")}); err != nil {
				t.Errorf("the stream is broken: %v", err)
			}
			if r.URL.Path == "/abort" {
				w.Abort()
			}
		})
		for path, complete := range map[string]bool{"/abort": false, "/close": true} {
			res, err := client.Get(url + path)
			require.NoError(t, err)
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			require.Equal(t, "data: x\n\n", string(body))
			require.Equal(t, complete, err == nil, "%s: %v", path, err)
		}
	})
}

// repeatBatch returns a source of the batches of next, which returns nil at the end.
func repeatBatch(next func() []sse.Event) sse.Source {
	return func(ctx context.Context, _ string) iter.Seq2[[]sse.Event, error] {
		return func(yield func([]sse.Event, error) bool) {
			for ctx.Err() == nil {
				batch := next()
				if batch == nil || !yield(batch, nil) {
					return
				}
			}
		}
	}
}

// readEvents reads the first events of a stream.
func readEvents(client *http.Client, url string, count int) error {
	res, err := client.Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	for _, err := range sse.Decode(res.Body, 0) {
		if count--; err != nil || count == 0 {
			return err
		}
	}
	return io.ErrUnexpectedEOF
}

// getStuck requests a stream on a separate connection and reads nothing.
func getStuck(t *testing.T, client *http.Client, url string) *http.Response {
	t.Helper()
	stuck := &http.Client{Transport: client.Transport.(*http.Transport).Clone()}
	res, err := stuck.Get(url)
	require.NoError(t, err)
	return res
}

// floods is a batch that fills the buffers of a connection soon.
func floods() []sse.Event { return []sse.Event{{Data: bytes.Repeat([]byte("x"), 1<<20)}} }

func TestStuckReaderIsReleased(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, serve func(http.HandlerFunc) (string, *http.Client)) {
		const timeout = 2 * time.Second
		released := make(chan time.Duration, 1)
		url, client := serve(func(rw http.ResponseWriter, r *http.Request) {
			var start time.Time // of the write that blocks
			defer func() { released <- time.Since(start) }()
			next := func() []sse.Event { start = time.Now(); return floods() }
			sse.Serve(rw, r, repeatBatch(next), &sse.Options{WriteTimeout: timeout})
		})
		res := getStuck(t, client, url)
		defer res.Body.Close()
		took := <-released
		require.GreaterOrEqual(t, took, timeout)
		require.Less(t, took, time.Minute)
		_, err := io.Copy(io.Discard, bufio.NewReader(res.Body))
		require.Error(t, err, "the stuck client sees a broken stream")
	})
}

// One client reads nothing, and its write waits. The events of the others arrive all the same.
func TestStuckReaderDoesNotDelayOthers(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, serve func(http.HandlerFunc) (string, *http.Client)) {
		released := make(chan struct{})
		url, client := serve(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/stuck" {
				defer close(released)
				sse.Serve(rw, r, repeatBatch(floods), &sse.Options{WriteTimeout: 5 * time.Minute})
				return
			}
			next := func() []sse.Event {
				<-time.After(10 * time.Millisecond)
				return []sse.Event{{Data: []byte("x")}}
			}
			sse.Serve(rw, r, repeatBatch(next), nil)
		})
		res := getStuck(t, client, url+"/stuck")
		var others sync.WaitGroup
		for range 4 {
			others.Go(func() { assert.NoError(t, readEvents(client, url, 100)) })
		}
		others.Wait()
		select {
		case <-released:
			require.Fail(t, "the stuck client has been released before")
		default:
		}
		require.NoError(t, res.Body.Close())
		<-released
	})
}
