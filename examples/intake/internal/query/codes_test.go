package query_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// A column whose name says that it has codes is compared and grouped as it is written.
func TestColumnsThatAreNamedLikeCodesAreTexts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		values string // separated by spaces, of rows whose quantities are 1, 2 and 4
		is     string
		rows   int64
		groups []query.Line
	}{
		{"sku", "2D3 1E5 3e2", "300", 0, []query.Line{{"3e2", "4"}, {"1E5", "2"}, {"2D3", "1"}}},
		{"article_no", "2E10 3E11 AB12", "2e10", 1, []query.Line{{"AB12", "4"}, {"3E11", "2"}, {"2E10", "1"}}},
		{"tracking", "99E1 990.0 1E2", "990", 0, []query.Line{{"1E2", "4"}, {"990.0", "2"}, {"99E1", "1"}}},
		{"hs_code", "8471.30 8471.3 0101.21", "8471.3", 1,
			[]query.Line{{"0101.21", "4"}, {"8471.3", "2"}, {"8471.30", "1"}}},
		{"part_no", "01.02.03 1.2.3 1.2.03", "1.2.3", 1,
			[]query.Line{{"1.2.03", "4"}, {"1.2.3", "2"}, {"01.02.03", "1"}}},
		{"sku", "10-11-12 10-11-2012", "10-11-12", 1, []query.Line{{"10-11-2012", "2"}, {"10-11-12", "1"}}},
		{"lot", "01/02/26 1/2/26", "01/02/26", 1, []query.Line{{"1/2/26", "2"}, {"01/02/26", "1"}}},
		{"rev", "1.1 1.10", "1.1", 1, []query.Line{{"1.10", "2"}, {"1.1", "1"}}},
		{"Lot", "20260105 20260106 20260107", "20260105", 1,
			[]query.Line{{"20260107", "4"}, {"20260106", "2"}, {"20260105", "1"}}},
		{"po", "4500 4501 PO-3", "PO-3", 1, []query.Line{{"PO-3", "4"}, {"4501", "2"}, {"4500", "1"}}},
		{"supplier_id", "$5 5", "5", 1, []query.Line{{"5", "2"}, {"$5", "1"}}},
		{"country", "NO false NO", "no", 2, []query.Line{{"NO", "5"}, {"false", "2"}}},
	} {
		table := c.name + ",qty\n"
		quantities := []string{"1", "2", "4"}
		for i, v := range strings.Fields(c.values) {
			table += v + "," + quantities[i] + "\n"
		}
		require.Equal(t, c.rows, askMeasured(t, table, count(where(c.name, "eq", c.is))).Matched, table)
		o := sumOf("qty", c.name)
		require.Equal(t, c.groups, askMeasured(t, table, o).Lines, table)
		require.EqualValues(t, len(c.groups), profilesOf(table)[c.name].Distinct, table)
	}
	const revisions = "rev,qty\n1.9,1\n1.10,2\n01/02/26,4\n"
	got := askMeasured(t, revisions, query.Options{Measures: []query.Measure{{Function: query.Max, Column: "rev"}}})
	require.Equal(t, []query.Line{{""}}, got.Lines)
	require.EqualValues(t, 3, got.Ignored)
	require.Contains(t, strings.Join(got.Notes, "\n"), `"rev" is read as texts, because its name or meaning says that it has codes`)
	got = askMeasured(t, revisions, count(where("rev", "ge", "1.9")))
	require.EqualValues(t, 1, got.Matched)
	require.Contains(t, strings.Join(got.Notes, "\n"), "its order is that of texts")
	const other = "rev,d\n1.234,03/04/2026\n02/13/2026,04/04/2026\n"
	require.EqualValues(t, 1, profilesOf(other)["d"].Assumed, "a code does not say which part of a date comes first")
	const whole = "sku,qty\n9,1\n10,2\n"
	got = askMeasured(t, whole, count(where("sku", "gt", "9")))
	require.EqualValues(t, 1, got.Matched, "whole numbers are numbers")
	require.Empty(t, got.Notes)
}
