package dueindex_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/dueindex"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

var index = dueindex.Index{Class: "work", Shards: 3}

// putEntry puts an item that is due at that time in a new session.
func putEntry(t *testing.T, tb *table.Table, due time.Time) scope.Scope {
	t.Helper()
	session := must.Get(must.Get(must.Get(scope.Tenant("acme")).User("ada")).NewSession())
	it := table.Item{Sort: "work", Index: []table.Entry{index.Entry(session, due)}}
	_, err := must.Get(tb.In(session)).Put(t.Context(), it, table.Absent())
	require.NoError(t, err)
	return session
}

func TestPassVisitsEachDueEntryOnce(t *testing.T) {
	t.Parallel()
	tb := must.Get(table.New(table.NewMemory(nil), nil))
	now := time.Now()
	want := map[scope.Scope]int{}
	for range 40 {
		want[putEntry(t, tb, now)] = 1
		putEntry(t, tb, now.Add(time.Minute)) // not yet due
	}
	var p dueindex.Pass
	got := map[scope.Scope]int{}
	count := func(f table.Found) error {
		got[f.Scope]++
		return nil
	}
	require.NoError(t, p.Continue(t.Context(), tb.System(), index, now, count))
	require.Equal(t, want, got)
	clear(got)
	require.NoError(t, p.Continue(t.Context(), tb.System(), index, now, count))
	require.Equal(t, want, got, "the next pass begins again")
}

func TestPassContinuesWhereTheLastCallStopped(t *testing.T) {
	t.Parallel()
	tb := must.Get(table.New(table.NewMemory(nil), nil))
	now := time.Now()
	const entries = 1500 // more than the 13 pages that one call reads
	session := must.Get(must.Get(must.Get(scope.Tenant("acme")).User("ada")).NewSession())
	view := must.Get(tb.In(session))
	for i := range entries {
		sort := time.Unix(int64(i), 0).Format(time.DateTime)
		it := table.Item{Sort: sort, Index: []table.Entry{index.Entry(session, now)}}
		_, err := view.Put(t.Context(), it, table.Absent())
		require.NoError(t, err)
	}
	var p dueindex.Pass
	visited := map[string]bool{}
	visit := func(f table.Found) error {
		visited[f.Item.Sort] = true
		return nil
	}
	require.NoError(t, p.Continue(t.Context(), tb.System(), index, now, visit))
	require.Less(t, len(visited), entries)
	require.NoError(t, p.Continue(t.Context(), tb.System(), index, now, visit))
	require.Len(t, visited, entries)
}

func TestPassGoesOnAfterAnError(t *testing.T) {
	t.Parallel()
	tb := must.Get(table.New(table.NewMemory(nil), nil))
	now := time.Now()
	for range 10 {
		putEntry(t, tb, now)
	}
	var p dueindex.Pass
	broken, visited := errors.New("broken"), 0
	err := p.Continue(t.Context(), tb.System(), index, now, func(table.Found) error {
		visited++
		return broken
	})
	require.ErrorIs(t, err, broken)
	require.Equal(t, 10, visited)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = p.Continue(ctx, tb.System(), index, now, func(table.Found) error { panic("visited") })
	require.ErrorIs(t, err, context.Canceled)
}
