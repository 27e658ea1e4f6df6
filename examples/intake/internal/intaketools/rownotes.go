package intaketools

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/tools/objecttools"
)

// rowCheck finds the rows of a file that are not data, and counts those that may be shifted.
type rowCheck struct {
	rows   *objecttools.Rows
	totals map[int64]bool // numbers of rows
	// headers are rows that repeat the names of the columns, and ragged ones have more or fewer values than columns.
	headers, ragged int64
	firstRagged     int64
}

func newRowCheck(rows *objecttools.Rows, report *files.Report) *rowCheck {
	c := &rowCheck{rows: rows, totals: map[int64]bool{}}
	if report != nil {
		for _, n := range report.Profile.TotalRows {
			c.totals[n] = true
		}
	}
	return c
}

// isTotal reports whether a row looks like a total row, by the report.
func (c *rowCheck) isTotal(row *objecttools.Row) bool { return c.totals[row.Number] }

// isData reports whether a row is data: it is not blank, and not the names of the columns.
func (c *rowCheck) isData(row *objecttools.Row) bool {
	if c.rows.Format != "csv" || row.Cut {
		return true
	}
	has := c.rows.HasColumns
	if profile.IsBlankRow(row.Fields, has) {
		return false
	}
	if row.Count == has && profile.IsHeaderRow(row.Fields, c.rows.Columns) {
		c.headers++
		return false
	}
	if row.Count != has && !c.isTotal(row) && !isPadded(row, has) {
		if c.ragged == 0 {
			c.firstRagged = row.Number
		}
		c.ragged++
	}
	return true
}

// isPadded reports whether the values after the columns are empty.
func isPadded(row *objecttools.Row, columns int) bool {
	if row.Count < columns || row.Count > len(row.Fields) {
		return false
	}
	for _, f := range row.Fields[columns:] {
		if len(bytes.TrimSpace(f)) > 0 {
			return false
		}
	}
	return true
}

// notes returns sentences about the rows.
func (c *rowCheck) notes(report *files.Report) (list []string) {
	isTold := report != nil && report.Profile.SecondTable != nil && report.Profile.SecondTable.IsSame && c.headers == 1
	if c.headers > 0 && !isTold {
		list = append(list, profile.CountOf(c.headers, "row repeats the names of the columns and is left out",
			"rows repeat the names of the columns and are left out"))
	}
	if c.ragged > 0 {
		list = append(list, fmt.Sprintf("%s more or fewer values than the %d columns, such as row %d: the values may be in "+
			"the wrong columns", profile.CountOf(c.ragged, "row has", "rows have"), c.rows.HasColumns, c.firstRagged))
	}
	if report != nil && report.Profile.Totals > int64(len(report.Profile.TotalRows)) {
		list = append(list, fmt.Sprintf("only the first %d of %d rows that look like total rows are left out",
			len(report.Profile.TotalRows), report.Profile.Totals))
	}
	list = append(list, headerRemarks(c.rows.Columns)...)
	if c.rows.Format == "json" {
		list = append(list, c.rows.Notes...)
	}
	return list
}

// columnNotes returns sentences about the columns that a query names.
func columnNotes(in queryIn, rows *objecttools.Rows, report *files.Report) (list []string) {
	var seen []string
	for _, name := range in.names() {
		if slices.Contains(seen, name) {
			continue
		}
		seen = append(seen, name)
		same := 0
		for _, c := range rows.Columns {
			if c == name {
				same++
			}
		}
		if same > 1 {
			list = append(list, fmt.Sprintf("%d columns have the name %.60q: only the first one is read", same, name))
		}
		if report == nil {
			continue
		}
		list = append(list, similarNotes(name, &report.Profile)...)
		if c := report.Profile.Column(name); c != nil {
			one := []profile.Column{*c}
			list = slices.Concat(list, serialRemarks(one), epochRemarks(one))
			isRead := func(r readIn) bool { return r.Column == name && r.As == readDates }
			if !slices.ContainsFunc(in.ReadAs, isRead) {
				list = slices.Concat(list, compactRemarks(one), c.ReadingRemarks())
			}
		}
	}
	return list
}

// plainKey returns the name of a column without the backslashes of [profile.Flatten], as names are compared.
func plainKey(name string) string {
	return string(profile.Key([]byte(strings.ReplaceAll(name, `\`, "")), nil))
}

// similarNotes returns sentences about columns whose names differ from a name in their case only, or in whether a dot
// is a part of the name of a member of JSON.
func similarNotes(name string, p *profile.Profile) (list []string) {
	for i := range p.Columns {
		c := &p.Columns[i]
		if c.Name != name && plainKey(c.Name) == plainKey(name) {
			list = append(list, fmt.Sprintf("there is another column %.60q, with %s, which is not read as %.60q", c.Name,
				profile.CountOf(p.Rows-p.Malformed-c.Missing, "value", "values"), name))
		}
	}
	return list
}

// missingNotes returns sentences about the texts that count as missing in the columns that a query compares or groups.
func missingNotes(in queryIn, report *files.Report) (list []string) {
	if report == nil {
		return nil
	}
	for _, w := range in.Where {
		c := report.Profile.Column(w.Column)
		if c == nil || len(c.MissingTexts) == 0 || w.Operator != "missing" && w.Operator != "present" {
			continue
		}
		list = append(list, fmt.Sprintf("in %.60q, these texts count as missing: %s", w.Column, c.DescribeMissing()))
	}
	return list
}
