package query_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// Numbers that may be codes by their form are equal as they are written, whatever the name of their column is, and are
// numbers in sums and comparisons of size.
func TestNumbersThatMayBeCodesAreEqualAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values string // of rows whose quantities are 1, 2, 4 and so on
		is     string
		rows   int64
		groups int
		sum    string
	}{
		{"1.10 1.1 2.3", "1.1", 1, 3, "4.50"},
		{"1.10 1.1 2.3", "1.10", 1, 3, "4.50"},
		{"1.10 1.2 2.3", "1.1", 0, 3, "4.60"},
		{"8471.30 8471.3 101.21", "8471.3", 1, 3, "17043.81"},
		{"1.5 1.50 7", "1.5", 1, 3, "10"},
		{"A7 1.10 1.1 2.3", "1.1", 1, 4, "4.50"},
		{"X1 2.50 2.5", "2.5", 1, 3, "5"},
		{"A7 B8 C9 100 100.0", "100", 1, 5, ""},
	} {
		for _, name := range []string{"ref", "货号", "品番", "asset", "drawing", "x"} {
			table := name + ",qty\n"
			for i, v := range strings.Fields(c.values) {
				table += v + "," + []string{"1", "2", "4", "8", "16"}[i] + "\n"
			}
			got := askMeasured(t, table, count(where(name, "eq", c.is)))
			require.Equal(t, c.rows, got.Matched, table)
			require.Contains(t, strings.Join(got.Notes, "\n"), "the same number as", table)
			require.Equal(t, c.groups, askMeasured(t, table, sumOf("qty", name)).Groups, table)
			require.EqualValues(t, c.groups, profilesOf(table)[name].Distinct, table)
			if c.sum != "" {
				require.Equal(t, []query.Line{{c.sum}}, askMeasured(t, table, sumOf(name)).Lines, table)
			}
		}
	}
	const amounts = "price,net weight,qty\n1.10,1.10,1\n1.1,1.1,2\n2.3,2.3,4\n"
	for _, name := range []string{"price", "net weight"} {
		got := askMeasured(t, amounts, count(where(name, "eq", "1.1")))
		require.EqualValues(t, 2, got.Matched, name)
		require.Contains(t, strings.Join(got.Notes, "\n"), `however they are written, such as "1.10"`)
	}
}

// A name that may stand for codes or for amounts is decided by the values.
func TestTheValuesDecideWhatAnAmbiguousNameMeans(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"charge", "Charge", "invoice", "rev", "tariff", "lot", "batch", "shipment", "Rechnung"} {
		table := name + ",qty\n9.50,1\n10.5,2\n100,4\n"
		got := askMeasured(t, table, sumOf(name))
		require.Equal(t, []query.Line{{"120"}}, got.Lines, name)
		require.Contains(t, strings.Join(got.Notes, "\n"), "may have codes by its name", name)
		got = askMeasured(t, table, count(where(name, "gt", "9.6")))
		require.EqualValues(t, 2, got.Matched, name)
		require.Contains(t, strings.Join(got.Notes, "\n"), "are compared as numbers", name)
		for _, values := range []string{"1.1 1.10 2", "1.1 02 3", "1.1 3E2 3", "1.1 A7 2", "01/02/26 1.1 2"} {
			rows := strings.Fields(values)
			codes := name + ",qty\n" + rows[0] + ",1\n" + rows[1] + ",2\n" + rows[2] + ",4\n"
			got = askMeasured(t, codes, sumOf(name))
			require.Equal(t, []query.Line{{""}}, got.Lines, codes)
			require.Contains(t, strings.Join(got.Notes, "\n"), "has codes", codes)
		}
	}
	require.Equal(t, []query.Line{{"1005"}}, askMeasured(t, "sku,qty\nA,1e3\nB,5\n", sumOf("qty")).Lines)
}

// Numbers such as 20260113 are dates if the name says so, and not if it says that they are amounts.
func TestFewCompactDatesAreReadByTheNameOfTheirColumn(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]profile.Type{
		"ship_date": profile.Date, "ETA": profile.Date, "Lieferdatum": profile.Date, "fecha": profile.Date,
		"d": profile.Integer, "amount": profile.Integer, "qty": profile.Integer, "lot": profile.Integer,
	} {
		for _, rows := range []string{"20260113,1\n", "20260113,1\n20260304,2\n"} {
			c := profilesOf(name + ",n\n" + rows)[name]
			require.Equal(t, want, c.Type, name)
			require.Equal(t, name == "d", c.LikelyDates, name)
		}
	}
	require.Equal(t, profile.Integer, profilesOf("amount,n\n20260113,1\n20260114,2\n20260115,4\n")["amount"].Type)
	c := profilesOf("d,n\n20260113,1\n")["d"].AsDates()
	v := profile.ReadValue([]byte("20260113"), c)
	require.Equal(t, profile.Date, v.Type)
	require.Equal(t, "2026-01-13", profile.FormatDate(v.Number))
}
