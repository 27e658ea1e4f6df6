package profile_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/examples/intake/internal/sample"
)

func fields(values ...string) (out [][]byte) {
	for _, v := range values {
		out = append(out, []byte(v))
	}
	return out
}

// profileColumn returns the profile of one column with these values.
func profileColumn(values ...string) profile.Column {
	p := profile.New([]string{"c"}, 1)
	for _, v := range values {
		p.AddRow(fields(v), 1, false)
	}
	return p.Profile().Columns[0]
}

// measure profiles a file of the generator.
func measure(t *testing.T, o *sample.Options) (sample.Counts, profile.Profile) {
	t.Helper()
	var b bytes.Buffer
	counts, err := sample.Write(&b, o)
	require.NoError(t, err)
	if o.Format == sample.JSONLines {
		p := profile.New(nil, 0)
		for line := range bytes.Lines(b.Bytes()) {
			p.AddRecord(line, false)
		}
		return counts, p.Profile()
	}
	r := csv.NewReader(&b)
	header, err := r.Read()
	require.NoError(t, err)
	p := profile.New(header, len(header))
	for {
		row, err := r.Read()
		if err != nil {
			return counts, p.Profile()
		}
		p.AddRow(fields(row...), len(row), false)
	}
}

func TestEveryFlawOfASampleIsCounted(t *testing.T) {
	t.Parallel()
	for _, kind := range sample.Kinds() {
		for _, format := range []sample.Format{sample.CSV, sample.JSONLines} {
			want, got := measure(t, &sample.Options{Kind: kind, Format: format, Rows: 6000, Seed: 7})
			require.Equal(t, want.Rows, got.Rows)
			require.Equal(t, want.Duplicates, got.Duplicates)
			require.True(t, got.DuplicatesExact)
			require.Zero(t, got.Ragged+got.Malformed+got.Totals+got.Blank+got.Headers)
			require.Len(t, got.Columns, len(want.Columns))
			for i, c := range got.Columns {
				name := want.Columns[i]
				require.Equal(t, name, c.Name)
				require.Equal(t, want.Missing[name], c.Missing, "%s %s", kind, name)
				require.Equal(t, want.Wrong[name], c.Wrong, "%s %s", kind, name)
				require.Equal(t, want.Negative[name], c.Negative, "%s %s", kind, name)
				if c.Type == profile.Date && want.OtherDates[name] > 0 {
					require.Equal(t, profile.FormatCount{Format: "02.01.2006", Count: want.OtherDates[name]}, c.Formats[1], "%s %s", kind, name)
					require.Len(t, c.Formats, 2)
				}
			}
		}
	}
}

func TestTypesOfColumns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		values []string
		want   profile.Column
	}{
		"integers":      {[]string{"1", "+2", " -3 ", "007"}, profile.Column{Type: profile.Integer, Min: "-3", Max: "7", Negative: 1}},
		"decimals":      {[]string{"1", "2.5", "-1e2", ".5"}, profile.Column{Type: profile.Decimal, Min: "-100", Max: "2.5", Negative: 1}},
		"decimal comma": {[]string{"1,5", "2,25"}, profile.Column{Type: profile.Decimal, Min: "1.5", Max: "2.25"}},
		"groups":        {[]string{"1,234.5", "12,345,678", "1.234,5"}, profile.Column{Type: profile.Decimal, Min: "1234.5", Max: "12345678"}},
		"dates": {[]string{"2026-01-31", "31.12.2025", "2026/02/01", "2026-01-31T10:00:00Z", "12/31/2026", "31/12/2026", "1/2/26"},
			profile.Column{Type: profile.Date, Min: "2025-12-31", Max: "2026-12-31"}},
		"not dates":     {[]string{"2026-13-01", "2026-01-32", "31.13.2026", "2025-02-31", "31.06.2025", "29.02.2025", "99/99/9999"}, profile.Column{Type: profile.Text}},
		"not numbers":   {[]string{"1,23,4", "1.2.3.4", "1e", "--5", "1e999", "1,2345,678", "12-34"}, profile.Column{Type: profile.Text}},
		"booleans":      {[]string{"true", "No", "FALSE"}, profile.Column{Type: profile.Boolean}},
		"missing":       {[]string{"", "N/A", " - ", "null", "#N/A", "?"}, profile.Column{Type: profile.Empty, Missing: 6}},
		"mostly number": {[]string{"1", "2", "3", "a dozen"}, profile.Column{Type: profile.Integer, Min: "1", Max: "3", Wrong: 1}},
		"formulas": {[]string{"=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-x", "a=b"},
			profile.Column{Type: profile.Text, Formulas: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := profileColumn(c.values...)
			require.Equal(t, c.want.Type, got.Type)
			require.Equal(t, c.want.Min, got.Min)
			require.Equal(t, c.want.Max, got.Max)
			require.Equal(t, c.want.Negative, got.Negative)
			require.Equal(t, c.want.Missing, got.Missing)
			require.Equal(t, c.want.Wrong, got.Wrong)
			require.Equal(t, c.want.Formulas, got.Formulas)
		})
	}
	require.Equal(t, []profile.FormatCount{{Format: "31/12/2006", Count: 3}},
		profileColumn("01/02/2026", "03/04/2026", "30/01/2026").Formats)
	require.Equal(t, []profile.FormatCount{{Format: "1,5", Count: 1}, {Format: "1234.5", Count: 1}}, profileColumn("1,5", "1.5").Formats)
}

func TestRecordsOfAWholeFile(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		` [{"a":1}, 7]`: `{"a":1}|7`,
		`{"po":1,"tags":[1],"lines":[ {"a":1},{}]}`: `{"a":1}|{}`,
		`{"a":{"b":[{}]}}`:                          `{"a":{"b":[{}]}}`,
		`[{"a":`:                                    "",
		`{"a":1`:                                    "",
		`not json`:                                  "",
	} {
		var got []string
		for _, r := range profile.Records([]byte(file)) {
			got = append(got, string(r))
		}
		require.Equal(t, want, strings.Join(got, "|"), file)
	}
}

func TestDistinctValuesAreExactOrSaidToBeEstimated(t *testing.T) {
	t.Parallel()
	p := profile.New([]string{"few", "many"}, 2)
	const rows = 300_000
	for i := range rows {
		p.AddRow(fields(fmt.Sprint(i%100), fmt.Sprint(i%(rows/2))), 2, false)
	}
	got := p.Profile()
	require.EqualValues(t, 100, got.Columns[0].Distinct)
	require.True(t, got.Columns[0].DistinctExact)
	require.False(t, got.Columns[1].DistinctExact)
	require.InEpsilon(t, rows/2, got.Columns[1].Distinct, 0.15)
	require.False(t, got.DuplicatesExact)
	require.InEpsilon(t, rows/2, got.Duplicates, 0.15)
}

func TestAnEstimateIsNotAboveTheNumberOfValues(t *testing.T) {
	t.Parallel()
	names := make([]string, 32) // of columns, each of which has an estimate by chance
	for i := range names {
		names[i] = fmt.Sprintf("column %d", i)
	}
	p := profile.New(names, len(names))
	const rows = 5000
	row := make([]string, len(names))
	for i := range rows {
		for c := range row {
			row[c] = fmt.Sprintf("%d of %d", i, c)
		}
		row[0] = ""
		p.AddRow(fields(row...), len(row), false)
	}
	got := p.Profile()
	require.Zero(t, got.Columns[0].Distinct)
	for _, c := range got.Columns[1:] {
		require.False(t, c.DistinctExact)
		require.LessOrEqual(t, c.Distinct, int64(rows))
		require.InEpsilon(t, rows, c.Distinct, 0.25)
	}
}

func TestHostileTables(t *testing.T) {
	t.Parallel()
	p := profile.New([]string{"a", "a", "<script>"}, 3)
	p.AddRow(fields("\xff\xfe", strings.Repeat("x", 1<<20), "=HYPERLINK(\"http://evil.example\")"), 3, false)
	p.AddRow(fields("1"), 1, false)
	p.AddRow(nil, 0, false)
	p.AddRow(fields("1", "2", "3", "4"), 4, false)
	p.AddRow(fields("1", "2"), 9000, true)
	p.AddMalformed()
	got := p.Profile()
	require.EqualValues(t, 6, got.Rows)
	require.EqualValues(t, 1, got.Malformed)
	require.EqualValues(t, 4, got.Ragged)
	require.EqualValues(t, 1, got.Cut)
	require.Equal(t, []int{0, 1, 0}, []int{got.Columns[0].Repeated, got.Columns[1].Repeated, got.Columns[2].Repeated})
	require.EqualValues(t, 3, got.Columns[2].Missing)
	require.EqualValues(t, 1, got.Columns[2].Formulas)
	for _, c := range got.Columns {
		for _, e := range c.Examples {
			require.LessOrEqual(t, len(e), 70)
		}
	}

	records := profile.New(nil, 0)
	for _, r := range []string{
		`{"a":1,"b":{"c":"x","d":[1,2]}}`, `{"b":{"c":null},"e":"=1+1"}`, `not json`, `[1]`, `7`, `{"a":1} {"a":2}`, `{"a":`,
		strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), `{"a\u0000":"\u0001"}`,
	} {
		records.AddRecord([]byte(r), false)
	}
	records.AddRecord([]byte(`{"a":"cut of`), true)
	got = records.Profile()
	require.EqualValues(t, 10, got.Rows)
	require.EqualValues(t, 4, got.Malformed)
	require.EqualValues(t, 1, got.Cut)
	require.EqualValues(t, 1, got.Column("b.c").Distinct)
	require.Equal(t, []string{"[1,2]"}, got.Column("b.d").Examples)

	wide := profile.New(nil, 0)
	for i := range 3000 {
		wide.AddRecord(fmt.Appendf(nil, `{"c%d":1}`, i), false)
	}
	require.Len(t, wide.Profile().Columns, profile.MaxColumns)
	require.Greater(t, wide.Profile().HasColumns, profile.MaxColumns)
}

// The memory of a Profiler depends neither on the rows nor on the columns. The test must not run in parallel.
func TestMemoryIsBounded(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	names := make([]string, 4096)
	for i := range names {
		names[i] = fmt.Sprintf("column %d", i)
	}
	before := heap()
	p := profile.New(names, 10_000)
	values := make([][]byte, len(names))
	for i := range 60 {
		for c := range values {
			values[c] = fmt.Appendf(values[c][:0], "%d-%d", i, c)
		}
		p.AddRow(values, 10_000, true)
	}
	narrow := profile.New(names[:4], 4)
	for i := range 200_000 {
		values[0], values[1] = fmt.Appendf(values[0][:0], "%d", i), fmt.Appendf(values[1][:0], "x%d", i)
		narrow.AddRow(values[:4], 4, false)
	}
	require.Less(t, heap()-before, uint64(32<<20), "two profilers")
	require.EqualValues(t, 200_000, narrow.Profile().Rows)
	require.EqualValues(t, 60, p.Profile().Rows)
}

func TestNamesThatSomeRecordsLackAreMissingValues(t *testing.T) {
	t.Parallel()
	for _, records := range [][]string{
		{`{"id":1}`, `{"id":2,"note":"x"}`, `{"note":"y","id":3}`},
		{`{"note":"y","id":3}`, `{"id":2,"note":"x"}`, `{"id":1}`},
	} {
		p := profile.New(nil, 0)
		for _, r := range records {
			p.AddRecord([]byte(r), false)
		}
		got := p.Profile()
		require.Zero(t, got.Ragged, records)
		require.EqualValues(t, 1, got.Column("note").Missing, records)
		require.Zero(t, got.Column("id").Missing, records)
	}
}

func TestNamesWithDotsStayApart(t *testing.T) {
	t.Parallel()
	p := profile.New(nil, 0)
	p.AddRecord([]byte(`{"a.b":1,"a":{"b":"x","b.c":2},"a\\":{"b":3}}`), false)
	var names []string
	for _, c := range p.Profile().Columns {
		names = append(names, c.Name+"="+c.Examples[0])
	}
	require.Equal(t, []string{`a\.b=1`, "a.b=x", `a.b\.c=2`, `a\\.b=3`}, names)
}

func TestARecordThatHasANameTwiceIsTold(t *testing.T) {
	t.Parallel()
	p := profile.New(nil, 0)
	p.AddRecord([]byte(`{"a":1,"a":2,"b":3}`), false)
	p.AddRecord([]byte(`{"a":4,"b":5}`), false)
	got := p.Profile()
	require.Equal(t, []string{"1", "4"}, got.Column("a").Examples)
	require.EqualValues(t, 2, got.Column("a").Distinct)
	require.Equal(t, []string{"1 record has a name twice: the first value counts"}, got.Remarks())
}

func TestNumbersInGroupsAndDatesWithNames(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{
		"1\u202f234,5": 1234.5, "12\u00a0345": 12345, "1 234 567": 1234567, "1'234.56": 1234.56, "1\u2019234": 1234,
		"12,34,567": 1234567, "1,00,000.5": 100000.5, "-1 234": -1234, "1 234 €": 1234, "1. Jan 2026": 20260101,
		"31-Dec-25": 20251231, "15 août 2026": 20260815, "Dic 5, 2026": 20261205,
	} {
		v := profile.ReadValue([]byte(text), nil)
		require.NotEqual(t, profile.Text, v.Type, text)
		require.InDelta(t, want, v.Number, 0, text)
	}
	for _, text := range []string{
		"12 34", "1 2345", "0 123", "040 123 456", "1 234'567", "1,2,345", "123,45,678", "12,345,67", "31 Feb 2026", "Marble 12 2026",
		"1 Jan 202", "Jan 2026", "12 345 67", "1'23",
	} {
		require.Equal(t, profile.Text, profile.ReadValue([]byte(text), nil).Type, text)
	}
	got := profileColumn("20260131", "20251224", "n/a", "20260101")
	require.Equal(t, []any{profile.Date, "2025-12-24", "2026-01-31"}, []any{got.Type, got.Min, got.Max})
	require.Zero(t, got.Wrong)
	for _, values := range [][]string{{"20260131", "20251224"}, {"20260131", "20251224", "20261301"}, {"20260131", "20251224", "20260101", "5"}} {
		require.Equal(t, profile.Integer, profileColumn(values...).Type, values)
	}
}

func BenchmarkProfile(b *testing.B) {
	var file bytes.Buffer
	_, err := sample.Write(&file, &sample.Options{Kind: kinds.Shipments, Size: 8 << 20})
	require.NoError(b, err)
	var rows [][][]byte
	for line := range bytes.Lines(file.Bytes()) {
		rows = append(rows, bytes.Split(bytes.TrimSpace(line), []byte(",")))
	}
	b.SetBytes(int64(file.Len()))
	b.ReportAllocs()
	for b.Loop() {
		p := profile.New(make([]string, len(rows[0])), 0)
		for _, row := range rows[1:] {
			p.AddRow(row, len(row), false)
		}
	}
}
