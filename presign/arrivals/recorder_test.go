package arrivals_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tracking"
)

func TestArrivalIsRecordedOnce(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	const name = "Ein Buch + café.png"
	session := b.granted(name, time.Hour)
	message := notification(t, [2]string{session.Prefix(), name})
	before := b.rows.puts.Load()

	require.NoError(t, b.recorder.HandleMessage(t.Context(), message), "before the file is there: dealt with, and nothing written")
	require.Equal(t, tracking.StateRunning, b.stage(session).State)
	require.Equal(t, before, b.rows.puts.Load())

	b.put(session, name, 3)
	for range 3 {
		require.NoError(t, b.recorder.HandleMessage(t.Context(), message))
	}
	st := b.stage(session)
	require.Equal(t, tracking.StateSuccess, st.State)
	require.Equal(t, session.Prefix()+name, st.Destination.Key)
	require.NotEmpty(t, st.Destination.ETag, "pinned to what is there, not to what the event says")
	require.NotContains(t, st.Destination.ETag, "0123456789abcdef")
	require.Equal(t, before+1, b.rows.puts.Load())
	require.Empty(t, b.refused.take())
	require.Equal(t, 1, strings.Count(b.log.text(), "an upload has arrived"))
	require.Equal(t, []scope.Scope{session}, b.grants.all, "its grant is closed")
}

// Duplicated, shuffled and at once: each upload is recorded by one write.
func TestAnyOrderAndNumberOfEventsRecordsOnce(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	var sessions []scope.Scope
	var messages [][]byte
	for i := range 20 {
		name := fmt.Sprintf("book %d+.png", i)
		s := b.granted(name, time.Hour)
		b.put(s, name, 1)
		sessions = append(sessions, s)
		messages = append(messages, notification(t, [2]string{s.Prefix(), name}))
		if i > 0 { // and a message with two in it
			messages = append(messages, notification(t, [2]string{s.Prefix(), name}, [2]string{sessions[i-1].Prefix(), fmt.Sprintf("book %d+.png", i-1)}))
		}
	}
	before := b.rows.puts.Load()
	var wg sync.WaitGroup
	for range 8 {
		order := rand.Perm(len(messages))
		wg.Go(func() {
			for _, i := range order {
				if err := b.recorder.HandleMessage(t.Context(), messages[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, before+20, b.rows.puts.Load())
	for _, s := range sessions {
		st := b.stage(s)
		require.Equal(t, tracking.StateSuccess, st.State)
		require.EqualValues(t, 1, st.Fence)
	}
}

// An upload that was never granted is reported and does not change any record.
func TestUngrantedUploadsAreReported(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	session := b.granted("cover.png", time.Hour)
	stranger, err := b.user.NewSession()
	require.NoError(t, err)
	for _, c := range []struct {
		in   scope.Scope
		name string
		why  string
	}{
		{session, "other.png", "another file"},
		{session, "Cover.png", "another file"},
		{stranger, "cover.png", "does not have a record"},
		{b.user, "cover.png", "not in a session"},
	} {
		b.put(c.in, c.name, 1)
		before := b.rows.puts.Load()
		require.NoError(t, b.recorder.HandleMessage(t.Context(), notification(t, [2]string{c.in.Prefix(), c.name})), "it has been dealt with")
		got := b.refused.take()
		require.Len(t, got, 1)
		require.ErrorIs(t, got[0].Err, arrivals.ErrUngranted)
		require.ErrorContains(t, got[0].Err, c.why)
		require.Equal(t, c.in, got[0].Scope)
		require.Equal(t, before, b.rows.puts.Load())
	}
	require.Equal(t, tracking.StateRunning, b.stage(session).State)
	for _, raw := range []string{"", "{", `{"Records":[]}`, string(bytes.ReplaceAll(notification(t, [2]string{session.Prefix(), "cover.png"}), []byte("landing"), []byte("other")))} {
		require.ErrorIs(t, b.recorder.HandleMessage(t.Context(), []byte(raw)), presign.ErrEvent)
		require.Len(t, b.refused.take(), 1, "%s", raw)
	}
}

// Objects of the service itself are not reported, but an upload is recorded whatever its name.
func TestOwnObjectsAreNotReported(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	isOwn := func(name string) bool { return strings.HasPrefix(name, "run-") }
	recorder, err := arrivals.New(b.table, b.landing, b.signer, b.tracker, &arrivals.Options{Audit: &b.refused, IsOwn: isOwn})
	require.NoError(t, err)
	session, stranger := b.granted("cover.png", time.Hour), must.Get(b.user.NewSession())
	named := b.granted("run-of-luck.png", time.Hour)
	handle := func(in scope.Scope, name string) int {
		b.put(in, name, 1)
		require.NoError(t, recorder.HandleMessage(t.Context(), notification(t, [2]string{in.Prefix(), name})))
		return len(b.refused.take())
	}
	require.Zero(t, handle(session, "run-1.json"))
	require.Equal(t, 1, handle(session, "other.png"))
	require.Equal(t, 1, handle(stranger, "run-1.json"), "a session without a record does not have runs")
	require.Equal(t, tracking.StateRunning, b.stage(session).State)
	require.Zero(t, handle(named, "run-of-luck.png"))
	require.Equal(t, tracking.StateSuccess, b.stage(named).State)
}

// An upload that arrives after its record has ended is logged, and the record stays unchanged.
func TestUploadAfterTheEndIsDeleted(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	session := b.granted("cover.png", time.Hour)
	_, err := b.tracker.Cancel(t.Context(), session)
	require.NoError(t, err)
	message := notification(t, [2]string{session.Prefix(), "cover.png"})
	require.NoError(t, b.recorder.HandleMessage(t.Context(), message))
	require.NotContains(t, b.log.text(), "level=WARN", "only what is there has arrived")
	b.put(session, "cover.png", 1)
	require.True(t, b.holds(session, "cover.png"))
	before := b.rows.puts.Load()
	require.NoError(t, b.recorder.HandleMessage(t.Context(), message))
	require.Equal(t, before, b.rows.puts.Load())
	require.Equal(t, tracking.StateFailed, b.stage(session).State)
	require.False(t, b.holds(session, "cover.png"), "nobody will ever look at it")
	require.Contains(t, b.log.text(), "level=WARN")
	for _, said := range []string{"after its record had ended", session.String(), "cover.png", "reason=cancelled"} {
		require.Contains(t, b.log.text(), said)
	}
}

// A transient failure is an error. The message's other events are handled, and the next delivery succeeds.
func TestTransientFailuresAreRedelivered(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	session := b.granted("cover.png", time.Hour)
	b.put(session, "cover.png", 1)
	message := notification(t, [2]string{session.Prefix(), "cover.png"}, [2]string{session.Prefix(), "other.png"})
	for _, broken := range []*atomic.Bool{&b.objects.broken, &b.rows.broken} {
		broken.Store(true)
		err := b.recorder.HandleMessage(t.Context(), message)
		require.Error(t, err)
		require.NotErrorIs(t, err, presign.ErrEvent)
		require.ErrorContains(t, err, session.String())
		require.Len(t, b.refused.take(), 1)
		require.Equal(t, tracking.StateRunning, b.stage(session).State)
		broken.Store(false)
	}
	b.rows.unread.Store(true)
	require.ErrorContains(t, b.recorder.HandleMessage(t.Context(), message), "throttled")
	require.Empty(t, b.refused.take(), "that a record cannot be read does not mean that there is none")
	b.rows.unread.Store(false)
	require.NoError(t, b.recorder.HandleMessage(t.Context(), message))
	require.Equal(t, tracking.StateSuccess, b.stage(session).State)
}

func TestLookFindsUploads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		session := b.granted("cover.png", time.Hour)
		rec, err := b.tracker.Get(t.Context(), session)
		require.NoError(t, err)
		_, arrived, err := b.recorder.Look(t.Context(), rec, tracking.UserUpload)
		require.NoError(t, err)
		require.False(t, arrived)
		b.put(session, "cover.png", 1)
		ref, arrived, err := b.recorder.Look(t.Context(), rec, tracking.UserUpload)
		require.NoError(t, err)
		require.True(t, arrived)
		require.Equal(t, session.Prefix()+"cover.png", ref.Key())
		b.objects.broken.Store(true)
		_, arrived, err = b.recorder.Look(t.Context(), rec, tracking.UserUpload)
		require.Error(t, err)
		require.False(t, arrived)
		_, _, err = b.recorder.Look(t.Context(), rec, tracking.AVScan)
		require.ErrorIs(t, err, tracking.ErrStage)
	})
}
