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
