package library_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/internal/must"
)

// title is that of an upload in lists.
func (w *world) title(id string) string {
	w.t.Helper()
	rec, err := w.tracker.Get(w.t.Context(), must.Get(w.user.Session(id)))
	require.NoError(w.t, err)
	return rec.Labels[library.TitleLabel]
}

func TestACorrectionRenamesTheUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.added(w.user, `{"title":"Ema","author":"Jane Austen"}`)
	changed := must.Get(w.tracker.Get(t.Context(), must.Get(w.user.Session(id)))).Changed
	_, err := w.view().Correct(t.Context(), id, 1, titled(t, "Emma"))
	require.NoError(t, err)
	require.Equal(t, "Emma", w.title(id))
	require.Equal(t, changed, must.Get(w.tracker.Get(t.Context(), must.Get(w.user.Session(id)))).Changed)
	untitled, err := book.Decode([]byte(`{"author":"Jane Austen"}`))
	require.NoError(t, err)
	_, err = w.view().Correct(t.Context(), id, 2, untitled)
	require.NoError(t, err)
	require.Empty(t, w.title(id))
	_, err = w.view().Correct(t.Context(), id, 3, titled(t, strings.Repeat("é", 200)))
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("é", 128), w.title(id), "a label has at most 256 bytes")
	require.Zero(t, w.notes())
}

// After any interrupted correction, its repetition or the next list makes the title of the upload that of the row.
func TestAnInterruptedCorrectionRenamesTheUploadLater(t *testing.T) {
	t.Parallel()
	for n := range 4 {
		for _, isRepeated := range []bool{true, false} {
			t.Run(fmt.Sprint(n, isRepeated), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				id := w.added(w.user, `{"title":"Ema"}`)
				puts := 0
				w.rows.onPut(func(_ string, put func() error) error {
					if puts++; puts > n {
						return errDisk // the process dies
					}
					return put()
				})
				_, err := w.view().Correct(t.Context(), id, 1, titled(t, "Emma"))
				if n == 3 {
					require.NoError(t, err, "the note, the row and the record")
				} else {
					require.ErrorIs(t, err, errDisk)
				}
				w.rows.onPut(nil)
				if isRepeated {
					_, err = w.view().Correct(t.Context(), id, 1, titled(t, "Emma"))
					require.NoError(t, err)
				}
				require.Len(t, w.list(), 1)
				b, err := w.view().Get(t.Context(), id)
				require.NoError(t, err)
				if isRepeated || n > 1 {
					require.Equal(t, "Emma", *b.Metadata.Title)
				}
				if b.Version > 1 {
					require.Equal(t, *b.Metadata.Title, w.title(id))
				}
				require.Zero(t, w.notes())
			})
		}
	}
}

func TestConcurrentCorrectionsLeaveTheTitleOfTheRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.added(w.user, `{"title":"Emma"}`)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for version := 1; version < 20; version++ {
				_, _ = w.view().Correct(t.Context(), id, version, titled(t, fmt.Sprint("Emma ", version, i)))
			}
		})
	}
	wg.Wait()
	w.list() // finishes those that gave up
	b, err := w.view().Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, 20, b.Version)
	require.Equal(t, *b.Metadata.Title, w.title(id))
}

// The record of an upload may expire before its book is corrected.
func TestACorrectionOfABookWhoseRecordHasExpired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.added(w.user, `{"title":"Ema"}`)
		time.Sleep(2 * time.Hour)
		b, err := w.view().Correct(t.Context(), id, 1, titled(t, "Emma"))
		require.NoError(t, err)
		require.Equal(t, 2, b.Version)
		require.Zero(t, w.notes())
	})
}
