package reader_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAConditionOverFilesWithSeveralUnitsIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const head = "po_number,supplier_id,order_date,quantity,amount"
	w.takeIn("eur.csv", []byte(head+",currency\nPO-1,S-001,2026-02-05,2,100,EUR\nPO-2,S-001,2026-02-05,2,200,eur\n"))
	text := w.say("how many rows in purchase orders where amount is above 150")
	require.NotContains(t, text, "without their units")
	w.takeIn("usd.csv", []byte(head+",currency\nPO-3,S-001,2026-02-05,2,300,USD\n"))
	w.takeIn("none.csv", []byte(head+"\nPO-4,S-001,2026-02-05,2,400\nPO-5,S-001,2026-02-05,2,50\n"))
	text = w.say("how many rows in purchase orders where amount is above 150")
	require.Contains(t, text, "Number in 3 files together: 3.")
	require.Contains(t, text, "The numbers of “amount” are compared without their units, which differ: none in "+
		`"none.csv"; USD in "usd.csv"; EUR in "eur.csv".`)
	require.NotContains(t, w.say("how many rows in eur.csv where amount is above 150"), "without their units")
	require.NotContains(t, w.say("how many rows in purchase orders where amount is above 150 and currency is EUR"),
		"without their units")
	require.NotContains(t, w.say("how many rows in purchase orders where quantity is above 1"), "without their units")
}

func TestAConditionOnStockInKilogramsAndGramsIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const head = "sku,warehouse,on_hand,unit\n"
	w.takeIn("kg.csv", []byte(head+"A,W1,5,kg\nB,W1,3,kg\n"))
	w.takeIn("g.csv", []byte(head+"A,W2,500,g\nB,W2,3,g\n"))
	text := w.say("how many rows in inventory where on hand is above 4")
	require.Contains(t, text, "Number in 2 files together: 2.")
	require.Contains(t, text, `compared without their units, which differ: g in "g.csv"; kg in "kg.csv".`)
	require.Contains(t, w.say("first 5 rows in inventory where on hand is above 4"), "which differ: g in")
	w.takeIn("some.csv", []byte(head+"A,W3,5,kg\nB,W3,7,\n"))
	require.Contains(t, w.say("how many rows in some.csv where on hand is above 4"),
		`are compared without their units, which are in "unit" and differ: kg, none.`)
	w.takeIn("w1.csv", []byte("shipment_id,carrier,weight_kg\nSH-1,X,5\n"))
	w.takeIn("w2.csv", []byte("shipment_id,carrier,weight\nSH-1,X,5\n"))
	require.Contains(t, w.say("how many rows where weight is above 4"), `none in "w2.csv"; kg in "w1.csv"`)
}
