package query_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// Dates such as 20260105 are days beside dates of other forms too.
func TestCompactDatesBesideOthersAreDays(t *testing.T) {
	t.Parallel()
	const days = "d,q\n20260105,1\n20261231,2\n2026-01-05,4\n"
	for table, want := range map[string][]query.Line{
		days:                              {{"2026-01-05", "5"}, {"2026-12-31", "2"}},
		days + "31.12.2026,8\n":           {{"2026-01-05", "5"}, {"2026-12-31", "10"}},
		days + "20260230,8\n":             {{"2026-01-05", "5"}, {"2026-12-31", "2"}, {"20260230", "8"}},
		"d,q\n2026-01-05,1\n20260105,2\n": {{"2026-01-05", "3"}},
	} {
		require.Equal(t, want, askMeasured(t, table, sumOf("q", "d")).Lines, table)
		require.EqualValues(t, len(want), profilesOf(table)["d"].Distinct, table)
	}
	c := profilesOf(days)["d"]
	require.Equal(t, []string{"date", "2026-01-05", "2026-12-31"}, []string{string(c.Type), c.Min, c.Max})
	require.Equal(t, []profile.FormatCount{{Format: "20060102", Count: 2}, {Format: "2006-01-02", Count: 1}}, c.Formats)
	require.Zero(t, c.Wrong)
	months := sumOf("q", "d")
	months.Granularity = query.Month
	require.Equal(t, []query.Line{{"2026-01", "5"}, {"2026-12", "2"}}, askMeasured(t, days, months).Lines)
	for _, where := range []struct {
		operator, value string
		rows            int64
	}{
		{"eq", "2026-01-05", 2}, {"eq", "20260105", 2}, {"ne", "2026-01-05", 1}, {"gt", "2026-01-05", 1}, {"le", "20261231", 3},
	} {
		o := count([]query.Condition{{Column: "d", Operator: where.operator, Value: where.value}})
		require.Equal(t, where.rows, askMeasured(t, days, o).Matched, where)
	}
	const quantities = "d,q\n20260105,1\n7,2\n12,4\n2026-01-05,8\n"
	require.Equal(t, profile.Integer, profilesOf(quantities)["d"].Type, "a tie of numbers and dates has numbers")
}
