package profile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// profileTable returns the profile of the rows of a table.
func profileTable(separator string, rows ...[]string) profile.Profile {
	names := []string{"a", "b", "c"}[:len(rows[0])]
	p := profile.New(names, len(names))
	p.Separator = separator
	for _, row := range rows {
		p.AddRow(fields(row...), len(row), false)
	}
	return p.Profile()
}

func TestTheColumnDecidesWhatADotAndACommaMean(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		separator string
		rows      [][]string
		decimal   string
		min, max  string // of the last column
		assumed   int64
	}{
		"the column has a comma and thousands": {",", [][]string{{"1.500"}, {"1.000,50"}}, ",", "1000.5", "1500", 0},
		"the column has decimal commas":        {",", [][]string{{"1,5"}, {"1,234"}}, ",", "1.234", "1.5", 0},
		"the column has decimal points":        {";", [][]string{{"1.5"}, {"1.234"}, {"1,234"}}, ".", "1.234", "1234", 0},
		"a zero before the point":              {";", [][]string{{"0.500"}, {"1.234"}}, ".", "0.5", "1.234", 0},
		"several groups":                       {",", [][]string{{"1.000.000"}, {"1.234"}}, ",", "1234", "1000000", 0},
		"another column has decimal commas":    {";", [][]string{{"1,5", "1.001"}, {"2,5", "1.005"}}, ",", "1001", "1005", 0},
		"only a semicolon":                     {";", [][]string{{"1.001"}, {"1.005"}}, ",", "1001", "1005", 2},
		"nothing":                              {",", [][]string{{"1.001"}, {"1.005"}}, ".", "1.001", "1.005", 2},
		"both":                                 {",", [][]string{{"1,5"}, {"2,5"}, {"1.5"}, {"1.234"}}, ",", "1.5", "1234", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := profileTable(c.separator, c.rows...)
			got := p.Columns[len(p.Columns)-1]
			require.Equal(t, profile.Decimal, got.Type)
			require.Equal(t, c.decimal, got.Decimal)
			require.Equal(t, []string{c.min, c.max}, []string{got.Min, got.Max})
			require.Equal(t, c.assumed, got.Assumed)
			require.Equal(t, c.assumed > 0, len(p.Remarks()) > 0)
		})
	}
	p := profileTable(";", []string{"1.001"})
	require.Contains(t, p.Remarks()[0], "1.001 is read as 1001")
	require.Equal(t, "1.234,5", p.Columns[0].Formats[0].Format)
}

func TestNumbersOfJSONHaveADecimalPoint(t *testing.T) {
	t.Parallel()
	p := profile.New(nil, 0)
	p.AddRecord([]byte(`{"a":1.001}`), false)
	got := p.Profile()
	require.Equal(t, "1.001", got.Columns[0].Max)
	require.Empty(t, got.Remarks())
}

func TestTheColumnDecidesWhetherTheDayComesFirst(t *testing.T) {
	t.Parallel()
	got := profileColumn("03/04/2026", "12/31/2025")
	require.Equal(t, []string{"month", "2025-12-31", "2026-03-04"}, []string{got.DateOrder, got.Min, got.Max})
	require.Zero(t, got.Assumed)
	got = profileColumn("03/04/2026", "31/12/2025")
	require.Equal(t, []string{"day", "2026-04-03"}, []string{got.DateOrder, got.Max})
	p := profileTable(",", []string{"03/04/2026"})
	require.EqualValues(t, 1, p.Columns[0].Assumed)
	require.Contains(t, p.Remarks()[0], "03/04/2026 is read as 2026-04-03")
	p = profileTable(",", []string{"03/04/2026", "12/31/2025"}, []string{"04/04/2026", "11/30/2025"})
	require.Equal(t, "month", p.Columns[0].DateOrder)
	require.Zero(t, p.Columns[0].Assumed)
}

func TestAValueIsReadLikeItsColumn(t *testing.T) {
	t.Parallel()
	p := profileTable(";", []string{"1,5", "1.001"})
	v := profile.ReadValue([]byte(" -1.001 "), &p.Columns[1])
	require.Equal(t, profile.Value{Type: profile.Decimal, Number: -1001, Digits: -1001, IsExact: true}, v)
	v = profile.ReadValue([]byte("1.001"), nil)
	require.InDelta(t, 1.001, v.Number, 0)
	require.True(t, v.Assumed)
	require.Equal(t, profile.Empty, profile.ReadValue([]byte("N/A"), nil).Type)
}

func TestRowsThatAreCutAreToldAndDuplicatesAreNotExact(t *testing.T) {
	t.Parallel()
	p := profile.New([]string{"a"}, 1)
	p.AddRow(fields("x"), 1, true)
	p.AddRow(fields("x"), 1, true)
	got := p.Profile()
	require.False(t, got.DuplicatesExact)
	require.Contains(t, got.Remarks()[0], "2 rows are too long")
}

func TestNumbersWithUnitsAndSignsThatPeopleWrite(t *testing.T) {
	t.Parallel()
	got := profileColumn("$1.00", "-$3.00", "$-2.50", "1,200.50 $", "(12.00)", "\u22123", "5-")
	require.Equal(t, profile.Decimal, got.Type)
	require.Zero(t, got.Wrong)
	require.Equal(t, []string{"-12", "1200.5"}, []string{got.Min, got.Max})
	require.EqualValues(t, 5, got.Negative)
	require.Equal(t, []profile.FormatCount{{Format: "$", Count: 4}, {Format: "", Count: 3}}, got.Units)
	require.Equal(t, "integer", string(profileColumn("5%", "7 %").Type))
	got = profileColumn("EUR 12.50", "13.50 EUR", "-USD 1", "EUR-0")
	require.Equal(t, []string{"-1", "13.5"}, []string{got.Min, got.Max})
	require.Equal(t, []profile.FormatCount{{Format: "EUR", Count: 3}, {Format: "USD", Count: 1}}, got.Units)
	require.Equal(t, "0", profileColumn("-0", "0").Min)
	for _, text := range []string{"SKU 5", "EURO 5", "EUR", "EUR EUR 5", "R G 5", "5 KG5", "(-5)", "-5-", "--", "$", "%", "$5%", "()", "(x)", "$ five", "−"} {
		require.False(t, profile.ReadValue([]byte(text), nil).IsNumber(), text)
	}
	p := profileTable(",", []string{"$1"}, []string{"2 €"})
	require.Equal(t, []string{`numbers of "a" have several units: $ (1), € (1)`}, p.Remarks())
	empty := profile.New([]string{"a"}, 1).Profile()
	require.Equal(t, []string{"the file does not have any rows of data"}, empty.Remarks())
}

// A column whose reading is decided has one format, however its values are written.
func TestDecidedValuesHaveOneFormat(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		separator string
		rows      [][]string
		want      string
	}{
		"thousands and plain digits": {";", [][]string{{"1,5", "1.500"}, {"2,5", "2.250"}, {"2,5", "-30"}, {"2,5", "10"}}, ""},
		"thousands and a fraction":   {";", [][]string{{"1.234,56"}, {"99,90"}}, ""},
		"days first":                 {",", [][]string{{"01/03/2026"}, {"31/03/2026"}, {"03/03/2026"}}, "31/12/2006 3"},
		"months first":               {",", [][]string{{"03/01/2026"}, {"03/31/2026"}}, "12/31/2006 2"},
		"days first with dashes":     {",", [][]string{{"01-03-2026"}, {"31-03-2026"}}, "31-12-2006 2"},
		"months first with dashes":   {",", [][]string{{"03-01-2026"}, {"03-31-2026"}}, "12-31-2006 2"},
		"another column decides":     {",", [][]string{{"31/03/2026", "01/03/2026"}, {"30/03/2026", "02/04/2026"}}, "31/12/2006 2"},
		"nothing decides":            {",", [][]string{{"01/03/2026"}, {"02/03/2026"}}, "03/04/2006 (day or month first) 2"},
		"both":                       {",", [][]string{{"31/03/2026"}, {"03/31/2026"}}, "31/12/2006 1, 12/31/2006 1"},
		"a point and a comma":        {",", [][]string{{"1,5"}, {"1.5"}}, "1,5 1, 1234.5 1"},
		"dates of two kinds":         {",", [][]string{{"31.03.2026"}, {"2026-03-30"}, {"2026-03-29"}}, "2006-01-02 2, 02.01.2006 1"},
	} {
		p := profileTable(c.separator, c.rows...)
		var got []string
		for _, f := range p.Columns[len(p.Columns)-1].Formats {
			got = append(got, fmt.Sprint(f.Format, " ", f.Count))
		}
		require.Equal(t, c.want, strings.Join(got, ", "), name)
	}
}

func TestWholeNumbersWithLeadingZerosAreTexts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		values []string
		want   profile.Type
		wrong  int64
	}{
		"codes":                {[]string{"01234", "4567", "89012"}, profile.Text, 0},
		"one code":             {[]string{"00", "4567", "89012"}, profile.Text, 0},
		"codes with letters":   {[]string{"01234", "D-4567"}, profile.Text, 0},
		"zeros":                {[]string{"0", "4567"}, profile.Integer, 0},
		"fractions":            {[]string{"0.5", "05", "2"}, profile.Decimal, 0},
		"quantities":           {[]string{"05", "-3"}, profile.Integer, 0},
		"amounts":              {[]string{"05", "7 EUR"}, profile.Integer, 0},
		"compact dates":        {[]string{"20260131", "20260201", "20260202"}, profile.Date, 0},
		"dates, mostly":        {[]string{"2026-01-31", "2026-02-01", "007"}, profile.Date, 1},
		"dates with a zero":    {[]string{"01.02.2026", "05/06/2026"}, profile.Date, 0},
		"numbers with a group": {[]string{"1,000", "012"}, profile.Decimal, 0},
	} {
		got := profileColumn(c.values...)
		require.Equal(t, c.want, got.Type, name)
		require.Equal(t, c.wrong, got.Wrong, name)
	}
	column := profileColumn("01234", "4567")
	require.Equal(t, profile.Value{Type: profile.Text}, profile.ReadValue([]byte("4567"), &column))
	require.Empty(t, column.Min)
	require.Equal(t, []profile.TypeCount{{Type: profile.Text, Count: 2}}, column.Types)
}
