package library_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// A process dies between the end of the record and the row. The next look finds the book.
func TestAnInterruptedAcceptIsRepaired(t *testing.T) {
	t.Parallel()
	for name, look := range map[string]func(w *world, id string){
		"by a list": func(w *world, id string) { require.Equal(w.t, []string{id}, w.list()) },
		"by a count": func(w *world, _ string) {
			n, err := w.view().Count(w.t.Context())
			require.NoError(w.t, err)
			require.Equal(w.t, 1, n.Own)
		},
		"by a read": func(w *world, id string) {
			b, err := w.view().Get(w.t.Context(), id)
			require.NoError(w.t, err)
			require.Equal(w.t, "Emma", *b.Metadata.Title)
		},
		"by the accept again": func(w *world, id string) {
			require.NoError(w.t, w.library.Add(w.t.Context(), must.Get(w.user.Session(id))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			session := w.accepted(w.user, `{"title":"Emma"}`)
			w.rows.onPut(func(sort string, put func() error) error { return errDisk })
			_, err := w.view().List(t.Context(), nil)
			require.ErrorIs(t, err, errDisk, "a list without the book would look complete")
			w.rows.onPut(nil)
			look(w, session.SessionID())
			require.Equal(t, []string{session.SessionID()}, w.list())
			require.Zero(t, w.notes())
			b, err := w.view().Get(t.Context(), session.SessionID())
			require.NoError(t, err)
			ref, media, err := w.view().Photo(b)
			require.NoError(t, err)
			require.Equal(t, "image/png", media)
			require.Equal(t, session.Prefix()+"cover.png", ref.Key())
		})
	}
}

// A row whose answer was lost is not put a second time.
func TestALostAnswerOfAdd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.accepted(w.user, `{"title":"Emma"}`)
	w.rows.onPut(func(_ string, put func() error) error {
		w.rows.onPut(nil)
		require.NoError(t, put())
		return errDisk
	})
	require.Error(t, w.library.Add(t.Context(), session))
	require.Equal(t, []string{session.SessionID()}, w.list())
	require.Zero(t, w.notes())
}

// Only what was accepted is on the shelf: an accept in flight keeps its note, one that failed loses it.
func TestAcceptsThatDidNotEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.uploaded(w.user)
	attempt := w.claim(session)
	require.NoError(t, w.library.Announce(t.Context(), session))
	w.put(w.raw, session, "metadata.json", `{"title":"Emma"}`)
	require.Empty(t, w.list())
	require.Equal(t, 1, w.notes(), "in flight")
	require.NoError(t, attempt.Park(t.Context(), 0))
	require.Empty(t, w.list())
	require.Zero(t, w.notes(), "failed")
	_, err := w.view().Get(t.Context(), session.SessionID())
	require.Error(t, err)
}

// An accept that begins anew while an older note is settled keeps its own.
func TestAnAcceptThatIsAnnouncedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.uploaded(w.user)
	require.NoError(t, w.library.Announce(t.Context(), session))
	for range 8 {
		var wg sync.WaitGroup
		wg.Go(func() { w.list() })
		wg.Go(func() { require.NoError(t, w.library.Announce(t.Context(), session)) })
		wg.Wait()
	}
	attempt := w.claim(session)
	require.NoError(t, w.library.Announce(t.Context(), session))
	w.list()
	require.Equal(t, 1, w.notes())
	require.NoError(t, attempt.Complete(t.Context(), w.put(w.raw, session, "metadata.json", `{"title":"Emma"}`)))
	require.Len(t, w.list(), 1)
}

// The record of an accept expires before anybody looks. The stored metadata remain.
func TestARecordThatHasExpired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		session := w.accepted(w.user, `{"title":"Emma"}`)
		time.Sleep(2 * time.Hour)
		require.Equal(t, []string{session.SessionID()}, w.list())
		require.Zero(t, w.notes())
	})
}

// Metadata that are gone or damaged do not break the list for ever.
func TestMetadataThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accepted(w.user, `{"title":7}`)
	session := w.accepted(w.user, `{"title":"Emma"}`)
	root := must.Get(w.raw.In(session))
	require.NoError(t, root.Delete(t.Context(), must.Get(root.Ref("metadata.json"))))
	other := w.added(w.user, `{"title":"Persuasion"}`)
	require.Equal(t, []string{other}, w.list())
	require.Zero(t, w.notes())
}

func TestAddOfEverythingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.library.Add(t.Context(), w.uploaded(w.user)), "not accepted")
	require.Empty(t, w.list())
	for _, sc := range []scope.Scope{{}, w.user, w.shared} {
		require.ErrorIs(t, w.library.Add(context.Background(), sc), scope.ErrDenied)
		require.ErrorIs(t, w.library.Announce(context.Background(), sc), scope.ErrDenied)
	}
	session := w.uploaded(w.user)
	attempt := w.claim(session)
	photo := must.Get(w.landing.In(session))
	require.NoError(t, photo.Delete(t.Context(), must.Get(photo.Ref("cover.png"))))
	require.NoError(t, attempt.Complete(t.Context(), w.put(w.raw, session, "metadata.json", `{"title":"Emma"}`)))
	require.NoError(t, w.library.Add(t.Context(), session))
	b, err := w.view().Get(t.Context(), session.SessionID())
	require.NoError(t, err)
	ref, _, err := w.view().Photo(b)
	require.NoError(t, err)
	require.Equal(t, object.Ref{}, ref, "a book whose photo is gone")
}
