package arrivals_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

const (
	grantTime = 15 * time.Minute
	dueTime   = 30 * time.Minute
)

// announced makes a session whose upload is expected, as the server does.
func (o *office) announced(name string, a arrivals.Announced) scope.Scope {
	o.t.Helper()
	session, err := o.user.NewSession()
	require.NoError(o.t, err)
	now := time.Now()
	require.NoError(o.t, o.desk.Expect(o.t.Context(), session, name, a, now.Add(grantTime), now.Add(dueTime)))
	_, err = o.tracker.Create(o.t.Context(), session, &tracking.CreateOptions{Filename: name, Due: now.Add(dueTime)})
	require.NoError(o.t, err)
	return session
}

// holds reports whether the session's file is there.
func (o *office) holds(s scope.Scope, name string) bool {
	o.t.Helper()
	root, err := o.landing.In(s)
	require.NoError(o.t, err)
	ref, err := root.Ref(name)
	require.NoError(o.t, err)
	_, _, err = root.Stat(o.t.Context(), ref)
	if errors.Is(err, object.ErrNotFound) {
		return false
	}
	require.NoError(o.t, err)
	return true
}

func (o *office) arrives(s scope.Scope, name string) {
	o.t.Helper()
	require.NoError(o.t, o.desk.Message(o.t.Context(), notification(o.t, [2]string{s.Prefix(), name})))
}

// sweep does the work of a sweeper.
func (o *office) sweep() {
	o.t.Helper()
	system := o.table.System()
	done, err := o.tracker.Sweep(o.t.Context(), &tracking.SweepOptions{System: system, Look: o.desk.Look})
	require.NoError(o.t, err)
	require.Empty(o.t, done.Errors)
	require.NoError(o.t, o.desk.Clean(o.t.Context(), system))
}

// accept ends the record as a success.
func (o *office) accept(s scope.Scope) {
	o.t.Helper()
	a, err := o.tracker.Claim(o.t.Context(), s, tracking.Enrichment, &tracking.ClaimOptions{Key: "run"})
	require.NoError(o.t, err)
	require.NoError(o.t, a.Complete(o.t.Context(), object.Ref{}))
}

// notes counts the notes that are kept.
func (o *office) notes(s scope.Scope) int {
	o.t.Helper()
	view, err := o.table.In(s)
	require.NoError(o.t, err)
	page, err := view.Query(o.t.Context(), table.Query{From: "upload", To: "upload~", Consistent: true})
	require.NoError(o.t, err)
	return len(page.Items)
}

// An upload that is too large, or differs from its announcement, ends its record and is deleted, for every way to look.
func TestRejected(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256(make([]byte, 10))
	for name, c := range map[string]struct {
		announced arrivals.Announced
		size      int
		code      string
	}{
		"as announced":    {arrivals.Announced{Size: 10, SHA256: sum[:]}, 10, ""},
		"not announced":   {arrivals.Announced{}, 7, ""},
		"largest":         {arrivals.Announced{}, maxSize, ""},
		"too large":       {arrivals.Announced{}, maxSize + 1, arrivals.TooLarge},
		"another size":    {arrivals.Announced{Size: 10}, 9, arrivals.Differs},
		"another content": {arrivals.Announced{SHA256: sum[:]}, 11, arrivals.Differs},
	} {
		for way, look := range map[string]func(*office, scope.Scope){
			"by an event": func(o *office, s scope.Scope) { o.arrives(s, "cover.png") },
			"by a sweep":  func(o *office, _ scope.Scope) { time.Sleep(dueTime); o.sweep() },
		} {
			t.Run(name+" "+way, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					o := newOffice(t)
					session := o.announced("cover.png", c.announced)
					o.put(session, "cover.png", c.size)
					look(o, session)
					rec, err := o.tracker.Get(t.Context(), session)
					require.NoError(t, err)
					require.Equal(t, tracking.StateSuccess, rec.Stage(tracking.UserUpload).State, "it has arrived")
					require.Equal(t, c.code != "", rec.Terminal)
					require.Equal(t, c.code, rec.Stage(tracking.Enrichment).Error.Code)
					require.Equal(t, c.code == "", o.holds(session, "cover.png"))
					if c.code != "" {
						require.Empty(t, o.grants.all, "its URL uploads again until it expires")
					}
				})
			})
		}
	}
}

// An abandoned upload is deleted when its record ends, and so is one that arrives later.
func TestAbandonedUploads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		left := o.announced("left.png", arrivals.Announced{})
		late := o.announced("late.png", arrivals.Announced{})
		silent := o.announced("silent.png", arrivals.Announced{})
		o.put(left, "left.png", 1)
		o.arrives(left, "left.png")
		time.Sleep(dueTime)
		o.sweep()
		for s, terminal := range map[scope.Scope]bool{left: false, late: true, silent: true} {
			rec, err := o.tracker.Get(t.Context(), s)
			require.NoError(t, err)
			require.Equal(t, terminal, rec.Terminal)
		}
		require.True(t, o.holds(left, "left.png"), "somebody may still go on with it")

		o.put(late, "late.png", 1)
		o.arrives(late, "late.png")
		require.False(t, o.holds(late, "late.png"))
		o.put(silent, "silent.png", 1) // and no event comes
		time.Sleep(25 * time.Hour)
		o.sweep()
		rec, err := o.tracker.Get(t.Context(), left)
		require.NoError(t, err)
		require.Equal(t, "abandoned", rec.Reason)
		require.False(t, o.holds(left, "left.png"))
		require.False(t, o.holds(silent, "silent.png"))
	})
}

// A note ends with its record: the rest of the session is forgotten then, and an accepted upload stays.
func TestRetention(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		accepted := o.announced("accepted.png", arrivals.Announced{})
		failed := o.announced("failed.png", arrivals.Announced{})
		o.put(accepted, "accepted.png", 1)
		o.arrives(accepted, "accepted.png")
		o.accept(accepted)
		for range 3 {
			time.Sleep(25 * time.Hour)
			o.sweep()
		}
		require.Empty(t, o.gone)
		time.Sleep(retention)
		o.sweep()
		require.ElementsMatch(t, []scope.Scope{accepted, failed}, o.gone)
		require.Zero(t, o.notes(accepted)+o.notes(failed))
		require.True(t, o.holds(accepted, "accepted.png"))
	})
}

// A note whose record was never made, as a crash in between leaves it, is forgotten with whatever came.
func TestNoteWithoutRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		session, err := o.user.NewSession()
		require.NoError(t, err)
		require.NoError(t, o.desk.Expect(t.Context(), session, "cover.png", arrivals.Announced{}, time.Now().Add(grantTime), time.Now().Add(dueTime)))
		o.put(session, "cover.png", 1)
		o.sweep()
		require.True(t, o.holds(session, "cover.png"), "it is not due")
		time.Sleep(dueTime)
		o.sweep()
		require.False(t, o.holds(session, "cover.png"))
		require.Zero(t, o.notes(session))
	})
}

// Any writer of items can list them as due, but only notes that are due are processed.
func TestForgedNote(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		session := o.announced("cover.png", arrivals.Announced{})
		o.put(session, "cover.png", 1)
		view, err := o.table.In(o.user)
		require.NoError(t, err)
		for _, class := range []string{"uploads", "other"} {
			_, err = view.Put(t.Context(), table.Item{Sort: "upload" + class, Index: []table.Entry{{Slot: table.I3, Level: scope.None, Class: class, Sort: "2000"}}}, table.Absent())
			require.NoError(t, err)
		}
		o.sweep()
		require.True(t, o.holds(session, "cover.png"))
		require.Equal(t, 1, o.notes(session))
	})
}

// Items that others place before the notes cost a bounded number of pages, and hide no note.
func TestCleanContinuesBehindForgedNotes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		session := o.announced("cover.png", arrivals.Announced{})
		o.put(session, "cover.png", 1)
		_, err := o.tracker.Cancel(t.Context(), session)
		require.NoError(t, err)
		view, err := o.table.In(o.user)
		require.NoError(t, err)
		for i := range 3 * 2000 { // in three shards
			_, err := view.Put(t.Context(), table.Item{Sort: fmt.Sprint("x", i), Index: []table.Entry{
				{Slot: table.I3, Level: scope.None, Class: "uploads", Shard: i % 3, Sort: "2000"},
			}}, table.Absent())
			require.NoError(t, err)
		}
		time.Sleep(dueTime)
		for range 4 { // sixty pages, and one of each other shard
			require.NoError(t, o.desk.Clean(t.Context(), o.table.System()))
		}
		require.False(t, o.holds(session, "cover.png"))
	})
}

// A store that is down leaves the note due.
func TestCleanWithoutStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		session := o.announced("cover.png", arrivals.Announced{})
		_, err := o.tracker.Cancel(t.Context(), session)
		require.NoError(t, err)
		o.put(session, "cover.png", 1)
		time.Sleep(dueTime)
		o.objects.broken.Store(true)
		require.NoError(t, o.desk.Clean(t.Context(), o.table.System()))
		require.Contains(t, o.log.text(), "process due upload")
		o.objects.broken.Store(false)
		require.NoError(t, o.desk.Clean(t.Context(), o.table.System()))
		require.False(t, o.holds(session, "cover.png"))
	})
}
