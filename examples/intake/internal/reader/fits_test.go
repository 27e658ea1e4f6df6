package reader_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

func TestWordsThatFitSeveralColumnsAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("po.csv", []byte("po_number,supplier,ordered_qty,shipped_qty,net_amount,gross_amount\nPO-1,S-1,5,4,100,119\n"))
	text := w.say("total quantity in po.csv")
	require.Contains(t, text, `For “quantity” I take "ordered_qty" of "po.csv", but "shipped_qty" may be meant too`)
	text = w.say("total shipped_qty in po.csv")
	require.Contains(t, text, "total shipped_qty 4")
	require.NotContains(t, text, "may be meant")
	w.takeIn("inv.csv", []byte("invoice_no,invoice_date,amount,net_amount\nI-1,2026-01-31,119,100\n"))
	text = w.say("total amount in inv.csv")
	require.Contains(t, text, "total amount 119")
	require.NotContains(t, text, "may be meant")
}

// A column has codes if its confirmed meaning says so, whatever its name is.
func TestConfirmedMeaningsDecideWhatCodesAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, _ := w.takeIn("x.csv", []byte("X1,X2,X3,X4\n1.1,20260105,7,1\n1.10,20260106,8,2\n2.5,20260107,10,4\n"))
	require.Contains(t, w.say("how many rows in x.csv where X1 is 1.1"), "rows 1\n\"X1\" has codes, which are compared as "+
		"texts: 1 value is, such as 1.10, the same number")
	require.Contains(t, w.say("highest X1 in x.csv"), "highest X1 2.5")
	require.Contains(t, w.say("total X4 by X2 in x.csv"), "| 2026-01-05 | 1 |")
	f, err := w.view().Get(t.Context(), id)
	require.NoError(t, err)
	_, err = w.view().Confirm(t.Context(), id, f.Report.Version, files.Statement{Kind: kinds.Inventory, Meanings: map[string]string{
		"X1": "number of the article", "X2": "batch that the goods belong to", "X3": "place where the stock lies",
	}})
	require.NoError(t, err)
	require.Contains(t, w.say("how many rows in x.csv where X1 is 1.1"), "rows 1")
	require.Contains(t, w.say("total X4 by X1 in x.csv"), "| 2.5 | 4 |\n| 1.10 | 2 |\n| 1.1 | 1 |")
	require.Contains(t, w.say("highest X1 in x.csv"), "its name or meaning says that it has codes")
	require.Contains(t, w.say("total X4 by X2 in x.csv"), "| 20260107 | 4 |\n| 20260106 | 2 |\n| 20260105 | 1 |")
	require.Contains(t, w.say("highest X3 in x.csv"), "highest X3 10", "whole numbers are the same as codes")
}

// The meanings that a person has confirmed decide the columns and the joins, whatever their names are.
func TestConfirmedMeaningsDecideTheColumns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	confirm := func(id string, kind kinds.Kind, meanings map[string]string) {
		f, err := w.view().Get(t.Context(), id)
		require.NoError(t, err)
		_, err = w.view().Confirm(t.Context(), id, f.Report.Version, files.Statement{Kind: kind, Meanings: meanings})
		require.NoError(t, err)
	}
	id, _ := w.takeIn("a.csv", []byte("X1;X2;X3\n1;V-1;5\n2;V-2;7\n3;V-1;8\n"))
	confirm(id, kinds.Shipments, map[string]string{"X3": "amount", "X2": "number of the supplier"})
	require.Contains(t, w.say("total quantity in shipments"), "total X3 20")
	id, _ = w.takeIn("b.csv", []byte("Y1;Y2;Y3\nV-1;Alpha;DE\nV-2;Beta;FR\n"))
	confirm(id, kinds.Suppliers, map[string]string{"Y1": "number of the supplier", "Y2": "name of the supplier", "Y3": "country"})
	text := w.say("total quantity by supplier in a.csv")
	require.Contains(t, text, "Alpha")
	require.Contains(t, text, "13")
	text = w.say("total quantity by country in a.csv")
	require.Contains(t, text, "DE")
	require.Contains(t, text, "13")
}

func TestTheSameContentTakenInTwiceIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	content := []byte("shipment_id,carrier,ship_date,qty\nSH-1,DHL,2026-01-13,5\nSH-2,UPS,2026-01-14,6\n")
	_, text := w.takeIn("ship.csv", content)
	require.NotContains(t, text, "same content")
	_, text = w.takeIn("copy.csv", content)
	require.Contains(t, text, `"ship.csv" has the same content and was taken in before`)
	text = w.say("total qty in shipments")
	require.Contains(t, text, "together: 22")
	require.Contains(t, text, `"copy.csv" and an older file "ship.csv" have the same content, so a question about both counts their rows twice`)
	_, text = w.takeIn("other.csv", append(content, "SH-3,UPS,2026-01-14,6\n"...))
	require.NotContains(t, text, "same content")
}

func TestSecondsSince1970AreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("ts.csv", []byte("id,created_at,qty\n1,1767312000000,1767312000\n2,1767398400000,5\n"))
	text := w.say("latest created_at in ts.csv")
	require.Contains(t, text, `look like milliseconds since 1970, but are read as numbers: 1767312000000 is 2026-01-02`)
	require.NotContains(t, w.say("total qty in ts.csv"), "1970")
}
