package intaketools

import (
	"fmt"
	"slices"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
	"github.com/carrel-go/carrel/tools/objecttools"
)

// rowScan passes the rows of a file to a query.
type rowScan struct {
	t            *table
	q            *query.Query
	check        *rowCheck
	skipped, cut int64
}

func (s *rowScan) add(row *objecttools.Row) {
	if !s.t.load(row) {
		s.skipped++
		return
	}
	if row.Cut {
		s.cut++
	}
	switch {
	case !s.check.isData(row):
	case s.check.isTotal(row):
		s.q.AddTotal(s.t.value, nameTotal(row))
	default:
		s.q.Add(s.t.value)
	}
}

// nameTotal returns the place and the label of a row that looks like a total row.
func nameTotal(row *objecttools.Row) string {
	fields := row.Fields
	if row.Record != nil {
		fields = nil
		members, _ := profile.Flatten(row.Record) // a row that cannot be read is skipped before
		for _, m := range members {
			fields = append(fields, m.Value)
		}
	}
	if label := profile.TotalLabel(fields); label != "" {
		return fmt.Sprintf("row %d (%q)", row.Number, label)
	}
	return fmt.Sprintf("row %d", row.Number)
}

// notes returns sentences about the rows that were read.
func (s *rowScan) notes(report *files.Report) (list []string) {
	if s.skipped > 0 {
		list = append(list, profile.CountOf(s.skipped, "row cannot be read and is left out",
			"rows cannot be read and are left out"))
	}
	if s.cut > 0 {
		list = append(list, profile.CountOf(s.cut, "row is too long and was", "rows are too long and were")+" read in part")
	}
	return slices.Concat(list, s.t.twiceNotes(), s.check.notes(report))
}

// withoutHeader makes the first row of CSV data. It returns that row, and the report with the new names of the columns.
func withoutHeader(rows *objecttools.Rows, report *files.Report) (first [][]byte, renamed *files.Report) {
	if rows.Format != "csv" {
		return nil, report
	}
	names := make([]string, len(rows.Columns))
	for i, value := range rows.Columns {
		first = append(first, []byte(value))
		names[i] = fmt.Sprintf("column %d", i+1)
	}
	rows.Columns = names
	if report == nil {
		return first, nil
	}
	r := *report
	r.Meanings = nil
	r.Profile.Columns = slices.Clone(r.Profile.Columns)
	for i := range r.Profile.Columns[:min(len(names), len(r.Profile.Columns))] {
		r.Profile.Columns[i].Name, r.Profile.Columns[i].Repeated = names[i], 0
	}
	return first, &r
}
