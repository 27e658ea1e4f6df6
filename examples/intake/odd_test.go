package main

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// wideFile returns a file whose columns c0, c1, … have their number as their value.
func wideFile(columns int) string {
	names, values := make([]string, columns), make([]string, columns)
	for i := range names {
		names[i], values[i] = fmt.Sprintf("c%d", i), strconv.Itoa(i)
	}
	return strings.Join(names, ",") + "\n" + strings.Join(values, ",") + "\n"
}

// Files as they leave spreadsheets and ERP systems: each with a sentence of the report, and the answers to questions.
func TestOddFilesAreReadAsTheyAre(t *testing.T) {
	t.Parallel()
	s, _ := begin(t, t.TempDir())
	for name, c := range map[string]struct {
		name, content string
		report        []string
		answers       map[string][]string
	}{
		"latin-1": {
			"latin.csv", "supplier_id;city\nS1;Z\xfcrich\nS2;Z\xfcrich\nS3;Gen\xe8ve\n",
			[]string{"in Windows-1252", "which is an assumption"},
			map[string][]string{"number of rows by city in latin.csv": {"| Zürich | 2 |", "| Genève | 1 |"}},
		},
		"title": {
			"title.csv", "Stock list, March\n\nsku;menge;preis\nA1;1,5;1.001\nA2;2,5;1.002\n",
			[]string{"2 rows and 3 columns", "the table begins in line 3", "Stock list, March"},
			map[string][]string{
				"total menge in title.csv": {"total menge 4"}, "highest preis in title.csv": {"highest preis 1002"},
			},
		},
		"separator-line": {
			"sep.csv", "sep=;\r\nsku;qty\r\nA1;1\r\nA2;5%\r\nA3;(3)\r\nA4;\u22124\r\nA5;6-\r\n",
			[]string{"5 rows and 2 columns", "the table begins in line 2", "CSV with semicolons"},
			map[string][]string{"lowest qty in sep.csv": {"lowest qty -6"}, "total qty in sep.csv": {"total qty -7"}},
		},
		"optional-names": {
			"optional.jsonl", `{"sku":"A","qty":1}` + "\n" + `{"note":"x","sku":"B","qty":2}` + "\n" +
				`{"qty":3,"sku":"C","at.x":4,"at":{"x":5}}` + "\n",
			[]string{"3 rows and 5 columns", `"note" 2 (66.7 %)`},
			map[string][]string{
				"how many missing note in optional.jsonl": {"rows 2"}, `total "at.x" in optional.jsonl`: {"total at.x 5"},
				`total "at\.x" in optional.jsonl`: {`total at\.x 4`},
			},
		},
		"groups-of-digits": {
			"groups.csv", "id;fr;ch;in\nA;1\u202f234,50;1'234.50;12,34,567.5\nB;2 000,00;2\u2019000.25;1,00,000\nC;-3\u00a0000,25 €;(1'000);99,999\n",
			[]string{"3 rows and 4 columns"},
			map[string][]string{
				"total fr in groups.csv": {"total fr 234.25"}, "total ch in groups.csv": {"total ch 2234.75"},
				"highest \"in\" in groups.csv": {"highest in 1234567.5"},
			},
		},
		"dates": {
			"dates.csv", "id,compact,named,kurz\nA,20260131,1 Jan 2026,1. M\u00e4rz 2026\nB,20251224,02-Feb-26,24. Dez. 2025\nC,20260228,\"Mar 3, 2026\",7. Mai 2026\n",
			[]string{"3 rows and 4 columns"},
			map[string][]string{
				"highest compact in dates.csv":                             {"highest compact 2026-02-28"},
				"lowest named in dates.csv":                                {"lowest named 2026-01-01"},
				"highest kurz in dates.csv":                                {"highest kurz 2026-05-07"},
				"how many rows in dates.csv where compact > 2026-01-01":    {"rows 2"},
				"how many rows in dates.csv where compact is 24.12.2025":   {"rows 1"},
				"how many rows in dates.csv where named is below 1/2/2026": {"rows 1"},
			},
		},
		"nothing": {
			"nothing.json", "[]", []string{"0 rows and 0 columns"},
			map[string][]string{"how many rows in nothing.json": {`"nothing.json" does not have any columns`}},
		},
		"numbers": {
			"numbers.csv", "id,n,huge\nA,9007199254740993,123456789012345678901234\nB,0.3,1\n",
			[]string{"2 rows and 3 columns"},
			map[string][]string{
				"total n in numbers.csv":    {"total n 9007199254740993.3"},
				"total huge in numbers.csv": {"total huge 123456789012345678901235"},
			},
		},
		"wide": {
			"wide.csv", wideFile(300), []string{"300 columns", "only the first 250 of 300 columns"},
			map[string][]string{"total c299 in wide.csv": {"total c299 299"}, "total d in wide.csv": {`the column "d" does not exist`}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := s.as("acme", name)
			_, report := s.takeIn(c.name, []byte(c.content))
			for _, text := range c.report {
				require.Contains(t, report, text)
			}
			for question, answer := range c.answers {
				_, events := s.chat(map[string]any{"message": question}, nil)
				for _, text := range answer {
					require.Contains(t, textOf(events), text)
				}
			}
		})
	}
}
