package reader_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
)

const orders = "po_number,supplier_id,order_date,unit_price,quantity\n"

func TestDatesOfSeveralFilesAreCompared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("m1.csv", []byte(orders+"PO-1,S-001,2026-02-05,2,10\nPO-2,S-002,2026-01-05,2,10\n"))
	w.takeIn("m2.csv", []byte(orders+"PO-3,S-001,05.03.2026,3,4\nPO-4,S-002,31.12.2025,3,4\n"))
	require.Contains(t, w.say("highest order date in purchase orders"), "Highest value in 2 files together: 2026-03-05.")
	require.Contains(t, w.say("lowest order date in purchase orders"), "Lowest value in 2 files together: 2025-12-31.")
	require.Contains(t, w.say("highest order date by supplier in purchase orders"),
		"Highest value in 2 files together:\n- S-001: 2026-03-05\n- S-002: 2026-01-05")
	w.takeIn("m3.csv", []byte(orders+"PO-5,S-001,46000,3,4\n"))
	require.Contains(t, w.say("highest order date in purchase orders"), "some have dates and others have numbers.")
	require.Contains(t, w.say("highest order date in purchase orders where supplier id is S-009"), "no numbers or dates.")
}

// A file of suppliers that is too large does not stop the questions by supplier.
func TestSuppliersThatAreTooLargeAreNotJoined(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	many := strings.Builder{}
	for i := range intaketools.MaxJoinedRows + 1 {
		fmt.Fprintf(&many, "S-%06d,Name %d,NL\n", i, i)
	}
	w.takeIn("big.csv", []byte("supplier_id,supplier_name,country\n"+many.String()))
	w.takeIn("m1.csv", []byte(orders+"PO-1,S-000001,2026-02-05,2,10\nPO-2,S-000001,2026-01-05,2,10\n"))
	text := w.say("total quantity by supplier in purchase orders")
	require.Contains(t, text, "| supplier_id | total quantity |\n| --- | --- |\n| S-000001 | 20 |")
	require.Contains(t, text, `The names of suppliers are left out: "big.csv" cannot be joined. A file to join has at most 50,000 rows`)
	w.takeIn("small.csv", []byte("supplier_id,supplier_name,country\nS-000001,Alpha,DE\n"))
	text = w.say("total quantity by supplier in purchase orders")
	require.Contains(t, text, "| supplier_id | supplier_name | total quantity |\n| --- | --- | --- |\n| S-000001 | Alpha | 20 |")
	require.NotContains(t, text, "left out")
}

func TestAColumnOfTheSuppliersGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("m1.csv", []byte(orders+"PO-1,S-001,2026-02-05,2,10\nPO-2,S-002,2026-01-05,2,7\nPO-3,S-003,2026-01-05,2,1\n"))
	require.Contains(t, w.say("total quantity by country in purchase orders"), "does not have a column for “country”")
	w.takeIn("suppliers.csv", []byte("supplier_id,supplier_name,country\nS-001,Alpha,DE\nS-002,Beta,DE\n"))
	text := w.say("total quantity by country in purchase orders")
	require.Contains(t, text, "I take “country” from \"suppliers.csv\".")
	require.Contains(t, text, "| country | total quantity |\n| --- | --- |\n| DE | 17 |\n| (empty) | 1 |")
}

// The largest groups are those of each unit, since amounts of several units are not compared.
func TestARankIsThatOfEachUnit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const header = "sku,warehouse,on_hand,uom\n"
	w.takeIn("a.csv", []byte(header+"A,N,5,kg\nA,S,9,kg\nA,E,7,kg\nB,N,100,pcs\nB,S,300,pcs\nB,E,200,pcs\n"))
	text := w.say("top 2 warehouses by stock")
	require.Contains(t, text, "| S | kg | 9 |\n| E | kg | 7 |\n| S | pcs | 300 |\n| E | pcs | 200 |\nThese are 4 of 6 groups")
	w.takeIn("b.csv", []byte(header+"A,N,50,kg\nB,N,1,pcs\n"))
	text = w.say("top 2 warehouses by stock")
	require.Contains(t, text, "together:\n- N, kg: 55\n- S, kg: 9\n- S, pcs: 300\n- E, pcs: 200\nThese are 4 of 6 groups.")
	require.NotContains(t, text, "| N | pcs | 100 |")
	require.Contains(t, w.say("bottom 1 warehouse by stock in a.csv"), "| N | kg | 5 |\n| N | pcs | 100 |")
}
