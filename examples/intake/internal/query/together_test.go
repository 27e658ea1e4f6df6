package query_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// queryOf returns a query that has read a table of CSV with two columns and without quotes.
func queryOf(t *testing.T, table string, o query.Options) *query.Query {
	t.Helper()
	o.Profiles = profilesOf(table)
	q, err := query.New(&o)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(table), "\n")
	first, _, _ := strings.Cut(lines[0], ",")
	for _, line := range lines[1:] {
		a, b, _ := strings.Cut(line, ",")
		q.Add(func(name string) []byte {
			if name == first {
				return []byte(a)
			}
			return []byte(b)
		})
	}
	return q
}

func TestTogetherAddsTheGroupsOfAllQueries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		function    query.Function
		isAscending bool
		lines       []query.Line
		tied        int
	}{
		{query.Sum, false, []query.Line{{"x", "27.5"}, {"b", "20"}}, 0},
		{query.Sum, true, []query.Line{{"d", "1"}, {"a", "10"}}, 1},
		{query.Max, false, []query.Line{{"b", "20"}, {"a", "10"}}, 1},
		{query.Min, true, []query.Line{{"d", "1"}, {"x", "9"}}, 0},
		{query.Avg, false, []query.Line{{"b", "20"}, {"a", "10"}}, 1},
		{query.Count, false, []query.Line{{"x", "3"}, {"a", "1"}}, 3},
	} {
		o := sumOf("qty", "sku")
		o.Measures[0].Function, o.Limit, o.Ascending = c.function, 2, c.isAscending
		var all query.Together
		for _, table := range []string{"sku,qty\na,10\nx,9\n", "sku,qty\nb,20\nX ,9\n", "sku,qty\nc,10\n x,9.5\nd,1\n"} {
			require.NoError(t, all.Add(queryOf(t, table, o), ""))
		}
		got := all.Result()
		require.Equal(t, c.lines, got.Lines, "%s %v", c.function, c.isAscending)
		require.Equal(t, c.tied, got.Tied, "%s %v", c.function, c.isAscending)
		require.Equal(t, 5, got.Groups)
		require.EqualValues(t, 7, got.Matched)
	}
}

func TestTogetherKeepsUnitsApartAndFoldsZeros(t *testing.T) {
	t.Parallel()
	o := sumOf("qty", "supplier_id")
	var all query.Together
	require.NoError(t, all.Add(queryOf(t, "supplier_id,qty\n101.0,1\n01.0,2\nA.0,4\n", o), "kg"))
	require.NoError(t, all.Add(queryOf(t, "supplier_id,qty\n101,8\n1,16\nA,32\n", o), "kg"))
	require.NoError(t, all.Add(queryOf(t, "supplier_id,qty\n101,64\n", o), ""))
	got := all.Result()
	require.Equal(t, []query.Line{
		{"101", "", "64"}, {"A", "kg", "32"}, {"1", "kg", "16"}, {"101", "kg", "9"}, {"A.0", "kg", "4"}, {"01.0", "kg", "2"},
	}, got.Lines)
	require.Equal(t, "101.0 and 101", got.Folded)
}

func TestQueriesThatDoNotFitTogetherAreRefused(t *testing.T) {
	t.Parallel()
	o := sumOf("qty", "sku")
	o.Measures[0].Function = query.Max
	add := func(tables ...string) (err error) {
		var all query.Together
		for _, table := range tables {
			if err = all.Add(queryOf(t, table, o), ""); err != nil {
				return err
			}
		}
		return nil
	}
	require.ErrorIs(t, add("sku,qty\na,1\n", "sku,qty\na,2026-01-31\n"), query.ErrTypes)
	require.NoError(t, add("sku,qty\na,\n", "sku,qty\na,2026-01-31\n"))
	require.ErrorIs(t, add("sku,qty\n"+strings.Repeat("a", 201)+",1\n"), query.ErrLongNames)
	var all query.Together
	require.Empty(t, all.Result().Lines)
	require.NoError(t, all.Add(queryOf(t, "sku,qty\na,1\n", o), ""))
	require.ErrorIs(t, all.Add(queryOf(t, "sku,qty\na,1\n", sumOf("qty", "sku")), ""), query.ErrOptions)
	require.ErrorIs(t, all.Add(queryOf(t, "sku,qty\na,1\n", query.Options{Measures: o.Measures}), ""), query.ErrOptions)
}

func TestGroupsTogetherAreBounded(t *testing.T) {
	t.Parallel()
	var all query.Together
	for file := range query.MaxTogether/query.MaxGroups + 1 {
		var s strings.Builder
		for i := range query.MaxGroups {
			fmt.Fprintf(&s, "%d-%d,1\n", file, i)
		}
		require.NoError(t, all.Add(queryOf(t, "sku,qty\n"+s.String(), sumOf("qty", "sku")), ""))
	}
	got := all.Result()
	require.Equal(t, query.MaxTogether, got.Groups)
	require.EqualValues(t, query.MaxGroups, got.LeftOut)
}
