package sse_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/sse"
)

// answers is a client whose n-th request gets the n-th response.
type answers struct {
	responses []*http.Response
	requests  []*http.Request
	bodies    []string
	times     []time.Time
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(b)
	}
	a.requests, a.bodies, a.times = append(a.requests, r), append(a.bodies, body), append(a.times, time.Now())
	if len(a.responses) == 0 {
		return nil, errors.New("connection refused")
	}
	res := a.responses[0]
	a.responses = a.responses[1:]
	return res, nil
}

// waits returns the times between the requests.
func (a *answers) waits() (waits []time.Duration) {
	for i := range a.times[1:] {
		waits = append(waits, a.times[i+1].Sub(a.times[i]))
	}
	return waits
}

func (a *answers) options() *sse.FollowOptions {
	return &sse.FollowOptions{Client: &http.Client{Transport: a}}
}

// broken ends with an error after the text.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func answer(status int, body io.Reader, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(body)}
}

func breaks(text string) *http.Response {
	return answer(200, io.MultiReader(strings.NewReader(text), broken{}))
}

func ends(text string) *http.Response { return answer(200, strings.NewReader(text)) }

func request(t *testing.T) *http.Request {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://carrel.example/", nil)
	require.NoError(t, err)
	return req
}

// collect returns the data of all events, and the error.
func collect(seq iter.Seq2[sse.Event, error]) (data []string, err error) {
	for e, err := range seq {
		if err != nil {
			return data, err
		}
		data = append(data, string(e.Data))
	}
	return data, nil
}

func TestFollowResumesAfterTheLastCompleteEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &answers{responses: []*http.Response{
			breaks("data: 1\nid: a\n\nid: torn\ndata: 2\n"), ends("data: 2\nid: b\n\n"), ends("event: ping\ndata\n\n"), answer(204, http.NoBody),
		}}
		data, err := collect(sse.Follow(request(t), a.options()))
		require.NoError(t, err)
		require.Equal(t, []string{"1", "2", ""}, data)
		var ids []string
		for _, r := range a.requests {
			require.Equal(t, "text/event-stream", r.Header.Get("Accept"))
			ids = append(ids, r.Header.Get("Last-Event-ID"))
		}
		require.Equal(t, []string{"", "a", "b", "b"}, ids, "a ping does not lose the place")
	})
}

func TestFollowStartsAfterTheIDOfTheRequest(t *testing.T) {
	t.Parallel()
	a := &answers{responses: []*http.Response{answer(204, http.NoBody)}}
	req := request(t)
	req.Header.Set("Last-Event-ID", "7")
	_, err := collect(sse.Follow(req, a.options()))
	require.NoError(t, err)
	require.Equal(t, "7", a.requests[0].Header.Get("Last-Event-ID"))
}

func TestFollowEndsAtTheTerminalEvent(t *testing.T) {
	t.Parallel()
	a := &answers{responses: []*http.Response{ends("data: 1\n\ndata: end\n\ndata: more\n\n")}}
	o := a.options()
	o.Terminal = func(e sse.Event) bool { return string(e.Data) == "end" }
	data, err := collect(sse.Follow(request(t), o))
	require.NoError(t, err)
	require.Equal(t, []string{"1", "end"}, data)
}

func TestFollowBacksOffUntilAnEventArrives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const attempts = 40
		var longest, afterProgress time.Duration
		for range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			a := &answers{}
			for range attempts {
				a.responses = append(a.responses, ends("")) // a connection is not progress
			}
			a.responses = append(a.responses, ends("data: 1\n\n"), ends("data: 2\n\n"))
			o := a.options()
			o.MaxBackoff = 10 * time.Second
			n := 0
			for _, err := range sse.Follow(request(t).WithContext(ctx), o) {
				if n++; n == 3 {
					require.ErrorIs(t, err, context.Canceled)
					require.ErrorContains(t, err, "connection refused", "the error says why")
				} else if n == 2 {
					time.AfterFunc(time.Second, cancel)
				}
			}
			waits := a.waits()
			require.LessOrEqual(t, waits[0], 501*time.Millisecond)
			require.LessOrEqual(t, waits[1], 1001*time.Millisecond)
			for _, w := range waits[:attempts] {
				require.LessOrEqual(t, w, o.MaxBackoff+time.Millisecond)
				longest = max(longest, w)
			}
			afterProgress = max(afterProgress, waits[attempts])
		}
		require.Greater(t, longest, 5*time.Second)
		require.LessOrEqual(t, afterProgress, 501*time.Millisecond)
	})
}

func TestFollowWaitsAsLongAsTheServerAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &answers{responses: []*http.Response{
			ends("retry: 7000\n\n"), ends("retry: 1x\ndata: 1\n\n"),
			answer(503, http.NoBody, "Retry-After", "60"),
			answer(429, http.NoBody, "Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)),
			ends("retry: 99999999999999999999999\n\n"), answer(204, http.NoBody),
		}}
		_, err := collect(sse.Follow(request(t), a.options()))
		require.NoError(t, err)
		for i, atLeast := range []time.Duration{7 * time.Second, 7 * time.Second, time.Minute, 10 * time.Minute, 10 * time.Minute} {
			require.InDelta(t, atLeast.Seconds(), a.waits()[i].Seconds(), 10, "%d: %v", i, a.waits())
			require.GreaterOrEqual(t, a.waits()[i], atLeast)
		}
	})
}

func TestFollowReturnsTheResponseThatIsNotAStream(t *testing.T) {
	t.Parallel()
	for _, res := range []*http.Response{
		answer(404, strings.NewReader("gone")), answer(410, strings.NewReader("gone")), answer(401, strings.NewReader("gone")),
		answer(200, strings.NewReader("gone"), "Content-Type", "text/html"),
	} {
		a := &answers{responses: []*http.Response{res}}
		_, err := collect(sse.Follow(request(t), a.options()))
		e, ok := errors.AsType[*sse.ResponseError](err)
		require.True(t, ok, err)
		require.Equal(t, res.StatusCode, e.StatusCode)
		require.Equal(t, "gone", string(e.Body))
	}
	require.EqualError(t, &sse.ResponseError{StatusCode: 410}, "sse: unexpected status 410 Gone")
	require.EqualError(t, &sse.ResponseError{StatusCode: 200, Header: http.Header{"Content-Type": {"text/html"}}},
		`sse: invalid content type "text/html": must be text/event-stream`)
}

func TestFollowPostsTheSameRequestAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		post := func(key string) (*answers, error) {
			a := &answers{responses: []*http.Response{breaks("data: 1\nid: a\n\n"), answer(503, http.NoBody), answer(204, http.NoBody)}}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://carrel.example/", strings.NewReader(`{"n":1}`))
			require.NoError(t, err)
			if key != "" {
				req.Header.Set("Idempotency-Key", key)
			}
			_, err = collect(sse.Follow(req, a.options()))
			return a, err
		}
		a, err := post("k")
		require.NoError(t, err)
		require.Equal(t, []string{`{"n":1}`, `{"n":1}`, `{"n":1}`}, a.bodies)
		for _, r := range a.requests {
			require.Equal(t, "k", r.Header.Get("Idempotency-Key"))
		}
		require.Equal(t, "a", a.requests[2].Header.Get("Last-Event-ID"))

		a, err = post("")
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, "without a key it would have its effect twice")
		require.Len(t, a.requests, 1)
	})
}

func TestFollowReconnectsAfterSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		go func() {
			for range 3 { // keep-alives are not silence
				_, _ = io.WriteString(w, ":\n\n")
				time.Sleep(50 * time.Second)
			}
			_, _ = io.WriteString(w, "data: 1\n\n")
		}()
		a := &answers{responses: []*http.Response{answer(200, pipeBody{r}), ends("data: 2\n\n"), answer(204, http.NoBody)}}
		a.responses[0].Body = pipeBody{r}
		var data []string
		for e, err := range sse.Follow(request(t), &sse.FollowOptions{Client: &http.Client{Transport: cancelling{a}}}) {
			require.NoError(t, err)
			data = append(data, string(e.Data))
			time.Sleep(time.Hour) // a slow caller is not silence either
		}
		require.Equal(t, []string{"1", "2"}, data)
	})
}

// cancelling breaks the body of a response when the request is cancelled, as a connection does.
type cancelling struct{ *answers }

func (c cancelling) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := c.answers.RoundTrip(r)
	if err == nil {
		if p, ok := res.Body.(pipeBody); ok {
			context.AfterFunc(r.Context(), func() { p.CloseWithError(r.Context().Err()) })
		}
	}
	return res, err
}

type pipeBody struct{ *io.PipeReader }

func TestFollowDoesNotRetryInVain(t *testing.T) {
	t.Parallel()
	_, err := collect(sse.Follow(get(t.Context()), nil))
	require.ErrorContains(t, err, "RequestURI", "an invalid request is not retried")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://carrel.example/", io.MultiReader())
	require.NoError(t, err)
	_, err = collect(sse.Follow(req, nil))
	require.ErrorContains(t, err, "GetBody")

	a := &answers{responses: []*http.Response{ends("data: 1\nid: a\x01\n\n")}}
	_, err = collect(sse.Follow(request(t), a.options()))
	require.ErrorContains(t, err, `"a\x01"`)

	a = &answers{responses: []*http.Response{ends("data: 1234567890\n\n")}}
	o := a.options()
	o.MaxEvent = 9
	_, err = collect(sse.Follow(request(t), o))
	require.ErrorIs(t, err, sse.ErrTooLarge)
}

func TestLeavingTheLoopCancelsTheRequest(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, start func(http.HandlerFunc) (string, *http.Client)) {
		gone := make(chan struct{})
		url, client := start(func(w http.ResponseWriter, r *http.Request) {
			defer close(gone)
			sse.Serve(w, r, source("1"), nil)
		})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		require.NoError(t, err)
		for _, err := range sse.Follow(req, &sse.FollowOptions{Client: client}) {
			require.NoError(t, err)
			break
		}
		<-gone
	})
}

// cutter aborts the response after some bytes, in the middle of events.
type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *cutter) Write(b []byte) (int, error) {
	if c.left -= len(b); c.left < 0 {
		_, _ = c.ResponseWriter.Write(b[:len(b)+c.left])
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		return 0, io.ErrShortWrite
	}
	return c.ResponseWriter.Write(b)
}

// Connections break anywhere, and servers drain. The client gets every event once and in order.
func TestBrokenStreamsAreResumedExactly(t *testing.T) {
	t.Parallel()
	const last = 300
	numbers := func(ctx context.Context, after string) iter.Seq2[[]sse.Event, error] {
		return func(yield func([]sse.Event, error) bool) {
			n, _ := strconv.Atoi(after)
			if n == last {
				yield(nil, sse.ErrFinished)
				return
			}
			for n < last {
				var batch []sse.Event
				for range min(1+rand.N(5), last-n) {
					n++
					batch = append(batch, sse.Event{ID: strconv.Itoa(n), Data: []byte(fmt.Sprintf("%d\n%d", n, n))})
				}
				if !yield(batch, nil) {
					return
				}
			}
		}
	}
	eachProtocol(t, func(t *testing.T, start func(http.HandlerFunc) (string, *http.Client)) {
		url, client := start(func(w http.ResponseWriter, r *http.Request) {
			sse.Serve(&cutter{w, rand.N(2500)}, r, numbers, &sse.Options{Retry: time.Millisecond})
		})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		require.NoError(t, err)
		n := 0
		for e, err := range sse.Follow(req, &sse.FollowOptions{Client: client, MaxBackoff: time.Millisecond}) {
			require.NoError(t, err)
			n++
			require.Equal(t, sse.Event{ID: strconv.Itoa(n), Data: []byte(fmt.Sprintf("%d\n%d", n, n))}, e)
		}
		require.Equal(t, last, n)
	})
}
