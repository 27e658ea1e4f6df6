package replay_test

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

func TestRetract(t *testing.T) {
	t.Parallel()
	e := func(id, data string) replay.Event { return replay.Event{ID: id, Data: []byte(data)} }
	got, err := replay.Retract([]replay.Event{
		e("1.0", `{"type":"a"}`), e("1.1", `{"type":"b"}`), e("2.0", `{"type":"c"}`), e("3.0", `{"type":"retract","after":"1.0"}`),
		e("3.1", `{"type":"d"}`), e("4.0", `{"type":"retract","after":"3.1"}`), e("4.1", `{"type":"e"}`),
	})
	require.NoError(t, err)
	assert.Equal(t, []replay.Event{e("1.0", `{"type":"a"}`), e("3.1", `{"type":"d"}`), e("4.1", `{"type":"e"}`)}, got)
	got, err = replay.Retract([]replay.Event{e("1.0", `{"type":"a"}`), e("2.0", `{"type":"retract","after":""}`)})
	require.NoError(t, err)
	assert.Empty(t, got)
	_, err = replay.Retract([]replay.Event{e("1.0", `{"type":"retract","after":5}`)})
	require.Error(t, err)
}

// story is a Dialect that writes the types of the events.
func story(fromStart bool) replay.Dialect {
	return replay.Dialect{FromStart: fromStart, New: func() func(replay.Event) ([]sse.Event, error) {
		return func(e replay.Event) ([]sse.Event, error) {
			switch e.Type() {
			case "hidden":
				return nil, nil
			case "broken":
				return nil, errors.New("cannot be translated")
			}
			return []sse.Event{{Data: []byte(e.Type())}}, nil
		}
	}}
}

func TestFollowFromStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memory, session := table.NewMemory(nil), newSession(t)
		s := newStore(t, memory, nil)
		w, err := s.Open(t.Context(), session, "1", []byte(`{"type":"one"}`), []byte(`{"type":"two"}`), []byte(`{"type":"hidden"}`))
		require.NoError(t, err)
		require.NoError(t, w.Append(t.Context(), retract("000000000001.0000"), true))
		_, err = w.Flush(t.Context())
		require.NoError(t, err)
		for _, reader := range []*replay.Store{s, newStore(t, memory, nil)} {
			var told []string
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			for frames, err := range reader.Follow(ctx, session, "1", "unknown", story(true)) {
				if err != nil {
					require.ErrorIs(t, err, context.DeadlineExceeded)
					break
				}
				for _, f := range frames {
					told = append(told, string(f.Data))
				}
			}
			cancel()
			assert.Equal(t, []string{"one"}, told)
		}
		done := make(chan []string)
		go func() {
			var told []string
			for frames, err := range s.Follow(t.Context(), session, "1", "", story(true)) {
				assert.NoError(t, err)
				for _, f := range frames {
					told = append(told, string(f.Data))
				}
			}
			done <- told
		}()
		time.Sleep(time.Second)
		require.NoError(t, w.Append(t.Context(), retract(""), true))
		require.NoError(t, w.Finish(t.Context(), finished))
		assert.Equal(t, []string{"one", "retract", "finished"}, <-done, "a live reader is told")
	})
}

// Logs that fit a reader's memory and others lose the same events, whatever is taken back.
func TestFollowFromStartLeavesOutWhatRetractDoes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s, session := newStore(t, table.NewMemory(nil), nil), newSession(t)
		ids := []string{"", "zzz", "000000000001.0000"}
		w, err := s.Open(t.Context(), session, "1", delta("0"))
		require.NoError(t, err)
		size := 1 + rng.IntN(2)*20_000
		for range 60 {
			ev := delta(strings.Repeat("x", size))
			if rng.IntN(6) == 0 {
				ev = retract(ids[rng.IntN(len(ids))])
			}
			require.NoError(t, w.Append(t.Context(), ev, true))
			id, err := w.Flush(t.Context())
			require.NoError(t, err)
			ids = append(ids, id)
		}
		require.NoError(t, w.Finish(t.Context(), finished))
		want, err := replay.Retract(collect(t, s, session, ""))
		require.NoError(t, err)
		var got []replay.Event
		d := replay.Dialect{FromStart: true, New: func() func(replay.Event) ([]sse.Event, error) {
			return func(e replay.Event) ([]sse.Event, error) { got = append(got, e); return nil, nil }
		}}
		for _, err := range s.Follow(t.Context(), session, "1", "", d) {
			require.NoError(t, err)
		}
		assert.Equal(t, want, got, seed)
	}
}

// A reader that begins with the first event does not hold a log of any size in memory.
func TestFollowFromStartOfALargeLog(t *testing.T) {
	d, session := table.NewMemory(nil), newSession(t)
	s := newStore(t, d, nil)
	w, err := s.Open(t.Context(), session, "1")
	require.NoError(t, err)
	const events, size = 1000, 32 << 10
	for range events {
		require.NoError(t, w.Append(t.Context(), delta(strings.Repeat("x", size)), false))
	}
	require.NoError(t, w.Finish(t.Context(), finished))
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, seen, most := heap(), 0, int64(0)
	watch := replay.Dialect{FromStart: true, New: func() func(replay.Event) ([]sse.Event, error) {
		return func(replay.Event) ([]sse.Event, error) {
			if seen++; seen%200 == 1 {
				most = max(most, heap()-before)
			}
			return nil, nil
		}
	}}
	for _, err := range newStore(t, d, nil).Follow(t.Context(), session, "1", "", watch) {
		require.NoError(t, err)
	}
	assert.Equal(t, events+1, seen)
	assert.Less(t, most, int64(events*size/4))
}

func TestFollowEndsWithTheErrorOfADialect(t *testing.T) {
	t.Parallel()
	s, session := newStore(t, table.NewMemory(nil), nil), newSession(t)
	w, err := s.Open(t.Context(), session, "1", []byte(`{"type":"broken"}`))
	require.NoError(t, err)
	require.NoError(t, w.Finish(t.Context(), finished))
	for _, fromStart := range []bool{false, true} {
		var last error
		for _, last = range s.Follow(t.Context(), session, "1", "", story(fromStart)) { //nolint:revive // the last one counts
		}
		require.ErrorContains(t, last, "cannot be translated")
	}
}

// A run that waits in a queue has only events without frames. Its client gets the headers at once, and not after the time
// that Serve waits for the first frame.
func TestFollowOpensAStreamThatDoesNotHaveFramesYet(t *testing.T) {
	t.Parallel()
	for _, fromStart := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, session := newStore(t, table.NewMemory(nil), nil), newSession(t)
			w, err := s.Open(t.Context(), session, "1", []byte(`{"type":"hidden"}`))
			require.NoError(t, err)
			defer w.Abandon()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			began, batches := time.Now(), 0
			for frames, err := range s.Follow(ctx, session, "1", "", story(fromStart)) {
				require.NoError(t, err)
				if batches++; batches == 2 {
					require.Len(t, frames, 1)
					break
				}
				require.Empty(t, frames)
				require.Zero(t, time.Since(began))
				require.NoError(t, w.Append(t.Context(), []byte(`{"type":"hidden"}`), true))
				require.NoError(t, w.Append(t.Context(), delta("a"), true))
			}
			require.Equal(t, 2, batches)
		})
	}
}

// TestServe follows a log over HTTP with a client that reconnects.
func TestServe(t *testing.T) {
	t.Parallel()
	s, session := newStore(t, table.NewMemory(nil), nil), newSession(t)
	w, err := s.Open(t.Context(), session, "1", delta("a"), delta("b"))
	require.NoError(t, err)
	require.NoError(t, w.Finish(t.Context(), finished))
	srv := httptest.NewServer(handler(s, session))
	defer srv.Close()
	get := func(query string) (int, string) {
		res, err := http.Get(srv.URL + query)
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		var b strings.Builder
		require.NoError(t, res.Write(&b))
		_, body, _ := strings.Cut(b.String(), "\r\n\r\n")
		return res.StatusCode, body
	}
	status, body := get("")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, "data: {\"type\":\"text_delta\",\"delta\":\"b\"}\nid: 000000000001.0001\n\n")
	status, body = get("?last_event_id=000000000001.0001")
	assert.Equal(t, http.StatusOK, status)
	assert.NotContains(t, body, "text_delta")
	assert.Contains(t, body, "finished")
	status, _ = get("?last_event_id=000000000002.0000")
	assert.Equal(t, http.StatusNoContent, status)
	status, body = get("?last_event_id=x")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, "reset")
}

func handler(s *replay.Store, session scope.Scope) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sse.Serve(w, r, func(ctx context.Context, after string) iter.Seq2[[]sse.Event, error] {
			return s.Follow(ctx, session, "1", after, replay.Plain())
		}, nil)
	}
}
