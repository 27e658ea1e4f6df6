package sse_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/sse"
)

// source yields the steps and then waits for the end of its context, unless it has failed or the last step is nil.
func source(steps ...any) sse.Source {
	return func(ctx context.Context, after string) iter.Seq2[[]sse.Event, error] {
		return func(yield func([]sse.Event, error) bool) {
			for _, step := range steps {
				switch step := step.(type) {
				case nil:
					return
				case time.Duration:
					time.Sleep(step)
				case string: // the id and data of an event
					if !yield([]sse.Event{{ID: step, Data: []byte(step)}}, nil) {
						return
					}
				case []sse.Event:
					if !yield(step, nil) {
						return
					}
				case error:
					yield(nil, step)
					return
				}
			}
			<-ctx.Done()
		}
	}
}

func get(ctx context.Context) *http.Request {
	return httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
}

func TestServeDecidesTheStatusFirst(t *testing.T) {
	t.Parallel()
	for err, status := range map[error]int{
		sse.ErrFinished: 204, sse.ErrExpired: 410, sse.ErrNotFound: 404, errors.New("table is down"): 503, sse.ErrUnknownID: 503,
	} {
		rec := httptest.NewRecorder()
		sse.Serve(rec, get(t.Context()), source(fmt.Errorf("wrapped: %w", err)), nil)
		require.Equal(t, status, rec.Code)
		require.NotContains(t, rec.Body.String(), "table")
		require.NotEqual(t, "text/event-stream", rec.Header().Get("Content-Type"))
	}
	rec := httptest.NewRecorder()
	sse.Serve(rec, get(t.Context()), source(sse.ErrNotFound), &sse.Options{
		Error: func(w http.ResponseWriter, _ *http.Request, err error) {
			require.ErrorIs(t, err, sse.ErrNotFound)
			w.WriteHeader(http.StatusTeapot)
		},
	})
	require.Equal(t, http.StatusTeapot, rec.Code)
}

func TestServePassesTheLastEventID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ header, query, want string }{
		{"", "", ""}, {"h", "", "h"}, {"", "?last_event_id=q", "q"}, {"h", "?last_event_id=q", "h"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/"+c.query, nil)
		r.Header.Set("Last-Event-ID", c.header)
		rec := httptest.NewRecorder()
		sse.Serve(rec, r, func(ctx context.Context, after string) iter.Seq2[[]sse.Event, error] {
			return source("after="+after, nil)(ctx, after)
		}, nil)
		require.Equal(t, "data: after="+c.want+"\nid: after="+c.want+"\n\n", rec.Body.String())
	}
}

func TestServeResetsAnUnknownID(t *testing.T) {
	t.Parallel()
	r := get(t.Context())
	r.Header.Set("Last-Event-ID", "9")
	rec := httptest.NewRecorder()
	sse.Serve(rec, r, func(ctx context.Context, after string) iter.Seq2[[]sse.Event, error] {
		if after != "" {
			return source(sse.ErrUnknownID)(ctx, after)
		}
		return source("1", nil)(ctx, after)
	}, nil)
	require.Equal(t, "event: reset\ndata: {\"type\":\"reset\"}\n\ndata: 1\nid: 1\n\n", rec.Body.String())
}

func TestServeOpensASlowStreamAndKeepsItAlive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := newResponse()
		done := serve(r, get(ctx), source(time.Minute, "1"), nil)
		time.Sleep(2 * time.Second)
		require.Empty(t, r.calls(), "the source may still fail")
		time.Sleep(2 * time.Second)
		require.Contains(t, r.calls(), "status")
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, ":\n\n:\n\n:\n\ndata: 1\nid: 1\n\n", r.body())
		cancel()
		require.Equal(t, http.ErrAbortHandler, <-done, "a client that has gone gets no clean end")
	})
}

func TestServeOpensAtAnEmptyBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := newResponse()
		done := serve(r, get(ctx), source([]sse.Event{}), nil)
		synctest.Wait()
		require.Equal(t, []string{"status", "deadline 10s", "flush", "deadline off"}, r.calls())
		cancel()
		<-done
	})
}

func TestServeAbortsAStreamThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, http.ErrAbortHandler, <-serve(newResponse(), get(t.Context()), source("1", errors.New("late")), nil))
		require.Equal(t, http.ErrAbortHandler, <-serve(newResponse(), get(t.Context()),
			source([]sse.Event{{ID: "a\nb"}}), nil))
		require.Nil(t, <-serve(newResponse(), get(t.Context()), source(time.Minute, sse.ErrFinished), nil),
			"204 is too late; a clean end makes the client come back for it")
	})
}

// A client that does not read is noticed by a keep-alive while the source waits.
func TestServeCancelsTheSourceOfADeadClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newResponse()
		done := serve(r, get(t.Context()), source("1"), nil)
		synctest.Wait()
		r.setFail(os.ErrDeadlineExceeded)
		start := time.Now()
		require.Equal(t, http.ErrAbortHandler, <-done)
		require.Equal(t, 15*time.Second, time.Since(start))
	})
}

func TestServeEndsEachConnectionAfterARandomLifetime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := map[time.Duration]bool{}
		for range 20 {
			r := newResponse()
			start := time.Now()
			require.Nil(t, <-serve(r, get(t.Context()), source("1"), &sse.Options{KeepAlive: -1}))
			life := time.Since(start)
			require.True(t, life >= 450*time.Second && life <= 600*time.Second, life)
			require.Regexp(t, `^data: 1\nid: 1\n\nretry: \d+\n\n$`, r.body())
			seen[life] = true
		}
		require.Greater(t, len(seen), 10)
	})
}

func TestServeDrainsAtShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shutdown, drain := context.WithCancel(t.Context())
		r, silent := newResponse(), newResponse()
		done := serve(r, get(t.Context()), source("1"), &sse.Options{Drain: shutdown})
		other := serve(silent, get(t.Context()), source(), &sse.Options{Drain: shutdown})
		synctest.Wait()
		drain()
		require.Nil(t, <-done)
		require.Nil(t, <-other)
		require.Regexp(t, `^data: 1\nid: 1\n\nretry: \d+\n\n$`, r.body())
		require.Regexp(t, `^retry: \d+\n\n$`, silent.body())
		late := newResponse()
		require.Nil(t, <-serve(late, get(t.Context()), source(), &sse.Options{Drain: shutdown}))
		require.True(t, strings.HasPrefix(late.body(), "retry: "))
	})
}

// serve calls Serve in a goroutine, and sends the value of its panic.
func serve(w http.ResponseWriter, r *http.Request, s sse.Source, o *sse.Options) <-chan any {
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		sse.Serve(w, r, s, o)
	}()
	return done
}

// A nil argument is an error, and not a panic at the first use.
func TestNilArguments(t *testing.T) {
	t.Parallel()
	_, err := sse.NewWriter(nil, nil)
	require.ErrorContains(t, err, "ResponseWriter must not be nil")
	for _, err := range sse.Follow(nil, nil) {
		require.ErrorContains(t, err, "request must not be nil")
	}
	for _, err := range sse.Decode(nil, 0) {
		require.ErrorContains(t, err, "reader must not be nil")
	}
	var reported error
	for _, o := range []*sse.Options{nil, {Error: func(w http.ResponseWriter, _ *http.Request, err error) {
		reported = err
		w.WriteHeader(http.StatusTeapot)
	}}} {
		rec := httptest.NewRecorder()
		sse.Serve(rec, httptest.NewRequest(http.MethodGet, "/", nil), nil, o)
		want := http.StatusInternalServerError
		if o != nil {
			want = http.StatusTeapot
		}
		require.Equal(t, want, rec.Code)
		require.NotContains(t, rec.Body.String(), "nil")
	}
	require.ErrorContains(t, reported, "source must not be nil")
}
