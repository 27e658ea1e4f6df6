package query_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// The notes are those that conditions and measures of such dates have.
func TestGroupsOfDatesThatCanBeReadInTwoWaysAreTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		table, note string
		want        []query.Line
		byMonth     []query.Line
	}{
		{
			"d,q\n03/04/2026,1\n05/04/2026,2\n03/04/2026,4\n", "",
			[]query.Line{{"2026-04-03", "5"}, {"2026-04-05", "2"}}, []query.Line{{"2026-04", "7"}},
		},
		{
			"d,q\n31/12/2025,1\n12/31/2025,2\n03/04/2026,4\n", "",
			[]query.Line{{"2025-12-31", "3"}, {"2026-04-03", "4"}}, []query.Line{{"2025-12", "3"}, {"2026-04", "4"}},
		},
		{
			"d,q\n25.01.26,1\n26.01.26,2\n25.02.26,4\n",
			"years of two digits are taken as 1969 to 2068: 25.01.26 is read as 2026-01-25",
			[]query.Line{{"2026-01-25", "1"}, {"2026-01-26", "2"}, {"2026-02-25", "4"}},
			[]query.Line{{"2026-01", "3"}, {"2026-02", "4"}},
		},
	} {
		o := sumOf("q", "d")
		got := askMeasured(t, c.table, o)
		require.Equal(t, c.want, got.Lines, c.table)
		o.Granularity = query.Month
		months := askMeasured(t, c.table, o)
		require.Equal(t, c.byMonth, months.Lines, c.table)
		for _, r := range []query.Result{got, months} {
			if c.note != "" {
				require.Contains(t, strings.Join(r.Notes, "\n"), c.note)
				continue
			}
			require.Positive(t, r.Assumed, c.table)
			require.Equal(t, "03/04/2026 is read as 2026-04-03", r.AssumedExample)
		}
	}
	got := askMeasured(t, "d,q\n13/04/2026,1\n03/04/2026,2\n", sumOf("q", "d"))
	require.Zero(t, got.Assumed, "the other row decides")
}

func TestALimitCountsTheGroupsOfAUnitHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	o := sumOf("Betrag", "k")
	o.Units, o.Limit = map[string]string{"Betrag": "w"}, 3
	got := askMeasured(t, "k,Betrag,w\nA,10,EUR\nB,9,eur\nC,8,EUR\nD,7,eur\nE,6,EUR\nF,5,USD\n", o)
	require.Equal(t, []query.Line{{"A", "EUR", "10"}, {"B", "eur", "9"}, {"C", "EUR", "8"}, {"F", "USD", "5"}}, got.Lines)
}
