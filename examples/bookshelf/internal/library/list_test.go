package library_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// plant puts a copy of the row of a book under another id.
func (w *world) plant(in scope.Scope, from table.Item, id string) {
	w.t.Helper()
	_, err := must.Get(w.table.In(in)).Put(w.t.Context(), table.Item{Sort: "book#" + id, Attr: from.Attr}, table.Absent())
	require.NoError(w.t, err)
}

// Own and shared books are one list, whatever is in which, and a book that is in both is the user's own.
func TestPagesOfOwnAndSharedBooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.added(w.user, `{"title":"Emma"}`)
	row, err := must.Get(w.table.In(w.user)).Get(t.Context(), "book#"+first)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	want := []string{first}
	isOwn := map[string]bool{first: true}
	for range 60 {
		id := must.Get(w.user.NewSession()).SessionID()
		where := 1 + random.IntN(3)
		if where&1 != 0 {
			w.plant(w.user, row, id)
			isOwn[id] = true
		}
		if where&2 != 0 {
			w.plant(w.shared, row, id)
		}
		want = append(want, id)
	}
	slices.Reverse(want)
	for _, limit := range []int{1, 2, 7, 60, 61, 62} {
		var got []string
		o := &library.ListOptions{Limit: limit}
		for {
			page, err := w.view().List(t.Context(), o)
			require.NoError(t, err)
			for _, b := range page.Books {
				got = append(got, b.ID)
				require.Equal(t, isOwn[b.ID], !b.Shared)
			}
			if o.Cursor = page.Next; page.Next == "" {
				break
			}
			require.Len(t, page.Books, limit)
		}
		require.Equal(t, want, got, limit)
	}
}

// One call of a search looks at a bounded number of rows, and the cursor leads through all of them.
func TestSearchIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	needle := w.added(w.user, `{"title":"Needle"}`)
	hay := w.added(w.user, `{"title":"Hay"}`)
	row, err := must.Get(w.table.In(w.user)).Get(t.Context(), "book#"+hay)
	require.NoError(t, err)
	for range 1300 {
		w.plant(w.user, row, must.Get(w.user.NewSession()).SessionID())
	}
	o := &library.ListOptions{Text: "needle"}
	for calls := 1; ; calls++ {
		w.rows.read = 0
		page, err := w.view().List(t.Context(), o)
		require.NoError(t, err)
		require.LessOrEqual(t, w.rows.read, library.MaxExamined+library.MaxLimit)
		if page.Next == "" {
			require.Equal(t, 3, calls)
			require.Equal(t, needle, page.Books[0].ID)
			return
		}
		require.Empty(t, page.Books)
		o.Cursor = page.Next
	}
}

// A row that the package did not write is an error that names it, not a page without it.
func TestForeignRows(t *testing.T) {
	t.Parallel()
	for name, attr := range map[string]map[string]table.Value{
		"no data": {}, "no JSON": {"book": "x"}, "no version": {"book": `{"metadata":{"title":"x"}}`},
		"invalid metadata": {"book": `{"metadata":{"title":1},"versions":[{"version":1}]}`},
	} {
		w := newWorld(t)
		w.plant(w.user, table.Item{Attr: attr}, "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")
		_, err := w.view().List(t.Context(), nil)
		require.ErrorContains(t, err, "book#0199a1b2", name)
	}
}

func TestInvalidLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, o := range []library.ListOptions{{Limit: -1}, {Limit: 101}, {Text: "x", Field: "publisher"}} {
		_, err := w.view().List(t.Context(), &o)
		require.ErrorIs(t, err, library.ErrInvalid)
	}
	for _, cursor := range []string{"x", "book#", "0199A1B2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", "0199a1b2-c3d4-4e5f-8a9b-0c1d2e3f4a5b"} {
		_, err := w.view().List(t.Context(), &library.ListOptions{Cursor: cursor})
		require.ErrorIs(t, err, library.ErrCursor, cursor)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.view().List(ctx, &library.ListOptions{Text: "x"})
	require.ErrorIs(t, err, context.Canceled)
}
