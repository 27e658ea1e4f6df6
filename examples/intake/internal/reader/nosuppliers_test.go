package reader_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A condition may be about a column of the suppliers, such as their country.
func TestAConditionOnAColumnOfTheSuppliersJoins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("m1.csv", []byte(orders+"PO-1,S-001,2026-02-05,2,10\nPO-2,S-002,2026-01-05,2,7\nPO-3,S-003,2026-01-05,2,1\n"))
	w.takeIn("suppliers.csv", []byte("supplier_id,name,country,rating,status\nS-001,Alpha,DE,5,late\nS-002,Beta,AT,3,ok\n"))
	for question, want := range map[string]string{
		"how many rows in m1.csv where country is AT":                "I take “country” from \"suppliers.csv\".\n\nFrom \"m1.csv\", 1 of 3",
		"total quantity in purchase orders where country is DE":      "total quantity 10",
		"total quantity by supplier in m1.csv where country is DE":   "| S-001 | Alpha | 10 |",
		"total quantity by country in m1.csv where rating is over 4": "I take “rating” from \"suppliers.csv\". I take “country” from",
		"total quantity by country in m1.csv where rating is over 2": "| DE | 10 |\n| AT | 7 |",
		"how many rows in m1.csv where country is missing":           "From \"m1.csv\", 1 of 3 rows",
		"how many late orders in m1.csv":                             "does not have a column for “status”",
		"how many rows in m1.csv where colour is red":                "does not have a column for “colour”",
		"how many rows in m1.csv where country is FR":                "does not have \"supplier_id\" of 1 row, such as \"S-003\"",
	} {
		require.Contains(t, w.say(question), want, question)
	}
}

func TestAMissingListOfSuppliersIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("m1.csv", []byte(orders+"PO-1,S-001,2026-02-05,2,10\n"))
	text := w.say("total quantity by country in purchase orders")
	require.Contains(t, text, "does not have a column for “country”")
	require.Contains(t, text, "No file is a list of suppliers, which could add “country”. I understand")
	require.NotContains(t, w.say("total quantity by colour in purchase orders"), "list of suppliers")
	w.takeIn("other.csv", []byte("supplier_id,on_hand,country\nS-001,5,DE\n"))
	for _, question := range []string{
		"total quantity by country in purchase orders", "how many rows in m1.csv where country is DE",
	} {
		require.Contains(t, w.say(question), "But \"other.csv\" could be one: choose “suppliers” as its kind.", question)
	}
	w.takeIn("suppliers.csv", []byte("supplier_id,name,country\nS-001,Alpha,DE\n"))
	require.Contains(t, w.say("total quantity by country in purchase orders"), "| DE | 10 |")
}

func TestLateRowsNeedAStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("orders.csv", []byte("order_id,customer,order_date,due_date,delivery_date,quantity\n"+
		"1,A,2026-01-01,2026-01-10,2026-01-11,5\n2,B,2026-01-01,2026-01-10,2026-01-09,6\n"))
	text := w.say("how many late orders in orders.csv")
	require.Contains(t, text, "\"orders.csv\" has the dates “order_date”, “due_date”, “delivery_date”, but I cannot compare one "+
		"date of a row with another one.")
	require.NotContains(t, text, "- rows")
	require.NotContains(t, w.say("how many open orders in orders.csv"), "has the dates")
}
