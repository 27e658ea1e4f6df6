package arrivals_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

const (
	grantTime = 15 * time.Minute
	dueTime   = 30 * time.Minute
)

// announced makes a session whose upload is expected, as a server does.
func (b *bundle) announced(u arrivals.Upload) scope.Scope {
	b.t.Helper()
	session, err := b.user.NewSession()
	require.NoError(b.t, err)
	now := time.Now()
	u.Expires, u.Due = now.Add(grantTime), now.Add(dueTime)
	rec, err := b.recorder.Expect(b.t.Context(), session, u)
	require.NoError(b.t, err)
	require.Equal(b.t, u.Filename, rec.Filename)
	return session
}

// holds reports whether the session's file is there.
func (b *bundle) holds(s scope.Scope, name string) bool {
	b.t.Helper()
	root, err := b.landing.In(s)
	require.NoError(b.t, err)
	ref, err := root.Ref(name)
	require.NoError(b.t, err)
	_, _, err = root.Stat(b.t.Context(), ref)
	if errors.Is(err, object.ErrNotFound) {
		return false
	}
	require.NoError(b.t, err)
	return true
}

func (b *bundle) arrives(s scope.Scope, name string) {
	b.t.Helper()
	require.NoError(b.t, b.recorder.HandleMessage(b.t.Context(), notification(b.t, [2]string{s.Prefix(), name})))
}

// sweep does the work of a sweeper.
func (b *bundle) sweep() {
	b.t.Helper()
	system := b.table.System()
	done, err := b.tracker.Sweep(b.t.Context(), &tracking.SweepOptions{System: system, Look: b.recorder.Look})
	require.NoError(b.t, err)
	require.Empty(b.t, done.Errors)
	require.NoError(b.t, b.recorder.Clean(b.t.Context(), system))
}

// accept ends the record as a success.
func (b *bundle) accept(s scope.Scope) {
	b.t.Helper()
	a, err := b.tracker.Claim(b.t.Context(), s, tracking.Enrichment, &tracking.ClaimOptions{Key: "run"})
	require.NoError(b.t, err)
	require.NoError(b.t, a.Complete(b.t.Context(), object.Ref{}))
}

// notes counts the notes that are kept.
func (b *bundle) notes(s scope.Scope) int {
	b.t.Helper()
	view, err := b.table.In(s)
	require.NoError(b.t, err)
	page, err := view.Query(b.t.Context(), table.Query{From: "upload", To: "upload~", Consistent: true})
	require.NoError(b.t, err)
	return len(page.Items)
}

// An upload that is too large, or differs from its announcement, ends its record and is deleted, for every way to look.
func TestRejectedUploadsEndTheirRecord(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256(make([]byte, 10))
	for name, c := range map[string]struct {
		announced arrivals.Upload
		size      int
		code      string
	}{
		"as announced":    {arrivals.Upload{Filename: "cover.png", Size: 10, SHA256: sum[:]}, 10, ""},
		"not announced":   {arrivals.Upload{Filename: "cover.png"}, 7, ""},
		"largest":         {arrivals.Upload{Filename: "cover.png"}, maxSize, ""},
		"too large":       {arrivals.Upload{Filename: "cover.png"}, maxSize + 1, "upload_too_large"},
		"another size":    {arrivals.Upload{Filename: "cover.png", Size: 10}, 9, "upload_differs"},
		"another content": {arrivals.Upload{Filename: "cover.png", SHA256: sum[:]}, 11, "upload_differs"},
	} {
		for way, look := range map[string]func(*bundle, scope.Scope){
			"by an event": func(b *bundle, s scope.Scope) { b.arrives(s, "cover.png") },
			"by a sweep":  func(b *bundle, _ scope.Scope) { time.Sleep(dueTime); b.sweep() },
		} {
			t.Run(name+" "+way, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					b := newBundle(t)
					session := b.announced(c.announced)
					b.put(session, "cover.png", c.size)
					look(b, session)
					rec, err := b.tracker.Get(t.Context(), session)
					require.NoError(t, err)
					require.Equal(t, tracking.StateSuccess, rec.Stage(tracking.UserUpload).State, "it has arrived")
					require.Equal(t, c.code != "", rec.Terminal)
					require.Equal(t, c.code, rec.Stage(tracking.Enrichment).Error.Code)
					require.Equal(t, c.code == "", b.holds(session, "cover.png"))
					if c.code != "" {
						require.Empty(t, b.grants.all, "its URL uploads again until it expires")
					}
				})
			})
		}
	}
}

// An abandoned upload is deleted when its record ends, and so is one that arrives later.
func TestAbandonedUploadsAreDeleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		left := b.announced(arrivals.Upload{Filename: "left.png"})
		late := b.announced(arrivals.Upload{Filename: "late.png"})
		silent := b.announced(arrivals.Upload{Filename: "silent.png"})
		b.put(left, "left.png", 1)
		b.arrives(left, "left.png")
		time.Sleep(dueTime)
		b.sweep()
		for s, terminal := range map[scope.Scope]bool{left: false, late: true, silent: true} {
			rec, err := b.tracker.Get(t.Context(), s)
			require.NoError(t, err)
			require.Equal(t, terminal, rec.Terminal)
		}
		require.True(t, b.holds(left, "left.png"), "somebody may still go on with it")

		b.put(late, "late.png", 1)
		b.arrives(late, "late.png")
		require.False(t, b.holds(late, "late.png"))
		b.put(silent, "silent.png", 1) // and no event comes
		time.Sleep(25 * time.Hour)
		b.sweep()
		rec, err := b.tracker.Get(t.Context(), left)
		require.NoError(t, err)
		require.Equal(t, "abandoned", rec.Reason)
		require.False(t, b.holds(left, "left.png"))
		require.False(t, b.holds(silent, "silent.png"))
		for _, late := range []string{"late.png", "silent.png"} {
			require.Regexp(t, "level=WARN .*after its record had ended.*file="+late, b.log.text())
		}
		require.NotRegexp(t, "after its record had ended.*file=left.png", b.log.text())
	})
}

// A note ends with its record: the rest of the session is forgotten then, and an accepted upload stays.
func TestNoteEndsWithItsRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		accepted := b.announced(arrivals.Upload{Filename: "accepted.png"})
		failed := b.announced(arrivals.Upload{Filename: "failed.png"})
		b.put(accepted, "accepted.png", 1)
		b.arrives(accepted, "accepted.png")
		b.accept(accepted)
		for range 3 {
			time.Sleep(25 * time.Hour)
			b.sweep()
		}
		require.Empty(t, b.gone)
		time.Sleep(retention)
		b.sweep()
		require.ElementsMatch(t, []scope.Scope{accepted, failed}, b.gone)
		require.Zero(t, b.notes(accepted)+b.notes(failed))
		require.True(t, b.holds(accepted, "accepted.png"))
	})
}

// A note whose record was never made, as a crash in between leaves it, is forgotten with the upload.
func TestNoteWithoutRecordIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		session, err := b.user.NewSession()
		require.NoError(t, err)
		b.rows.last.Store(1)
		_, err = b.recorder.Expect(t.Context(), session, arrivals.Upload{
			Filename: "cover.png", Expires: time.Now().Add(grantTime), Due: time.Now().Add(dueTime),
		})
		require.ErrorContains(t, err, "throttled")
		b.rows.last.Store(0)
		require.Equal(t, 1, b.notes(session))
		b.put(session, "cover.png", 1)
		b.sweep()
		require.True(t, b.holds(session, "cover.png"), "it is not due")
		time.Sleep(dueTime)
		b.sweep()
		require.False(t, b.holds(session, "cover.png"))
		require.Zero(t, b.notes(session))
		require.Equal(t, []scope.Scope{session}, b.gone)
	})
}

// Any writer of items can list them as due, but only notes that are due are processed, and other items are not read.
func TestForgedNotesAreIgnored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		session := b.announced(arrivals.Upload{Filename: "cover.png"})
		b.put(session, "cover.png", 1)
		_, err := b.tracker.Cancel(t.Context(), session)
		require.NoError(t, err)
		for _, s := range []scope.Scope{b.user, session} {
			view, err := b.table.In(s)
			require.NoError(t, err)
			for _, class := range []string{"uploads", "other"} {
				b.plant(view, "upload-"+class, class, 0)
			}
		}
		before := b.rows.gets.Load()
		require.NoError(t, b.recorder.Clean(t.Context(), b.table.System()))
		require.Equal(t, before, b.rows.gets.Load())
		require.True(t, b.holds(session, "cover.png"), "its note is not due")
		require.Equal(t, 3, b.notes(session))
	})
}

// plant lists an item in a class, before all notes.
func (b *bundle) plant(view *table.View, sort, class string, shard int) {
	b.t.Helper()
	_, err := view.Put(b.t.Context(), table.Item{Sort: sort, Index: []table.Entry{
		{Slot: table.I3, Level: scope.None, Class: class, Shard: shard, Sort: "2000"},
	}}, table.Absent())
	require.NoError(b.t, err)
}

// note returns the session's note.
func (b *bundle) note(s scope.Scope) table.Item {
	b.t.Helper()
	view, err := b.table.In(s)
	require.NoError(b.t, err)
	note, err := view.Get(b.t.Context(), "upload")
	require.NoError(b.t, err)
	return note
}

// Items that others place before the notes cost a bounded number of pages, and hide no note.
func TestCleanContinuesBehindForgedNotes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		session := b.announced(arrivals.Upload{Filename: "cover.png"})
		b.put(session, "cover.png", 1)
		_, err := b.tracker.Cancel(t.Context(), session)
		require.NoError(t, err)
		view, err := b.table.In(b.user)
		require.NoError(t, err)
		shard := b.note(session).Index[0].Shard
		for i := range 3000 {
			b.plant(view, fmt.Sprint("x", i), "uploads", shard)
		}
		time.Sleep(dueTime)
		for range 2 { // thirty pages, and one of each other shard
			require.True(t, b.holds(session, "cover.png"))
			before := b.rows.queries.Load()
			require.NoError(t, b.recorder.Clean(t.Context(), b.table.System()))
			require.LessOrEqual(t, b.rows.queries.Load()-before, int64(26))
		}
		require.False(t, b.holds(session, "cover.png"))
	})
}

// An index that lags lists a note that was processed already.
func TestCleanWithAnIndexThatLags(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		b.rows.Driver = table.NewMemory(&table.MemoryOptions{IndexDelay: time.Minute})
		session := b.announced(arrivals.Upload{Filename: "cover.png"})
		_, err := b.tracker.Cancel(t.Context(), session)
		require.NoError(t, err)
		time.Sleep(dueTime)
		require.NoError(t, b.recorder.Clean(t.Context(), b.table.System()))
		moved := b.note(session)
		require.Greater(t, moved.Version, int64(1))
		require.NoError(t, b.recorder.Clean(t.Context(), b.table.System()))
		require.Equal(t, moved, b.note(session))
	})
}

// A record that is overdue and not yet swept is looked at again after a minute, not at once.
func TestCleanWaitsForTheSweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		session := b.announced(arrivals.Upload{Filename: "cover.png"})
		time.Sleep(2 * dueTime)
		require.NoError(t, b.recorder.Clean(t.Context(), b.table.System()))
		require.Equal(t, time.Now().Add(time.Minute).UTC().Format("2006-01-02T15:04:05.000Z"), b.note(session).Index[0].Sort)
	})
}

// Two processes clean at once: one of them processes the note, and the other one does not complain.
func TestConcurrentCleans(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		session := b.announced(arrivals.Upload{Filename: "cover.png"})
		_, err := b.tracker.Cancel(t.Context(), session)
		require.NoError(t, err)
		time.Sleep(dueTime)
		other := b.newRecorder(nil)
		b.objects.afterStat = func() { require.NoError(t, other.Clean(t.Context(), b.table.System())) }
		before := b.rows.puts.Load()
		require.NoError(t, b.recorder.Clean(t.Context(), b.table.System()))
		require.Equal(t, before+1, b.rows.puts.Load())
		require.Empty(t, b.log.text())
	})
}

// A session that cannot be forgotten keeps its note until it can.
func TestCleanForgetsAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		failed := errors.New("throttled")
		b.recorder = b.newRecorder(func(o *arrivals.Options) {
			o.Forget = func(context.Context, scope.Scope) error { return failed }
		})
		session := b.announced(arrivals.Upload{Filename: "cover.png"})
		_, err := b.tracker.Cancel(t.Context(), session)
		require.NoError(t, err)
		for range 4 {
			time.Sleep(retention)
			require.NoError(t, b.recorder.Clean(t.Context(), b.table.System()))
		}
		require.Equal(t, 1, b.notes(session))
		require.Contains(t, b.log.text(), "throttled")
		failed = nil
		require.NoError(t, b.recorder.Clean(t.Context(), b.table.System()))
		require.Zero(t, b.notes(session))
	})
}

// A Clean that is canceled stops at once, and the next one continues there.
func TestCleanThatIsCanceled(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, b.recorder.Clean(ctx, b.table.System()), context.Canceled)
	require.LessOrEqual(t, b.rows.queries.Load(), int64(1))
	require.NoError(t, b.recorder.Clean(t.Context(), b.table.System()))
	require.LessOrEqual(t, b.rows.queries.Load(), int64(17))
}

// A store that is down leaves the note due.
func TestCleanTriesAgainWhenTheStoreFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t)
		session := b.announced(arrivals.Upload{Filename: "cover.png"})
		_, err := b.tracker.Cancel(t.Context(), session)
		require.NoError(t, err)
		b.put(session, "cover.png", 1)
		time.Sleep(dueTime)
		b.objects.broken.Store(true)
		require.NoError(t, b.recorder.Clean(t.Context(), b.table.System()))
		require.Contains(t, b.log.text(), "process due upload")
		b.objects.broken.Store(false)
		require.NoError(t, b.recorder.Clean(t.Context(), b.table.System()))
		require.False(t, b.holds(session, "cover.png"))
	})
}
