package reader_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDatesThatCanBeReadInTwoWaysAreToldWhereverTheyAreGrouped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("a.csv", []byte("sku,qty,ship_date\nA,1,03/04/2026\nB,2,05/06/2026\n"))
	w.takeIn("b.csv", []byte("sku,qty,ship_date\nA,4,05/01/26\nB,8,25/01/26\n"))
	const twoWays, short = "03/04/2026 is read as 2026-04-03", "05/01/26 is read as 2026-01-05"
	for question, want := range map[string][]string{
		"total qty by ship_date in a.csv":          {"2026-04-03: 1", "2026-06-05: 2", twoWays},
		"total qty by month of ship_date in a.csv": {"2026-04: 1", "2026-06: 2", twoWays},
		"total qty by ship_date in b.csv":          {"2026-01-05: 4", "2026-01-25: 8", short},
		"total qty by month of ship_date":          {"- 2026-01: 12\n- 2026-04: 1\n- 2026-06: 2", twoWays, short},
	} {
		text := strings.ReplaceAll(w.say(question), " | ", ": ")
		for _, part := range want {
			require.Contains(t, text, part, question)
		}
	}
}

func TestTheFirstGroupsOfAUnitAreThoseHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("a.csv", []byte("Kunde;Betrag;Währung\nA;10;EUR\nB;9;eur\nC;8;EUR\nD;7;eur\nE;6;EUR\nF;5;USD\n"))
	text := w.say("top 3 Kunde by Betrag in a.csv")
	require.Regexp(t, `C \| EUR \| 8`, text)
	require.Regexp(t, `F \| USD \| 5`, text)
	require.NotRegexp(t, `\bD \| `, text)
}

func TestTheRowsThatAreLeftOutAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("cent.csv", []byte("item,amount\nA,10.10\nB,20.20\nTOTAL,30.31\n"))
	text := w.say("total amount in cent.csv")
	require.Contains(t, text, "total amount 30.30\n")
	require.Contains(t, text, `total row is left out: with it, sum(amount) is 60.61; left out: row 3 ("TOTAL").`)
	w.takeIn("figures.csv", []byte("item,qty\nA,1\nB,2\nSum:,3\nAverage:,1.5\nCount:,2\n"))
	text = w.say("total qty in figures.csv")
	require.Contains(t, text, "total qty 3\n")
	require.Contains(t, text, `left out: row 3 ("Sum:"), row 4 ("Average:"), row 5 ("Count:").`)
	require.Contains(t, w.say("how many rows by item in figures.csv"), `left out: row 3 ("Sum:"), row 4 ("Average:")`)
	w.takeIn("goods.jsonl", []byte(`{"item":"Total Quartz 5W30","qty":5}`+"\n"+`{"item":"B","qty":6}`+"\n"+`{"item":"合计","qty":11}`))
	text = w.say("total qty in goods.jsonl")
	require.Contains(t, text, "total qty 11\n")
	require.Contains(t, text, `left out: row 3 ("合计").`)
	w.takeIn("supplier.csv", []byte("supplier_name,amount,note\nX,5,\nTotal,7,\nY,6,\n"))
	text = w.say("total amount in supplier.csv")
	require.Contains(t, text, "total amount 18\n")
	require.Contains(t, text, `such as row 2 ("Total"), but numbers that are not the sums`)
}
