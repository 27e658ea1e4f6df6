package library_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
)

// Of many corrections of one version one wins, and the others receive the current version.
func TestConcurrentCorrections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.added(w.user, `{"title":"Emma"}`)
	errs := make([]error, 16)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = w.view().Correct(t.Context(), id, 1, titled(t, fmt.Sprint("Emma ", i))) })
	}
	wg.Wait()
	won := -1
	for i, err := range errs {
		if err == nil {
			require.Equal(t, -1, won, "one wins")
			won = i
			continue
		}
		var conflict *library.ConflictError
		require.ErrorAs(t, err, &conflict)
		require.Equal(t, 2, conflict.Current.Version)
	}
	b, err := w.view().Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprint("Emma ", won), *b.Metadata.Title)
	first, err := w.view().Metadata(t.Context(), b, 1)
	require.NoError(t, err)
	require.Equal(t, "Emma", *first.Title)
}

// A correction that fails between its object and its row, or whose answer is lost, can be repeated or replaced.
func TestInterruptedCorrections(t *testing.T) {
	t.Parallel()
	for name, isStored := range map[string]bool{"the row is not put": false, "the answer is lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.added(w.user, `{"title":"Ema"}`)
			w.rows.onPut(func(_ string, put func() error) error {
				w.rows.onPut(nil)
				if isStored {
					require.NoError(t, put())
				}
				return errDisk
			})
			_, err := w.view().Correct(t.Context(), id, 1, titled(t, "Emma"))
			require.ErrorIs(t, err, errDisk)
			b, err := w.view().Correct(t.Context(), id, 1, titled(t, "Emma"))
			require.NoError(t, err)
			require.Equal(t, 2, b.Version)
			require.Len(t, b.Versions, 2)
			_, err = w.view().Correct(t.Context(), id, 2, titled(t, "Emma!"))
			require.NoError(t, err)
		})
	}
}

func TestTooManyVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.added(w.user, `{"title":"Emma"}`)
	for n := range library.MaxVersions - 1 {
		_, err := w.view().Correct(t.Context(), id, n+1, titled(t, fmt.Sprint("Emma ", n)))
		require.NoError(t, err)
	}
	_, err := w.view().Correct(t.Context(), id, library.MaxVersions, titled(t, "one more"))
	require.ErrorIs(t, err, library.ErrVersions)
}

// Two librarians share two versions at once: the tenant sees the later one, in any order.
func TestConcurrentShares(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.added(w.user, `{"title":"one"}`)
	_, err := w.view().Correct(t.Context(), id, 1, titled(t, "two"))
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, err := w.view().Share(t.Context(), id, 1+i%2)
			require.NoError(t, err)
		})
	}
	wg.Wait()
	bob := must.Get(must.Get(scope.Tenant("acme")).User("bob"))
	b, err := must.Get(w.library.Open(bob, w.shared.ReadOnly())).Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, 2, b.Version)
	require.Equal(t, "two", *b.Metadata.Title)
	require.True(t, b.Shared)
}

// A share that is interrupted anywhere can be repeated, and shows nothing before it is complete.
func TestInterruptedShares(t *testing.T) {
	t.Parallel()
	for _, isStored := range []bool{false, true} {
		w := newWorld(t)
		id := w.added(w.user, `{"title":"Emma"}`)
		w.rows.onPut(func(_ string, put func() error) error {
			w.rows.onPut(nil)
			if isStored {
				require.NoError(t, put())
			}
			return errDisk
		})
		_, err := w.view().Share(t.Context(), id, 0)
		require.ErrorIs(t, err, errDisk)
		n, err := w.view().Count(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[bool]int{true: 1}[isStored], n.Shared)
		b, err := w.view().Share(t.Context(), id, 0)
		require.NoError(t, err)
		require.Equal(t, 1, b.Version)
	}
}

func TestSharingNeedsTheRightToWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.added(w.user, `{"title":"Emma"}`)
	globex := must.Get(must.Get(scope.Tenant("globex")).Shared())
	for _, shared := range []scope.Scope{{}, w.shared.ReadOnly()} {
		_, err := must.Get(w.library.Open(w.user, shared)).Share(t.Context(), id, 0)
		require.ErrorIs(t, err, scope.ErrDenied)
	}
	_, err := w.library.Open(w.user, globex)
	require.ErrorIs(t, err, scope.ErrDenied)
	for _, sc := range []scope.Scope{{}, w.shared, must.Get(scope.Tenant("acme"))} {
		_, err := w.library.Open(sc, w.shared)
		require.ErrorIs(t, err, scope.ErrDenied, sc)
	}
	_, err = must.Get(w.library.Open(w.user.ReadOnly(), w.shared)).Correct(t.Context(), id, 1, titled(t, "x"))
	require.ErrorIs(t, err, scope.ErrReadOnly)
}
