package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

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
			map[string][]string{"number of rows by city in latin.csv": {"city Zürich, rows 2", "city Genève, rows 1"}},
		},
		"title": {
			"title.csv", "Stock list, March\n\nsku;menge;preis\nA1;1,5;1.001\nA2;2,5;1.002\n",
			[]string{"2 rows and 3 columns", "the table begins in line 3", "Stock list, March"},
			map[string][]string{
				"total menge in title.csv": {"sum(menge) 4"}, "highest preis in title.csv": {"max(preis) 1002"},
			},
		},
		"separator-line": {
			"sep.csv", "sep=;\r\nsku;qty\r\nA1;1\r\nA2;5%\r\nA3;(3)\r\nA4;\u22124\r\nA5;6-\r\n",
			[]string{"5 rows and 2 columns", "the table begins in line 2", "CSV with semicolons"},
			map[string][]string{"lowest qty in sep.csv": {"min(qty) -6"}, "total qty in sep.csv": {"sum(qty) -7"}},
		},
		"optional-names": {
			"optional.jsonl", `{"sku":"A","qty":1}` + "\n" + `{"note":"x","sku":"B","qty":2}` + "\n" +
				`{"qty":3,"sku":"C","at.x":4,"at":{"x":5}}` + "\n",
			[]string{"3 rows and 5 columns", `"note" 2 (66.7 %)`},
			map[string][]string{
				"how many missing note in optional.jsonl": {"rows 2"}, `total "at.x" in optional.jsonl`: {"sum(at.x) 5"},
				`total "at\.x" in optional.jsonl`: {`sum(at\.x) 4`},
			},
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
