package replay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

func newTable(t testing.TB, d table.Driver) *table.Table {
	t.Helper()
	tb, err := table.New(d, nil)
	require.NoError(t, err)
	return tb
}

func newStore(t testing.TB, d table.Driver, o *replay.Options) *replay.Store {
	t.Helper()
	s, err := replay.New(newTable(t, d), o)
	require.NoError(t, err)
	return s
}

func newSession(t testing.TB) scope.Scope {
	t.Helper()
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	user, err := tenant.User("u1")
	require.NoError(t, err)
	session, err := user.NewSession()
	require.NoError(t, err)
	return session
}

func delta(text string) json.RawMessage {
	return fmt.Appendf(nil, `{"type":"text_delta","delta":%q}`, text)
}

func retract(after string) json.RawMessage {
	return fmt.Appendf(nil, `{"type":"retract","after":%q}`, after)
}

var finished = json.RawMessage(`{"type":"finished"}`)

// counted counts what a table is asked.
type counted struct {
	table.Driver
	puts, queries atomic.Int64
}

func (c *counted) Put(ctx context.Context, k table.Key, r table.Row, cond table.Cond) error {
	c.puts.Add(1)
	return c.Driver.Put(ctx, k, r, cond)
}

func (c *counted) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	c.queries.Add(1)
	return c.Driver.Query(ctx, q)
}

// collect reads a log to its end.
func collect(t *testing.T, s *replay.Store, sc scope.Scope, after string) (events []replay.Event) {
	t.Helper()
	for e, err := range s.Events(t.Context(), sc, "1", after) {
		require.NoError(t, err)
		events = append(events, e)
	}
	return events
}

func text(events []replay.Event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%s %s\n", e.ID, e.Data)
	}
	return b.String()
}

// TestAnswerOfAThousandTokens shows what a streamed answer costs: at most five writes a second, whatever its pace.
func TestAnswerOfAThousandTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, session := &counted{Driver: table.NewMemory(nil)}, newSession(t)
		merge := func(a, b json.RawMessage) (json.RawMessage, bool) {
			head, tail := []byte(`{"type":"text_delta","delta":"`), []byte(`"}`)
			if !bytes.HasPrefix(a, head) || !bytes.HasPrefix(b, head) {
				return nil, false
			}
			return append(bytes.TrimSuffix(a, tail), b[len(head):]...), true
		}
		s := newStore(t, d, &replay.Options{Merge: merge})
		w, err := s.Open(t.Context(), session, "1", json.RawMessage(`{"type":"run_started"}`))
		require.NoError(t, err)
		var want strings.Builder
		for n := range 1000 {
			time.Sleep(time.Second / 80)
			word := fmt.Sprintf("word%d ", n)
			want.WriteString(word)
			require.NoError(t, w.Append(t.Context(), delta(word), false))
		}
		require.NoError(t, w.Finish(t.Context(), finished))
		assert.LessOrEqual(t, d.puts.Load(), int64(55))

		d.queries.Store(0)
		var got strings.Builder
		for _, e := range collect(t, s, session, "") {
			var v struct{ Delta string }
			require.NoError(t, json.Unmarshal(e.Data, &v))
			got.WriteString(v.Delta)
		}
		assert.Equal(t, want.String(), got.String())
		assert.Equal(t, int64(1), d.queries.Load())
	})
}

// A caller may use the memory of an event again.
func TestAppendDoesNotKeepData(t *testing.T) {
	t.Parallel()
	s, session := newStore(t, table.NewMemory(nil), nil), newSession(t)
	w, err := s.Open(t.Context(), session, "1")
	require.NoError(t, err)
	var memory []byte
	for n := range 3 {
		memory = append(memory[:0], delta(fmt.Sprint("word ", n))...)
		require.NoError(t, w.Append(t.Context(), memory, false))
	}
	clear(memory)
	require.NoError(t, w.Finish(t.Context(), finished))
	events := collect(t, s, session, "")
	require.Len(t, events, 4)
	for n, e := range events[:3] {
		require.Equal(t, delta(fmt.Sprint("word ", n)), e.Data)
	}
}

func TestCommits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, session := &counted{Driver: table.NewMemory(nil)}, newSession(t)
		s := newStore(t, d, nil)
		w, err := s.Open(t.Context(), session, "1", delta("0"))
		require.NoError(t, err)
		defer w.Abandon()
		stored := func() int64 { synctest.Wait(); return d.puts.Load() }
		time.Sleep(time.Second)
		require.Equal(t, int64(1), stored())

		require.NoError(t, w.Append(t.Context(), delta("1"), false))
		assert.Equal(t, int64(2), stored(), "after a pause an event is stored at once")
		require.NoError(t, w.Append(t.Context(), delta("2"), false))
		require.NoError(t, w.Append(t.Context(), delta("3"), false))
		assert.Equal(t, int64(2), stored(), "the next ones wait")
		time.Sleep(250 * time.Millisecond)
		assert.Equal(t, int64(3), stored(), "and are stored together")
		require.NoError(t, w.Append(t.Context(), delta("4"), true))
		assert.Equal(t, int64(4), stored(), "an urgent event does not wait")
		require.NoError(t, w.Append(t.Context(), delta(strings.Repeat("x", 40_000)), false))
		require.NoError(t, w.Append(t.Context(), delta(strings.Repeat("x", 40_000)), false))
		assert.Equal(t, int64(5), stored(), "nor does a full segment")
		last, err := w.Flush(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "000000000006.0000", last)
	})
}

func TestWriterIsReplaced(t *testing.T) {
	t.Parallel()
	memory, session := table.NewMemory(nil), newSession(t)
	s, other := newStore(t, memory, nil), newStore(t, memory, nil)
	a, err := s.Open(t.Context(), session, "1", delta("a"))
	require.NoError(t, err)
	defer a.Abandon()
	b, err := other.Open(t.Context(), session, "1", retract(""))
	require.NoError(t, err)
	_ = a.Append(t.Context(), delta("late"), true)
	_, err = a.Flush(t.Context())
	require.ErrorIs(t, err, replay.ErrFenced)
	require.ErrorIs(t, a.Append(t.Context(), delta("late"), true), replay.ErrFenced)
	require.ErrorIs(t, a.Finish(t.Context(), finished), replay.ErrFenced)
	require.NoError(t, b.Finish(t.Context(), finished))
	require.ErrorIs(t, b.Append(t.Context(), delta("x"), false), replay.ErrClosed)
	_, err = s.Open(t.Context(), session, "1")
	require.ErrorIs(t, err, sse.ErrFinished)
	assert.Equal(t, "000000000001.0000 "+string(delta("a"))+"\n"+`000000000002.0000 {"type":"retract","after":""}`+"\n"+
		`000000000003.0000 {"type":"finished"}`+"\n", text(collect(t, s, session, "")))
}

func TestCloseKeepsTheLogOpen(t *testing.T) {
	t.Parallel()
	memory, session := table.NewMemory(nil), newSession(t)
	s := newStore(t, memory, &replay.Options{Commit: time.Minute})
	a, err := s.Open(t.Context(), session, "1")
	require.NoError(t, err)
	require.NoError(t, a.Append(t.Context(), delta("a"), false))
	require.NoError(t, a.Close(t.Context()))
	b, err := s.Open(t.Context(), session, "1")
	require.NoError(t, err)
	require.NoError(t, b.Finish(t.Context(), finished))
	assert.Equal(t, "000000000002.0000 "+string(delta("a"))+"\n"+`000000000004.0000 {"type":"finished"}`+"\n",
		text(collect(t, s, session, "")))
}

func TestAppendWaitsForTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		session := newSession(t)
		d := &failing{Driver: table.NewMemory(nil)}
		w, err := newStore(t, d, nil).Open(t.Context(), session, "1")
		require.NoError(t, err)
		defer w.Abandon()
		d.fail.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		accepted := 0
		for ; err == nil; err = w.Append(ctx, delta(strings.Repeat("z", 10_000)), false) {
			accepted++
		}
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, table.ErrBusy, "the cause of the wait")
		assert.Less(t, accepted, 40)
		d.fail.Store(false)
		require.NoError(t, w.Finish(t.Context(), finished), "the store has recovered")
	})
}

type failing struct {
	table.Driver
	fail atomic.Bool
}

func (d *failing) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	if d.fail.Load() {
		return table.ErrBusy
	}
	return d.Driver.Put(ctx, k, r, c)
}

// TestBolt runs a log in a file that is closed and opened again.
func TestBolt(t *testing.T) {
	t.Parallel()
	dir, session := t.TempDir(), newSession(t)
	db, err := bolt.Open(dir)
	require.NoError(t, err)
	s := newStore(t, db, nil)
	w, err := s.Open(t.Context(), session, "1", delta("a"))
	require.NoError(t, err)
	require.NoError(t, w.Append(t.Context(), delta("b"), false))
	last, err := w.Flush(t.Context())
	require.NoError(t, err)
	require.NoError(t, db.Close())
	w.Abandon()

	db, err = bolt.Open(dir)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	s = newStore(t, db, nil)
	w, err = s.Open(t.Context(), session, "1", retract(last))
	require.NoError(t, err)
	require.NoError(t, w.Finish(t.Context(), finished))
	events := collect(t, s, session, "")
	require.Len(t, events, 4)
	kept, err := replay.Retract(events)
	require.NoError(t, err)
	assert.Len(t, kept, 3)
}
