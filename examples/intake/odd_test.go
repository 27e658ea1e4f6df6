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
		"Latin-1": {
			"latin.csv", "supplier_id;city\nS1;Z\xfcrich\nS2;Z\xfcrich\nS3;Gen\xe8ve\n",
			[]string{"in Windows-1252", "which is an assumption"},
			map[string][]string{"number of rows by city in latin.csv": {"city Zürich, rows 2", "city Genève, rows 1"}},
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
