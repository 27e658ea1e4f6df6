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
