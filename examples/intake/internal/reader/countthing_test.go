package reader_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

func TestSuppliersOfOtherFilesAreCountedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("ship.csv", []byte(shipments+"SH-1,DHL,S-001,2026-01-13,delivered,1,x\nSH-2,DHL,S-002,2026-01-14,delivered,1,x\n"+
		"SH-3,UPS,S-001,2026-01-15,lost,1,x\nSH-4,UPS,,2026-01-16,lost,1,x\n"))
	require.Contains(t, w.say("how many suppliers in ship.csv"), "- 2 different values")
	require.Contains(t, w.say("how many suppliers in ship.csv where status is lost"), "- 1 different value")
	w.takeIn("goods.csv", []byte("sku,on_hand,warehouse\nA,1,W\n"))
	require.Contains(t, w.say("how many suppliers in goods.csv"), `"goods.csv" is inventory, and not suppliers`)
	w.takeIn("one.csv", []byte("supplier_id,supplier_name,country\nS-001,Alpha,DE\nS-002,Beta,NL\n"))
	require.Contains(t, w.say("how many suppliers in one.csv"), "- rows 2")
	require.Contains(t, w.say("how many suppliers do I have"), "- rows 2")
	w.takeIn("twice.csv", []byte("supplier_id,supplier_name,country\nS-001,Alpha,DE\nS-002,Beta,NL\nS-001,Alpha,FR\n"))
	require.Contains(t, w.say("how many suppliers in twice.csv"), "3 of 3 rows:\n- 2 different values")
	text := w.say("how many suppliers do I have")
	require.Contains(t, text, "I do not add these numbers, because several files can have the same value.")
	require.NotContains(t, text, "together")
}

func TestTheFileThatNamesSuppliersIsNamedIfThereAreSeveral(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("po.csv", []byte(orders+"PO-1,S-001,2026-02-05,2,10\n"))
	w.takeIn("old.csv", []byte("supplier_id,supplier_name,country\nS-001,Alpha,DE\n"))
	require.NotContains(t, w.say("total quantity by supplier in po.csv"), "I take")
	w.takeIn("new.csv", []byte("supplier_id,supplier_name,country\nS-001,Omega,DE\n"))
	text := w.say("total quantity by supplier in po.csv")
	require.Contains(t, text, "| S-001 | Omega | 10 |")
	require.Contains(t, text, "I take “supplier_name” from \"new.csv\", the newest of 2 files of suppliers. The others may have "+
		"other values for the same supplier.")
	require.Contains(t, w.say("total quantity by country in po.csv"), "I take “country” from \"new.csv\", the newest of 2 files")
}

func TestTheOnlyColumnOfDatesIsTheDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("log.csv", []byte("item,qty,wann\nA,1,2026-01-09\nB,2,2026-01-10\nC,4,2026-02-01\n"))
	require.Contains(t, w.say("total qty in log.csv since 2026-01-10"), "total qty 6")
	require.Contains(t, w.say("how many rows in log.csv since 2026-01-10"), "I take “wann” as the day.")
	require.Contains(t, w.say("total qty per day in log.csv"), "| 2026-01-09 | 1 |\n| 2026-01-10 | 2 |\n| 2026-02-01 | 4 |")
	require.Contains(t, w.say("total qty by month in log.csv"), "| 2026-01 | 3 |\n| 2026-02 | 4 |")
	w.takeIn("two.csv", []byte("item,qty,wann,bis\nA,1,2026-01-09,2026-01-12\n"))
	require.Contains(t, w.say("total qty in two.csv since 2026-01-10"), "does not have one column for the day")
}

func TestAConfirmedMeaningDecidesTheDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, _ := w.takeIn("po.csv", []byte("po_number,supplier_id,quantity,raus,rein\nPO-1,S-001,5,2026-01-09,2026-03-01\n"+
		"PO-2,S-001,7,2026-01-10,2026-01-01\n"))
	require.Contains(t, w.say("total quantity in po.csv since 2026-01-10"), "does not have one column for the day")
	f, err := w.view().Get(t.Context(), id)
	require.NoError(t, err)
	_, err = w.view().Confirm(t.Context(), id, f.Report.Version, files.Statement{
		Kind: kinds.PurchaseOrders, Meanings: map[string]string{"raus": "day of the order"},
	})
	require.NoError(t, err)
	text := w.say("total quantity in po.csv since 2026-01-10")
	require.Contains(t, text, "I take “raus” as the day.")
	require.Contains(t, text, "total quantity 7")
}
