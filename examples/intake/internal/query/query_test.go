package query_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

const orders = `supplier,quantity,status
S-1,10,open
S-2,5,late
S-1,-4,late
S-3,,open
S-2,a dozen,Open
`

// ask runs a query over a table of CSV without quotes.
func ask(t *testing.T, table string, o query.Options) query.Result {
	t.Helper()
	q, err := query.New(&o)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(table), "\n")
	columns := strings.Split(lines[0], ",")
	for _, line := range lines[1:] {
		fields := strings.Split(line, ",")
		q.Add(func(name string) []byte {
			for i, c := range columns {
				if c == name {
					return []byte(fields[i])
				}
			}
			return nil
		})
	}
	return q.Result()
}

func where(column, operator, value string) []query.Condition {
	return []query.Condition{{Column: column, Operator: operator, Value: value}}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		where []query.Condition
		rows  int64
	}{
		{nil, 5},
		{where("quantity", "eq", "10"), 1},
		{where("quantity", "eq", "10.0"), 1},
		{where("quantity", "ne", "10"), 4},
		{where("quantity", "lt", "0"), 1},
		{where("quantity", "le", "5"), 2},
		{where("quantity", "gt", "-100"), 3},
		{where("quantity", "ge", "5"), 2},
		{where("quantity", "missing", ""), 1},
		{where("quantity", "present", ""), 4},
		{where("status", "eq", "OPEN"), 3},
		{where("status", "contains", "LAT"), 2},
		{where("supplier", "gt", "S-1"), 3},
		{where("nowhere", "eq", "x"), 0},
		{append(where("status", "eq", "late"), where("quantity", "lt", "0")...), 1},
	} {
		got := ask(t, orders, query.Options{Where: c.where, Measures: []query.Measure{{Function: query.Count}}})
		require.EqualValues(t, 5, got.Read)
		require.Equal(t, c.rows, got.Matched, c.where)
	}
}

func TestGroupsAndMeasures(t *testing.T) {
	t.Parallel()
	got := ask(t, orders, query.Options{GroupBy: []string{"supplier"}, Measures: []query.Measure{
		{Function: query.Sum, Column: "quantity"}, {Function: query.Count}, {Function: query.Count, Column: "quantity"},
	}})
	require.Equal(t, []string{"supplier", "sum(quantity)", "rows", "count(quantity)"}, got.Columns)
	require.Equal(t, []query.Line{{"S-1", "6", "2", "2"}, {"S-2", "5", "2", "2"}, {"S-3", "", "1", "0"}}, got.Lines)
	require.EqualValues(t, 1, got.Ignored)
	require.Equal(t, 3, got.Groups)

	got = ask(t, orders, query.Options{Measures: []query.Measure{
		{Function: query.Min, Column: "quantity"}, {Function: query.Max, Column: "quantity"}, {Function: query.Avg, Column: "quantity"},
	}})
	require.Equal(t, []query.Line{{"-4", "10", "3.67"}}, got.Lines)
	got = ask(t, orders, query.Options{GroupBy: []string{"supplier"}, Limit: 1, Ascending: true})
	require.Equal(t, []query.Line{{"S-3", "1"}}, got.Lines)
}

func TestGroupsAndConditionsIgnoreCase(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	rows := [][]string{{"S-01"}, {"s-01 "}, {"ÄB"}, {"äb"}, {long + "1"}, {long + "2"}}
	for column, want := range map[string]int64{"S-01": 2, "s-01": 2, "Äb": 2} {
		q, err := query.New(&query.Options{
			Where:    []query.Condition{{Column: "id", Operator: "eq", Value: column}},
			Measures: []query.Measure{{Function: query.Count}},
		})
		require.NoError(t, err)
		for _, row := range rows {
			q.Add(func(string) []byte { return []byte(row[0]) })
		}
		require.Equal(t, want, q.Result().Matched, column)
	}
	q, err := query.New(&query.Options{GroupBy: []string{"id"}})
	require.NoError(t, err)
	p := profile.New([]string{"id"}, 1)
	for _, row := range rows {
		q.Add(func(string) []byte { return []byte(row[0]) })
		p.AddRow([][]byte{[]byte(row[0])}, 1, false)
	}
	got := q.Result()
	require.Equal(t, []query.Line{{"S-01", "2"}, {"ÄB", "2"}}, got.Lines[:2])
	require.Equal(t, 4, got.Groups, "long values are not cut for comparison")
	require.EqualValues(t, 4, p.Profile().Columns[0].Distinct)
}

func TestNoRowsAreCountedAsZero(t *testing.T) {
	t.Parallel()
	const table = "a\n1\n"
	o := query.Options{Where: where("a", "eq", "9"), Measures: []query.Measure{{Function: query.Count}, {Function: query.Sum, Column: "a"}}}
	require.Equal(t, []query.Line{{"0", ""}}, ask(t, table, o).Lines)
	o.GroupBy = []string{"a"}
	require.Empty(t, ask(t, table, o).Lines)
}

func TestRowsWithoutMeasures(t *testing.T) {
	t.Parallel()
	got := ask(t, orders, query.Options{Columns: []string{"status", "supplier"}, Where: where("supplier", "eq", "s-2"), Limit: 1})
	require.Equal(t, []query.Line{{"late", "S-2"}}, got.Lines)
	require.EqualValues(t, 2, got.Matched)
}

func TestGroupsAreBounded(t *testing.T) {
	t.Parallel()
	q, err := query.New(&query.Options{GroupBy: []string{"a"}})
	require.NoError(t, err)
	for i := range query.MaxGroups + 7 {
		q.Add(func(string) []byte { return fmt.Append(nil, i, strings.Repeat("x", 5000)) })
	}
	got := q.Result()
	require.Equal(t, query.MaxGroups, got.Groups)
	require.EqualValues(t, 7, got.LeftOut)
	require.Len(t, got.Lines, 10)
	for _, line := range got.Lines {
		require.Less(t, len(line[0]), 250)
	}
}

func TestInvalidOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []query.Options{
		{Limit: -1}, {Limit: query.MaxLimit + 1}, {Where: where("a", "like", "b")}, {Measures: []query.Measure{{Function: query.Sum}}},
	} {
		_, err := query.New(&o)
		require.ErrorIs(t, err, query.ErrOptions)
	}
}

func TestNumbersAreReadLikeTheirColumn(t *testing.T) {
	t.Parallel()
	p := profile.New([]string{"price", "quantity"}, 2)
	p.Separator = ";"
	p.AddRow([][]byte{[]byte("1,5"), []byte("1.001")}, 2, false)
	measured := p.Profile()
	o := query.Options{
		Where:    where("quantity", "ge", "1002"),
		Measures: []query.Measure{{Function: query.Sum, Column: "quantity"}},
		Profiles: map[string]*profile.Column{"quantity": &measured.Columns[1]},
	}
	const table = "quantity\n1.001\n1.002\n1.005\n"
	got := ask(t, table, o)
	require.Equal(t, []query.Line{{"2007"}}, got.Lines)
	require.Zero(t, got.Assumed)
	o.Profiles, o.Where = nil, nil
	got = ask(t, table, o)
	require.Equal(t, []query.Line{{"3.008"}}, got.Lines)
	require.EqualValues(t, 3, got.Assumed)
	require.Equal(t, "1.001 is read as 1.001", got.AssumedExample)
}

func TestDatesAreComparedAndMeasuredByDay(t *testing.T) {
	t.Parallel()
	const table = "day\n31.01.2026\n2026-02-01T10:00:00Z\n2025-12-24\nsoon\nn/a\n"
	for _, c := range []struct {
		operator, value    string
		rows, incomparable int64
	}{{"gt", "2026-01-01", 2, 1}, {"lt", "01.02.2026", 2, 1}, {"eq", "2026-02-01", 1, 0}, {"ne", "2025-12-24", 4, 0}} {
		got := ask(t, table, query.Options{Where: where("day", c.operator, c.value), Measures: []query.Measure{{Function: query.Count}}})
		require.Equal(t, c.rows, got.Matched, c)
		require.Equal(t, c.incomparable, got.Incomparable, c)
	}
	got := ask(t, table, query.Options{Measures: []query.Measure{
		{Function: query.Min, Column: "day"}, {Function: query.Max, Column: "day"}, {Function: query.Count, Column: "day"},
	}})
	require.Equal(t, []query.Line{{"2025-12-24", "2026-02-01", "4"}}, got.Lines)
	require.EqualValues(t, 2, got.Ignored)
	_, err := query.New(&query.Options{Where: where("day", "lt", "2026-01-31T10:00")})
	require.ErrorIs(t, err, query.ErrOptions)
}

func TestMissingIsWhatAProfileCountsAsMissing(t *testing.T) {
	t.Parallel()
	const table = "a\nn/a\nNULL\n-\nx\n"
	got := ask(t, table, query.Options{Where: where("a", "missing", ""), Measures: []query.Measure{{Function: query.Count}}})
	require.EqualValues(t, 3, got.Matched)
	got = ask(t, table, query.Options{Measures: []query.Measure{{Function: query.Count, Column: "a"}, {Function: query.Sum, Column: "a"}}})
	require.Equal(t, []query.Line{{"1", ""}}, got.Lines)
	require.EqualValues(t, 1, got.Ignored)
}

func TestResultsKeepTheDigitsOfTheirNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ table, sum, avg, max string }{
		{"a\n0.005\n0.005\n0.005\n", "0.015", "0.005", "0.005"},
		{"a\n9007199254740993\n0.3\n", "9007199254740993.3", "4503599627370496.65", "9007199254740993"},
		{"a\n900719925474099301\n900719925474099302\n", "1801439850948198603", "900719925474099301.50", "900719925474099302"},
		{"a\n0.1\n0.20\n0.3\n", "0.60", "0.20", "0.3"},
		{"a\n1e2\n0.25\n", "100.25", "50.125", "100"},
	} {
		got := ask(t, c.table, query.Options{Measures: []query.Measure{
			{Function: query.Sum, Column: "a"}, {Function: query.Avg, Column: "a"}, {Function: query.Max, Column: "a"},
		}})
		require.Equal(t, []query.Line{{c.sum, c.avg, c.max}}, got.Lines)
	}
}

func TestUnitsThatDifferAreTold(t *testing.T) {
	t.Parallel()
	sum := query.Options{Measures: []query.Measure{{Function: query.Sum, Column: "a"}}}
	got := ask(t, "a\n$1.50\n-$3.00\n", sum)
	require.Equal(t, []query.Line{{"-1.50"}}, got.Lines)
	require.False(t, got.MixedUnits)
	require.True(t, ask(t, "a\n$1.50\n2 €\n", sum).MixedUnits)
}

func TestAConditionHasTheTypeOfItsColumn(t *testing.T) {
	t.Parallel()
	profiles := map[string]*profile.Column{
		"n": {Type: profile.Integer}, "d": {Type: profile.Date}, "t": {Type: profile.Text}, "c": {Type: profile.Date, CompactDates: true},
	}
	for _, c := range []struct {
		where   []query.Condition
		isValid bool
	}{
		{where("n", "eq", "1.5"), true}, {where("n", "eq", "five"), false}, {where("n", "ne", ""), false},
		{where("n", "gt", "2026-01-31"), false}, {where("n", "contains", "x"), true}, {where("n", "missing", ""), true},
		{where("d", "lt", "31.01.2026"), true}, {where("d", "lt", "5"), false}, {where("d", "ne", "soon"), false},
		{where("c", "eq", "20260131"), true}, {where("t", "gt", "x"), true}, {where("t", "eq", "5"), true}, {where("u", "eq", "x"), true},
	} {
		_, err := query.New(&query.Options{Where: c.where, Profiles: profiles})
		if c.isValid {
			require.NoError(t, err, c.where)
		} else {
			require.ErrorIs(t, err, query.ErrOptions, c.where)
		}
	}
}
