package reader_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDatesAreGroupedByMonthAndYear(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("ship1.csv", []byte(shipments+"SH-1,DHL,S-1,2026-01-31,x,1,\nSH-2,DHL,S-1,2026-01-01,x,2,\nSH-3,UPS,S-1,2025-12-31,x,4,\n"))
	text := w.say("total qty by month in ship1.csv")
	require.Contains(t, text, "| 2025-12 | 4 |\n| 2026-01 | 3 |")
	require.Contains(t, w.say("total qty by month of ship date in ship1.csv"), "| 2025-12 | 4 |\n| 2026-01 | 3 |")
	require.Contains(t, w.say("total qty by year in ship1.csv"), "| 2025 | 4 |\n| 2026 | 3 |")
	w.takeIn("ship2.csv", []byte(shipments+"SH-4,DHL,S-1,31.01.2026,x,10,\nSH-5,UPS,S-1,01.02.2026,x,20,\n"))
	require.Contains(t, w.say("total qty by month in shipments"), "together:\n- 2025-12: 4\n- 2026-01: 13\n- 2026-02: 20")
	require.Contains(t, w.say("total qty by ship date in shipments"),
		"together:\n- 2025-12-31: 4\n- 2026-01-01: 2\n- 2026-01-31: 11\n- 2026-02-01: 20")
	require.Contains(t, w.say("total qty by month of carrier in ship1.csv"), "a column of group_by must have dates")
}
