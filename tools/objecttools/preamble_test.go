package objecttools

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheTableBeginsAfterItsTitle(t *testing.T) {
	t.Parallel()
	const table = "id;name;qty\n1;Ölfilter;5\n2;Bolt;7\n3;Nut;9\n"
	for name, c := range map[string]struct {
		content string
		columns []string
		note    string // of the beginning of the table, or empty
		first   string // the first field of the first row
	}{
		"no title":            {table, []string{"id", "name", "qty"}, "", "1"},
		"a title":             {"Stock list, March 2026\n" + table, []string{"id", "name", "qty"}, `line 2; the lines before it, such as "Stock list, March 2026"`, "1"},
		"title and blanks":    {"Stock list\r\n\r\n\r\n" + strings.ReplaceAll(table, "\n", "\r\n"), []string{"id", "name", "qty"}, "in line 4;", "1"},
		"separators behind":   {"Stock list;;\n;;\nCreated:;2026-01-01\n" + table, []string{"id", "name", "qty"}, "in line 4;", "1"},
		"a wide one":          {"Plant;1000;;;\nDate;2026-01-31;;;\na;b;c;d;e\n1;2;3;4;5\n2;3;4;5;6\n", []string{"a", "b", "c", "d", "e"}, "in line 3;", "1"},
		"sep":                 {"sep=;\n" + table, []string{"id", "name", "qty"}, "in line 2, after the line that names a separator", "1"},
		"sep in quotes":       {"\"SEP=;\"\r\n" + table, []string{"id", "name", "qty"}, "in line 2", "1"},
		"sep of another sign": {"sep=^\nid^name\n1^x;y\n", []string{"id", "name"}, "in line 2", "1"},
		"sep and title":       {"sep=;\nStock list\n" + table, []string{"id", "name", "qty"}, "in line 3;", "1"},
		"sep alone":           {"sep=;\n", []string{"sep=", ""}, "", ""},
		"CR alone":            {"Stock list\r" + strings.ReplaceAll(table, "\n", "\r"), []string{"id", "name", "qty"}, "in line 2;", "1"},
		"UTF-16":              {encode16("Stock list Ö\n"+table, false), []string{"id", "name", "qty"}, "in line 2;", "1"},
		"Latin-1":             {latin1("Größe\n" + table), []string{"id", "name", "qty"}, `line 2; the lines before it, such as "Größe"`, "1"},

		"commas in a title": {"Stock list, March\n\nsku;menge;preis\nA1;1,5;1.001\nA2;2,5;1.002\n", []string{"sku", "menge", "preis"}, "in line 3;", "A1"},

		// The evidence is not clear.
		"ragged decimals":     {"preis;menge\n1,5;2,7\n1,5;2,7;\n3,5;4,5\n", []string{"preis", "menge"}, "", "1,5"},
		"data without names":  {"A1;;\nA2;x;5\nA3;y;7\n", []string{"A1", "", ""}, "", "A2"},
		"one name":            {"name\nAnn,Rome\nBob,Paris\n", []string{"name"}, "", "Ann"},
		"one column":          {"note\nfirst\nsecond\n", []string{"note"}, "", "first"},
		"a ragged first row":  {"name,city,country\nAnn\nBob,Rome,Italy\nC1,Paris,France\n", []string{"name", "city", "country"}, "", "Ann"},
		"no row after names":  {"Stock list\nid;name;qty\n", []string{"Stock list"}, "", "id"},
		"rows do not fit":     {"Stock list\nid;name\n1;2;3\n4;5\n", []string{"Stock list"}, "", "id"},
		"names behind a pair": {"id;name\nx;y;z\n1;2;3\n4;5;6\n", []string{"id", "name"}, "", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, r := readFields(t, "a.csv", c.content)
			require.Equal(t, c.columns, r.Columns)
			notes := strings.Join(r.Notes, "|")
			require.Equal(t, c.note != "", strings.Contains(notes, "the table begins in"), notes)
			require.Contains(t, notes, c.note)
			if c.first != "" {
				require.Equal(t, c.first, rows[0][1])
			}

			conv := newConversation(t, nil)
			f := conv.storeFile("a.csv", c.content)
			sample := callAs[sampleResult](conv, "sample", encodeArgs(t, "file", f, "from", "head"))
			require.Equal(t, c.columns, sample.Columns)
			d := callAs[description](conv, "describe_file", encodeArgs(t, "file", f))
			require.Equal(t, c.columns, d.Columns)
			require.EqualValues(t, len(rows), *d.Rows)
		})
	}
}
