package query_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// profilesOf returns the profiles of the columns of a table of CSV without quotes.
func profilesOf(table string) map[string]*profile.Column {
	lines := strings.Split(strings.TrimSpace(table), "\n")
	columns := strings.Split(lines[0], ",")
	p := profile.New(columns, len(columns))
	p.Sense = kinds.SenseOf
	for _, line := range lines[1:] {
		var row [][]byte
		for f := range strings.SplitSeq(line, ",") {
			row = append(row, []byte(f))
		}
		p.AddRow(row, len(row), false)
	}
	m, measured := map[string]*profile.Column{}, p.Profile()
	for i := range measured.Columns {
		m[measured.Columns[i].Name] = &measured.Columns[i]
	}
	return m
}

// askMeasured runs a query over a table that was profiled.
func askMeasured(t *testing.T, table string, o query.Options) query.Result {
	t.Helper()
	o.Profiles = profilesOf(table)
	return ask(t, table, o)
}

func count(w []query.Condition) query.Options {
	return query.Options{Where: w, Measures: []query.Measure{{Function: query.Count}}}
}

func sumOf(column string, by ...string) query.Options {
	return query.Options{GroupBy: by, Measures: []query.Measure{{Function: query.Sum, Column: column}}}
}

func TestLongNumbersAreComparedAndAddedExactly(t *testing.T) {
	t.Parallel()
	const table = "tracking,qty\n9400111899223344556677,1\n9400111899223344556678,2\n9400111899223344556679,4\n"
	got := askMeasured(t, table, query.Options{
		Where: where("tracking", "eq", "9400111899223344556677"), Measures: []query.Measure{{Function: query.Sum, Column: "qty"}},
	})
	require.Equal(t, []query.Line{{"1"}}, got.Lines)
	for operator, want := range map[string]int64{"ne": 2, "gt": 2, "ge": 3, "lt": 0, "le": 1} {
		require.Equal(t, want, askMeasured(t, table, count(where("tracking", operator, "9400111899223344556677"))).Matched, operator)
	}
	got = askMeasured(t, table, query.Options{Measures: []query.Measure{
		{Function: query.Max, Column: "tracking"}, {Function: query.Min, Column: "tracking"}, {Function: query.Sum, Column: "tracking"},
	}})
	require.Equal(t, []query.Line{{"9400111899223344556679", "9400111899223344556677", "28200335697670033670034"}}, got.Lines)
	require.False(t, got.Approximate)
	got = askMeasured(t, "a,b\n9007199254740993.0,x\n9007199254740992,y\n", count(where("a", "eq", "9007199254740993")))
	require.EqualValues(t, 1, got.Matched)
	got = askMeasured(t, "a,b\n1E5,x\n0.25,y\n1e300,z\n", sumOf("a"))
	require.True(t, got.Approximate)
	require.Equal(t, []query.Line{{"100000.25"}}, askMeasured(t, "a,b\n1E5,x\n0.25,y\n", sumOf("a")).Lines)
}

func TestCodesAreTextsAlsoBesideDecimals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		table, value string
		rows         int64
		groups       int
	}{
		{"part,qty\n00123,1\n123,4\n12.5,8\n", "123", 1, 3},
		{"part,qty\n00123,1\n123,4\n12.5,8\n", "00123", 1, 3},
		{"part,qty\n00123,1\n0123,1\n123,1\n1E5,1\n100000,1\n", "123", 1, 5},
		{"part,qty\n00123,1\n0123,1\n123,1\n1E5,1\n100000,1\n", "100000", 1, 5},
		{"part,qty\n3e2,1\n300,4\n1E5,8\n", "300", 1, 3},
	} {
		got := askMeasured(t, c.table, count(where("part", "eq", c.value)))
		require.Equal(t, c.rows, got.Matched, c.value)
		require.Contains(t, strings.Join(got.Notes, "\n"), "compared as texts", c.value)
		require.Equal(t, c.groups, askMeasured(t, c.table, query.Options{GroupBy: []string{"part"}}).Groups, c.table)
	}
	const quantities = "sku,qty\nA,07\nB,8\nC,10\n"
	got := askMeasured(t, quantities, sumOf("qty"))
	require.EqualValues(t, 3, got.Ignored)
	require.Contains(t, strings.Join(got.Notes, "\n"), "values such as 07: they are codes")
	require.EqualValues(t, 2, askMeasured(t, quantities, count(where("qty", "gt", "7"))).Matched, "10 is above 7")
	const scientific = "sku,qty\nA,3E+02\nB,1.5e2\n"
	require.Equal(t, []query.Line{{"450"}}, askMeasured(t, scientific, sumOf("qty")).Lines, "as programs write numbers")
}

func TestGroupsHaveTheTypeOfTheirColumn(t *testing.T) {
	t.Parallel()
	const prices = "price,qty\n1.50,1\n1.5,2\n2,4\n2.00,8\n"
	got := askMeasured(t, prices, sumOf("qty", "price"))
	require.Equal(t, []query.Line{{"2", "12"}, {"1.5", "3"}}, got.Lines)
	require.Contains(t, got.Notes[0], "1.50 and 1.5 are one group")
	require.EqualValues(t, 2, profilesOf(prices)["price"].Distinct)

	const days = "d,qty\n03.02.2026,1\n2026-02-03,2\n3 Feb 2026,4\n2026-02-03T10:00:00Z,8\n2026/02/03,16\n2026-1-5,32\n" +
		"2025.12.31,64\nsoon,128\n"
	got = askMeasured(t, days, sumOf("qty", "d"))
	require.Equal(t, "by date", got.Order)
	require.Equal(t, []query.Line{{"2025-12-31", "64"}, {"2026-01-05", "32"}, {"2026-02-03", "31"}, {"soon", "128"}}, got.Lines)
	require.EqualValues(t, 4, profilesOf(days)["d"].Distinct)
	require.Contains(t, strings.Join(got.Notes, "\n"), "1 value has a time, which is left out")
	for granularity, want := range map[query.Granularity][]query.Line{
		query.Month: {{"2025-12", "64"}, {"2026-01", "32"}, {"2026-02", "31"}, {"soon", "128"}},
		query.Year:  {{"2025", "64"}, {"2026", "63"}, {"soon", "128"}},
	} {
		o := sumOf("qty", "d")
		o.Granularity = granularity
		require.Equal(t, want, askMeasured(t, days, o).Lines)
		o.Only = []string{want[1][0]}
		require.Equal(t, want[1:2], askMeasured(t, days, o).Lines)
	}
	o := sumOf("qty", "d")
	o.Granularity = query.Time
	require.Equal(t, 8, askMeasured(t, days, o).Groups)
	o.Granularity = "week"
	_, err := query.New(&o)
	require.ErrorIs(t, err, query.ErrOptions)
	o.Granularity, o.GroupBy, o.Profiles = query.Month, []string{"qty"}, profilesOf(days)
	_, err = query.New(&o)
	require.ErrorContains(t, err, "a column of group_by must have dates")

	const many = "d,qty\n2026-01-01,1\n2026-01-02,5\n2026-01-03,3\n"
	o = sumOf("qty", "d")
	o.Limit = 2
	got = askMeasured(t, many, o)
	require.Equal(t, "largest first", got.Order)
	require.Equal(t, []query.Line{{"2026-01-02", "5"}, {"2026-01-03", "3"}}, got.Lines)

	const names = "supplier,qty\nAcm\u00e9,32\nAcme\u0301,64\nACM\u00c9,1\n"
	got = askMeasured(t, names, sumOf("qty", "supplier"))
	require.Equal(t, []query.Line{{"Acm\u00e9", "97"}}, got.Lines)
	require.EqualValues(t, 1, profilesOf(names)["supplier"].Distinct)
	require.EqualValues(t, 3, askMeasured(t, names, count(where("supplier", "contains", "ME\u0301"))).Matched)
}

func TestYearsOfTwoDigitsHaveAPivotThatIsTold(t *testing.T) {
	t.Parallel()
	const table = "d,q\n31.12.99,1\n01.02.26,2\n"
	got := askMeasured(t, table, query.Options{Measures: []query.Measure{
		{Function: query.Min, Column: "d"}, {Function: query.Max, Column: "d"},
	}})
	require.Equal(t, []query.Line{{"1999-12-31", "2026-02-01"}}, got.Lines)
	require.Contains(t, strings.Join(got.Notes, "\n"), "31.12.99 is read as 1999-12-31")
	c := profilesOf(table)["d"]
	require.Equal(t, []string{"1999-12-31", "2026-02-01"}, []string{c.Min, c.Max})
	require.EqualValues(t, 2, c.ShortYears)
	for text, want := range map[string]float64{"01/02/68": 20680201, "01/02/69": 19690201, "5-Mar-70": 19700305} {
		require.InDelta(t, want, profile.ReadValue([]byte(text), nil).Number, 0, text)
	}
}

func TestTheValueOfAConditionIsToldAsItWasRead(t *testing.T) {
	t.Parallel()
	const plain = "id,q\n1,1500\n2,1\n3,1.5\n"
	for value, want := range map[string]string{"1,500": "is read as 1500", "1.500": "", "2": "", "1,5": "is read as 1.5"} {
		notes := strings.Join(askMeasured(t, plain, count(where("q", "eq", value))).Notes, "\n")
		if want == "" {
			require.NotContains(t, notes, "is read as", value)
		} else {
			require.Contains(t, notes, want, value)
		}
	}
	p := profile.New([]string{"Menge"}, 1)
	p.Separator = ";"
	for _, v := range []string{"1.500", "2.750", "900", "2,5"} {
		p.AddRow([][]byte{[]byte(v)}, 1, false)
	}
	measured := p.Profile()
	o := count(where("Menge", "gt", "1,500"))
	o.Profiles = map[string]*profile.Column{"Menge": &measured.Columns[0]}
	got := ask(t, "Menge\n1.500\n2.750\n900\n", o)
	require.Contains(t, got.Notes[0], `the value "1,500" for "Menge" is read as 1.5`)
	got = askMeasured(t, "d,q\n03.02.2026,1\n", count(where("d", "ge", "03/02/2026")))
	require.Contains(t, got.Notes[0], `"03/02/2026" for "d" is read as 2026-02-03`)
}

func TestRowsThatAreNotEqualBecauseTheyHaveNoValueAreTold(t *testing.T) {
	t.Parallel()
	got := askMeasured(t, "sku,qty\nA,0\nB,5\nC,\nD,n/a\nE,many\nF,7\n", count(where("qty", "ne", "0")))
	require.EqualValues(t, 5, got.Matched)
	require.Contains(t, got.Notes[0], "3 matching rows have no value")
}

func TestUnitsHaveAResultEach(t *testing.T) {
	t.Parallel()
	const invoices = "id,amount,currency,customer\n1,100,EUR,X\n2,200,USD,X\n3,300,eur,Y\n4,,USD,Y\n"
	o := sumOf("amount")
	o.Units = map[string]string{"amount": "currency"}
	got := askMeasured(t, invoices, o)
	require.Equal(t, []string{"currency", "sum(amount)"}, got.Columns)
	require.Equal(t, []query.Line{{"EUR", "400"}, {"USD", "200"}}, got.Lines)
	require.Equal(t, "currency", got.UnitColumn)
	require.Contains(t, strings.Join(got.Notes, "\n"), "each unit has its own result: EUR (2), USD (1)")
	o.GroupBy, o.Measures = []string{"customer"}, append(o.Measures, query.Measure{Function: query.Count})
	got = askMeasured(t, invoices, o)
	require.Equal(t, []string{"customer", "currency", "sum(amount)", "rows"}, got.Columns)
	require.Equal(t, []query.Line{{"Y", "eur", "300", "1"}, {"X", "EUR", "100", "1"}, {"X", "USD", "200", "1"}, {"Y", "USD", "", "1"}}, got.Lines)
	o = sumOf("amount")
	o.Units, o.Where = map[string]string{"amount": "currency"}, where("currency", "eq", "EUR")
	got = askMeasured(t, invoices, o)
	require.Equal(t, []query.Line{{"400"}}, got.Lines)
	require.Equal(t, "EUR", got.Unit)
	require.Empty(t, got.UnitColumn)

	const cells = "a,b\n$1.50,x\n2 \u20ac,x\n3 EUR,y\n,y\n"
	got = askMeasured(t, cells, sumOf("a"))
	require.Equal(t, []query.Line{{"$", "1.50"}, {"€", "5"}}, got.Lines)
	require.True(t, got.MixedUnits)
	got = askMeasured(t, "a,b\n5 EUR,x\n7,y\n", sumOf("a"))
	require.Equal(t, []query.Line{{"12"}}, got.Lines)
	require.Contains(t, strings.Join(got.Notes, "\n"), "taken together: EUR (1), none (1)")
}

func TestTheUnitOfAConditionMustFit(t *testing.T) {
	t.Parallel()
	const euros = "id,amount\n1,100 EUR\n2,200 EUR\n3,\"1300 EUR\"\n"
	o := count(where("amount", "gt", "150 USD"))
	o.Profiles = profilesOf(strings.ReplaceAll(euros, `"`, ""))
	_, err := query.New(&o)
	require.ErrorContains(t, err, "have other units: EUR")
	require.EqualValues(t, 2, askMeasured(t, strings.ReplaceAll(euros, `"`, ""), count(where("amount", "gt", "150 €"))).Matched)
	const mixed = "id,amount\n1,$100\n2,€100\n3,100%\n"
	for value, want := range map[string]int64{"$100": 1, "100 EUR": 1, "100%": 1} {
		got := askMeasured(t, mixed, count(where("amount", "eq", value)))
		require.Equal(t, want, got.Matched, value)
	}
	got := askMeasured(t, mixed, count(where("amount", "gt", "50%")))
	require.EqualValues(t, 1, got.Matched)
	require.EqualValues(t, 2, got.Incomparable)
	got = askMeasured(t, mixed, count(where("amount", "eq", "100")))
	require.EqualValues(t, 3, got.Matched)
	require.Contains(t, got.Notes[0], "several units, such as $ and €")
	o = count(where("qty", "gt", "5 EUR"))
	o.Profiles = profilesOf("qty,b\n5,x\n")
	_, err = query.New(&o)
	require.ErrorContains(t, err, "do not have units")
}
