package replay_test

import (
	"bytes"
	"context"
	"crypto/sha256"
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
	"github.com/carrel-go/carrel/scope/object"
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

func TestObjectWithOtherBytesIsNotAnEvent(t *testing.T) {
	t.Parallel()
	session := newSession(t)
	bucket, err := object.New(object.NewMemory(), "raw", nil)
	require.NoError(t, err)
	root, err := bucket.In(session)
	require.NoError(t, err)
	large := delta(strings.Repeat("y", 300_000))
	ref, err := root.Ref(fmt.Sprintf("event-%x.json", sha256.Sum256(large)))
	require.NoError(t, err)
	_, _, err = root.Put(t.Context(), ref, strings.NewReader(`{"type":"planted"}`), nil)
	require.NoError(t, err)

	s := newStore(t, table.NewMemory(nil), &replay.Options{Objects: bucket})
	w, err := s.Open(t.Context(), session, "1", large)
	require.NoError(t, err)
	defer w.Abandon()
	for _, err = range s.Events(t.Context(), session, "1", "") {
		break
	}
	require.ErrorContains(t, err, "not written by this package")
}

func TestLargeEventsAreObjects(t *testing.T) {
	t.Parallel()
	memory, session := table.NewMemory(nil), newSession(t)
	bucket, err := object.New(object.NewMemory(), "raw", nil)
	require.NoError(t, err)
	s := newStore(t, memory, &replay.Options{Objects: bucket, MaxEvent: 1 << 20})
	w, err := s.Open(t.Context(), session, "1")
	require.NoError(t, err)
	large := delta(strings.Repeat("y", 300_000))
	require.NoError(t, w.Append(t.Context(), large, false))
	require.NoError(t, w.Append(t.Context(), large, false), "the same event again")
	require.ErrorIs(t, w.Append(t.Context(), delta(strings.Repeat("y", 2<<20)), false), replay.ErrTooLarge)
	require.NoError(t, w.Finish(t.Context(), finished))
	events := collect(t, newStore(t, memory, &replay.Options{Objects: bucket}), session, "")
	require.Len(t, events, 3)
	assert.Equal(t, string(large), string(events[0].Data))
	assert.Equal(t, string(large), string(events[1].Data))

	without := newStore(t, memory, nil)
	w, err = without.Open(t.Context(), session, "2")
	require.NoError(t, err)
	defer w.Abandon()
	require.ErrorIs(t, w.Append(t.Context(), large, false), replay.ErrTooLarge)
}

func TestEventsMustBeObjectsWithAType(t *testing.T) {
	t.Parallel()
	session := newSession(t)
	w, err := newStore(t, table.NewMemory(nil), nil).Open(t.Context(), session, "1")
	require.NoError(t, err)
	defer w.Abandon()
	for _, data := range []string{``, `null`, `[]`, `{}`, `{"delta":"x","type":"a"}`, `{"type":5}`, `{"type":"a"`, `{"type":"a"}{}`} {
		require.ErrorIs(t, w.Append(t.Context(), json.RawMessage(data), false), replay.ErrInvalid, data)
	}
	require.NoError(t, w.Append(t.Context(), json.RawMessage("{ \"type\" :\n \"a\",\r\n\"b\": \"\\n\"}"), true))
	require.NoError(t, w.Finish(t.Context(), finished))
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

func TestErrorsNameTheLimit(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]replay.Options{
		"replay: invalid value: Options.Commit is -1s: must be 0 to 1m0s":          {Commit: -time.Second},
		"replay: invalid value: Options.Poll is 2m0s: must be 0 to 1m0s":           {Poll: 2 * time.Minute},
		"replay: invalid value: Options.MaxSegment is 262145: must be 0 to 262144": {MaxSegment: 256<<10 + 1},
		"replay: invalid value: Options.MaxEvent is -1: must be 0 to 1073741824":   {MaxEvent: -1},
	} {
		_, err := replay.New(newTable(t, table.NewMemory(nil)), &o)
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, replay.ErrInvalid)
	}
	w, err := newStore(t, table.NewMemory(nil), &replay.Options{MaxSegment: 100}).Open(t.Context(), newSession(t), "1")
	require.NoError(t, err)
	defer w.Abandon()
	err = w.Append(t.Context(), delta(strings.Repeat("z", 100)), false)
	require.ErrorIs(t, err, replay.ErrTooLarge)
	require.ErrorContains(t, err, "must be at most 100")
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

func TestForeignItems(t *testing.T) {
	t.Parallel()
	for _, attr := range []map[string]table.Value{
		{}, {"writer": "w", "events": int64(1)}, {"writer": "w", "events": "{}"}, {"writer": "w", "events": "\n"}, {"events": "{}\n"},
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
