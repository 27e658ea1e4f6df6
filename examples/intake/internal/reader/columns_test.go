package reader_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnswersReadValuesAsTheReportDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("eu.csv", []byte("sku;preis;menge\nA1;1,5;1.001\nA2;2,5;1.002\nA3;3,5;1.003\nA4;4,5;1.004\nA5;5,5;1.005\n"))
	require.Contains(t, w.say("total menge in eu.csv"), "sum(menge) 5015")
	w.takeIn("odd.csv", []byte("sku;menge\nA1;1.001\n"))
	text := w.say("total menge in odd.csv")
	require.Contains(t, text, "sum(menge) 1001")
	require.Contains(t, text, "1.001 is read as 1001")
	require.Contains(t, w.say("quality of odd.csv"), "1.001 is read as 1001")
	w.takeIn("days.csv", []byte("po_number,order_date\nPO-1,31.01.2026\nPO-2,2026-02-01\n"))
	require.Contains(t, w.say("highest order date in days.csv"), "max(order_date) 2026-02-01")
}

func TestAFirstRowWithoutNamesIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("headless.csv", []byte("S-001,2026-01-13,5\nS-002,2026-01-14,6\n"))
	require.Contains(t, w.say("quality of headless.csv"), `"2026-01-13" looks like data`)
	w.takeIn("excel.csv", []byte("sep=;\nsku;menge\nA1;1\n"))
	require.Contains(t, w.say("quality of excel.csv"), "names a separator")
	w.takeIn("empty.csv", []byte("sku,quantity\n"))
	require.Contains(t, w.say("quality of empty.csv"), "does not have any rows")
}

// A number with leading zeros is a code in the report, in conditions, in groups and in joins.
func TestLeadingZerosAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("zips.csv", []byte("sku,zip,supplier_id,qty\nA,01234,0001,5\nB,1234,1,6\nC,1234,0001,7\n"))
	require.Contains(t, w.say("quality of zips.csv"), `- "zip": text`)
	require.Contains(t, w.say("how many rows in zips.csv where zip is 01234"), "rows 1")
	require.Contains(t, w.say("how many rows in zips.csv where zip is 1234"), "rows 2")
	require.Contains(t, w.say("how many rows in zips.csv where zip is not 1234"), "rows 1")
	require.Contains(t, w.say("total qty by zip in zips.csv"), "- zip 1234, sum(qty) 13\n- zip 01234, sum(qty) 5")
	w.takeIn("suppliers.csv", []byte("supplier_id,supplier_name\n0001,Alpha\n1,Beta\n"))
	require.Contains(t, w.say("total qty by supplier_id in zips.csv"),
		"- supplier_id 0001, supplier_name Alpha, sum(qty) 12\n- supplier_id 1, supplier_name Beta, sum(qty) 6")
	require.Contains(t, w.say("total zip in zips.csv"), "values that are not numbers")
	w.takeIn("amounts.csv", []byte("sku,qty\nA,05\nB,7\n"))
	require.Contains(t, w.say("quality of amounts.csv"), `"qty" has whole numbers with leading zeros. They are read as texts`)
}
