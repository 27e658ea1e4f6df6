package table_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

func TestCursorsFitOneQuery(t *testing.T) {
	t.Parallel()
	d := table.NewMemory(nil)
	ctx := t.Context()
	paths := []string{"acme", "acme/u1", "globex"}
	base := table.Query{Slot: table.I1, Class: "c", From: "a", To: "z", Limit: 2}
	next := map[string]string{}
	for _, p := range paths {
		s := at(t, p)
		for _, sort := range []string{"k", "l", "m", "n"} {
			put(t, in(t, d, s), table.Item{Sort: sort, Index: []table.Entry{
				{Slot: table.I1, Level: s.Level(), Class: "c", Sort: sort},
				{Slot: table.I2, Level: s.Level(), Class: "c", Sort: sort},
			}})
		}
		page, err := in(t, d, s).Query(ctx, base)
		require.NoError(t, err)
		require.NotEmpty(t, page.Next)
		next[p] = page.Next
	}
	v := in(t, d, at(t, "acme"))
	ask := func(change func(q *table.Query)) error {
		q := base
		q.Cursor = next["acme"]
		change(&q)
		_, err := v.Query(ctx, q)
		return err
	}
	require.NoError(t, ask(func(*table.Query) {}))
	require.NoError(t, ask(func(q *table.Query) { q.Limit = 7 }), "a page's size may change")
	for name, change := range map[string]func(q *table.Query){
		"of a user":      func(q *table.Query) { q.Cursor = next["acme/u1"] },
		"of a stranger":  func(q *table.Query) { q.Cursor = next["globex"] },
		"other slot":     func(q *table.Query) { q.Slot = table.I2 },
		"other class":    func(q *table.Query) { q.Class = "d" },
		"base table":     func(q *table.Query) { q.Slot, q.Class = 0, "" },
		"other from":     func(q *table.Query) { q.From = "b" },
		"other to":       func(q *table.Query) { q.To = "" },
		"other order":    func(q *table.Query) { q.Desc = true },
		"padding":        func(q *table.Query) { q.Cursor += "=" },
		"a line break":   func(q *table.Query) { q.Cursor = q.Cursor[:4] + "\n" + q.Cursor[4:] },
		"trailing bytes": func(q *table.Query) { q.Cursor += "AAAA" },
		"cut off":        func(q *table.Query) { q.Cursor = q.Cursor[:len(q.Cursor)-4] },
		"plain base64":   func(q *table.Query) { q.Cursor = "++++" },
		"too short":      func(q *table.Query) { q.Cursor = "AAAA" },
		"oversized":      func(q *table.Query) { q.Cursor = strings.Repeat("A", 1<<20) },
		"no cursor":      func(q *table.Query) { q.Cursor = "next please" },
	} {
		require.ErrorIs(t, ask(change), table.ErrCursor, name)
	}
	// Each damaged bit.
	raw, err := base64.RawURLEncoding.DecodeString(next["acme"])
	require.NoError(t, err)
	for i := range raw {
		for bit := range 8 {
			raw[i] ^= 1 << bit
			damaged := base64.RawURLEncoding.EncodeToString(raw)
			raw[i] ^= 1 << bit
			require.ErrorIs(t, ask(func(q *table.Query) { q.Cursor = damaged }), table.ErrCursor)
		}
	}
}

// liar is a driver that returns rows of other keys.
type liar struct {
	table.Driver
	row table.Row
}

func (l liar) Get(context.Context, table.Key) (table.Row, error) { return l.row, nil }
func (l liar) Put(context.Context, table.Key, table.Row, table.Cond) error {
	return &table.RowConflictError{Current: &l.row}
}
func (l liar) Query(context.Context, table.DriverQuery) (table.DriverPage, error) {
	return table.DriverPage{Rows: []table.Row{l.row}}, nil
}

func TestForeignRowsOfADriverAreDropped(t *testing.T) {
	t.Parallel()
	for _, row := range []table.Row{
		{Partition: "t#globex", Sort: "x", Version: 1},
		{Partition: "t#acme", Sort: "y", Version: 1},
		{Partition: "", Sort: "x", Version: 1},
	} {
		v, err := must.Get(table.New(liar{row: row}, nil)).In(at(t, "acme"))
		require.NoError(t, err)
		it, err := v.Get(t.Context(), "x")
		require.ErrorContains(t, err, "a different row")
		require.Zero(t, it)
		_, err = v.Put(t.Context(), table.Item{Sort: "x"}, table.Absent())
		require.ErrorContains(t, err, "a different row")
		page, err := v.Query(t.Context(), table.Query{From: "x", To: "x!"})
		require.NoError(t, err)
		for _, f := range page.Items {
			require.Equal(t, at(t, "acme"), f.Scope)
			require.NotEqual(t, "t#globex", row.Partition)
		}
	}
}

// empty is a driver whose pages are empty, though more rows follow.
type empty struct{ table.Driver }

func (empty) Query(context.Context, table.DriverQuery) (table.DriverPage, error) {
	return table.DriverPage{More: true}, nil
}

// Without a last row, a page does not have a cursor, and its reader would miss the rest.
func TestEmptyPageBeforeTheLastIsAnError(t *testing.T) {
	t.Parallel()
	_, err := in(t, empty{}, at(t, "acme")).Query(t.Context(), table.Query{})
	require.ErrorContains(t, err, "an empty page that is not the last")
}

// A caller opens the scopes that it finds, so they must not allow more than its own.
func TestFoundScopesAreReadOnlyLikeTheView(t *testing.T) {
	t.Parallel()
	d, tenant := table.NewMemory(nil), at(t, "acme")
	put(t, in(t, d, at(t, "acme/u1")), table.Item{Sort: "x", Index: []table.Entry{
		{Slot: table.I1, Level: scope.TenantLevel, Class: "c", Sort: "x"},
	}})
	for _, readOnly := range []bool{false, true} {
		s := tenant
		if readOnly {
			s = tenant.ReadOnly()
		}
		page, err := in(t, d, s).Query(t.Context(), table.Query{Slot: table.I1, Class: "c"})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		require.Equal(t, readOnly, page.Items[0].Scope.RequireWrite() != nil)
	}
}

func TestSystemRejectsNegativeShards(t *testing.T) {
	t.Parallel()
	_, err := must.Get(table.New(noDriver{}, nil)).System().Query(t.Context(), -1, table.Query{Slot: table.I1, Class: "c"})
	require.ErrorIs(t, err, table.ErrQuery)
	require.ErrorContains(t, err, "shard -1")
}

func TestLargestItemIsAccepted(t *testing.T) {
	t.Parallel()
	v := in(t, table.NewMemory(nil), at(t, "acme"))
	store := func(n int) error {
		_, err := v.Put(t.Context(), table.Item{Sort: "x", Attr: map[string]table.Value{"a": strings.Repeat("x", n)}}, table.Absent())
		return err
	}
	var size int // of the item with its names, keys and columns
	_, err := fmt.Sscanf(store(table.MaxItem).Error(), table.ErrTooLarge.Error()+": %d bytes", &size)
	require.NoError(t, err)
	largest := table.MaxItem - (size - table.MaxItem)
	require.ErrorIs(t, store(largest+1), table.ErrTooLarge)
	require.NoError(t, store(largest))
}
