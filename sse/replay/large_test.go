package replay_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
)

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
