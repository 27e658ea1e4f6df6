package table_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

type heard []scope.Refusal

func (h *heard) Refused(_ context.Context, r scope.Refusal) { *h = append(*h, r) }

// planted is a driver whose index contains a forged row of another tenant.
type planted struct{ table.Driver }

func (planted) Query(context.Context, table.DriverQuery) (table.DriverPage, error) {
	return table.DriverPage{Rows: []table.Row{{Partition: "t#globex#u#eve", Sort: "x", Version: 1}}, Count: 1}, nil
}

// crowded is a driver whose index pages are full of rows of other tenants.
type crowded struct{ table.Driver }

func (crowded) Query(_ context.Context, q table.DriverQuery) (table.DriverPage, error) {
	page := table.DriverPage{More: true}
	for i := range q.Limit {
		page.Rows = append(page.Rows, table.Row{Partition: fmt.Sprintf("t#globex%d", i), Sort: "x", Version: 1})
	}
	return page, nil
}

func TestForeignRowsOfAPageAreOneReport(t *testing.T) {
	t.Parallel()
	var h heard
	acme, err := scope.Tenant("acme")
	require.NoError(t, err)
	tab := must.Get(table.New(crowded{table.NewMemory(nil)}, &table.Options{Audit: &h}))
	view, err := tab.In(acme)
	require.NoError(t, err)
	page, err := view.Query(t.Context(), table.Query{Slot: table.I1, Class: "active", Limit: 457})
	require.NoError(t, err)
	require.Empty(t, page.Items)
	require.NotEmpty(t, page.Next, "a short page has a cursor")
	require.Len(t, h, 1)
	require.Equal(t, "table.Query", h[0].Op)
	require.Equal(t, acme, h[0].Scope)
	require.ErrorContains(t, h[0].Err, "457")
	require.ErrorContains(t, h[0].Err, `"t#globex0"`)
}

func TestRefusalsAreReported(t *testing.T) {
	t.Parallel()
	var h heard
	acme, err := scope.Tenant("acme")
	require.NoError(t, err)
	view, err := must.Get(table.New(planted{table.NewMemory(nil)}, &table.Options{Audit: &h})).In(acme)
	require.NoError(t, err)

	page, err := view.Query(t.Context(), table.Query{Slot: table.I1, Class: "active"})
	require.NoError(t, err)
	require.Empty(t, page.Items)
	require.Len(t, h, 1)
	require.ErrorContains(t, h[0].Err, "t#globex#u#eve")

	h = nil
	_, err = view.Query(t.Context(), table.Query{Cursor: "AAAA"})
	require.ErrorIs(t, err, table.ErrCursor)
	require.Len(t, h, 1)
	require.Equal(t, "table.Query", h[0].Op)
	require.Equal(t, acme, h[0].Scope)
	require.ErrorIs(t, h[0].Err, table.ErrCursor)
}
