package replay_test

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
)

func TestInvalidUTF8DoesNotEndTheWriter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, err := newStore(t, table.NewMemory(nil), nil).Open(t.Context(), newSession(t), "1")
		require.NoError(t, err)
		defer w.Abandon()
		require.ErrorIs(t, w.Append(t.Context(), json.RawMessage("{\"type\":\"x\",\"v\":\"\xff\"}"), true), replay.ErrInvalid)
		require.NoError(t, w.Append(t.Context(), delta("y"), true))
		_, err = w.Flush(t.Context())
		require.NoError(t, err)
	})
}

func TestOpenRefusesMoreEventsThanASegmentHas(t *testing.T) {
	t.Parallel()
	first := make([]json.RawMessage, 1001)
	for i := range first {
		first[i] = finished
	}
	_, err := newStore(t, table.NewMemory(nil), nil).Open(t.Context(), newSession(t), "1", first...)
	require.ErrorIs(t, err, replay.ErrInvalid)
}

// late is a table whose first write is answered late.
type late struct {
	table.Driver
	first atomic.Bool
}

func (d *late) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	err := d.Driver.Put(ctx, k, r, c)
	if d.first.CompareAndSwap(false, true) {
		time.Sleep(time.Second)
	}
	return err
}

// Two Writers of a Store open one log at the same time: readers follow the one that the table has last.
func TestReadersFollowTheLastOfConcurrentWriters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, session := newStore(t, &late{Driver: table.NewMemory(nil)}, nil), newSession(t)
		opened := make(chan *replay.Writer)
		go func() {
			w, err := s.Open(t.Context(), session, "1", delta("first"))
			assert.NoError(t, err)
			opened <- w
		}()
		synctest.Wait()
		second, err := s.Open(t.Context(), session, "1", delta("second"))
		require.NoError(t, err)
		first := <-opened // its first segment is before that of the second
		appended := make(chan time.Time, 1)
		time.AfterFunc(2*time.Second, func() {
			if err := second.Append(t.Context(), delta("news"), true); err != nil {
				t.Errorf("append: %v", err)
			}
			appended <- time.Now()
		})
		for e, err := range s.Events(t.Context(), session, "1", "") {
			require.NoError(t, err)
			if string(e.Data) == string(delta("news")) {
				assert.Zero(t, time.Since(<-appended), "readers are told by the Writer")
				break
			}
		}
		require.NoError(t, first.Append(t.Context(), delta("lost"), true))
		_, err = first.Flush(t.Context())
		require.ErrorIs(t, err, replay.ErrFenced)
		first.Abandon()
		require.NoError(t, second.Finish(t.Context(), finished))
		assert.Len(t, collect(t, s, session, ""), 4)
	})
}
