package replay_test

import (
	"fmt"
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

func TestReadersOfTheWritersProcessDoNotPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, session := &counted{Driver: table.NewMemory(nil)}, newSession(t)
		s := newStore(t, d, nil)
		w, err := s.Open(t.Context(), session, "1", delta("0"))
		require.NoError(t, err)
		before := d.queries.Load()
		done := make(chan []replay.Event)
		go func() {
			var events []replay.Event
			for e, err := range s.Events(t.Context(), session, "1", "") {
				if err != nil {
					t.Errorf("read: %v", err)
					break
				}
				events = append(events, e)
			}
			done <- events
		}()
		for n := range 100 {
			time.Sleep(100 * time.Millisecond)
			require.NoError(t, w.Append(t.Context(), delta(fmt.Sprint(n)), false))
		}
		require.NoError(t, w.Finish(t.Context(), finished))
		assert.Len(t, <-done, 102)
		assert.Equal(t, before, d.queries.Load())
	})
}

func TestCursors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memory, session := table.NewMemory(nil), newSession(t)
		s := newStore(t, memory, &replay.Options{Retention: time.Hour})
		other := newStore(t, memory, nil)
		w, err := s.Open(t.Context(), session, "1", delta("a"), delta("b"))
		require.NoError(t, err)
		time.Sleep(30 * time.Minute)
		require.NoError(t, w.Append(t.Context(), delta("c"), true))
		_, err = w.Flush(t.Context())
		require.NoError(t, err)
		require.NoError(t, w.Finish(t.Context(), finished))

		first := func(sc scope.Scope, name, after string) (replay.Event, error) {
			for e, err := range other.Events(t.Context(), sc, name, after) {
				return e, err
			}
			return replay.Event{}, nil
		}
		e, err := first(session, "1", "000000000001.0000")
		require.NoError(t, err)
		assert.Equal(t, replay.Event{ID: "000000000001.0001", Data: delta("b")}, e)
		for _, after := range []string{
			"000000000001.0002", "000000000009.0000", "000000000000.0000", "000000000001.000", "1.0", "x", "000000000001.0000 ",
			"000000000001.-001", "000000000001/0000", strings.Repeat("9", 17), "999999999999.9999", "\n",
		} {
			_, err := first(session, "1", after)
			require.ErrorIs(t, err, sse.ErrUnknownID, "%q", after)
		}
		_, err = first(session, "1", "000000000003.0000")
		require.ErrorIs(t, err, sse.ErrFinished)
		_, err = first(session, "2", "")
		require.ErrorIs(t, err, sse.ErrNotFound)
		_, err = first(newSession(t), "1", "000000000001.0000")
		require.ErrorIs(t, err, sse.ErrNotFound, "another session")
		_, err = first(scope.Scope{}, "1", "")
		require.ErrorIs(t, err, scope.ErrDenied)
		_, err = first(session, "1#2", "")
		require.ErrorIs(t, err, replay.ErrInvalid)

		time.Sleep(40 * time.Minute) // the first segment has expired
		for _, after := range []string{"", "000000000001.0000"} {
			_, err = first(session, "1", after)
			require.ErrorIs(t, err, sse.ErrExpired, "%q", after)
		}
		e, err = first(session, "1", "000000000002.0000")
		require.NoError(t, err)
		assert.Equal(t, "finished", e.Type())
	})
}

// TestReaderOfASilentReplacedWriter follows a Writer that does not notice its replacement in another process.
func TestReaderOfASilentReplacedWriter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memory, session := table.NewMemory(nil), newSession(t)
		s, other := newStore(t, memory, nil), newStore(t, memory, nil)
		a, err := s.Open(t.Context(), session, "1", delta("a"))
		require.NoError(t, err)
		defer a.Abandon()
		began := time.Now()
		done := make(chan time.Duration)
		go func() {
			for range s.Events(t.Context(), session, "1", "") { //nolint:revive // to the end
			}
			done <- time.Since(began)
		}()
		time.Sleep(time.Second)
		b, err := other.Open(t.Context(), session, "1", delta("b"))
		require.NoError(t, err)
		require.NoError(t, b.Finish(t.Context(), finished))
		assert.Less(t, <-done, 10*time.Second)
	})
}

func TestForeignItems(t *testing.T) {
	t.Parallel()
	for _, attr := range []map[string]table.Value{
		{}, {"writer": "w", "events": int64(1)}, {"writer": "w", "events": "{}"}, {"writer": "w", "events": "\n"}, {"events": "{}\n"},
		{"writer": "w", "events": "", "final": true},
	} {
		memory, session := table.NewMemory(nil), newSession(t)
		view, err := newTable(t, memory).In(session)
		require.NoError(t, err)
		_, err = view.Put(t.Context(), table.Item{Sort: "log#1#000000000001", Attr: attr}, table.Absent())
		require.NoError(t, err)
		s := newStore(t, memory, nil)
		for _, err := range s.Events(t.Context(), session, "1", "") {
			require.ErrorContains(t, err, `was not written by this package: "log#1#000000000001"`)
		}
		_, err = s.Open(t.Context(), session, "1")
		require.ErrorContains(t, err, "was not written by this package")
		_, hasEnded, err := s.End(t.Context(), session, "1")
		require.ErrorContains(t, err, "was not written by this package")
		require.False(t, hasEnded)
	}
}

func TestOnlyWritersMayWrite(t *testing.T) {
	t.Parallel()
	s, session := newStore(t, table.NewMemory(nil), nil), newSession(t)
	for _, sc := range []scope.Scope{{}, session.ReadOnly()} {
		_, err := s.Open(t.Context(), sc, "1")
		require.ErrorIs(t, err, scope.ErrDenied)
	}
}
