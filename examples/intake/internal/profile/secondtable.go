package profile

import (
	"bytes"
	"fmt"
	"strings"
)

const (
	// maxName is the length in bytes of the longest name of a column of a second table.
	maxName = 60
	// minOther is the number of rows of another width at the end of a file that count as another table.
	minOther = 3
	// shownNames is the number of names in a remark.
	shownNames = 4
)

// SecondTable is where a second table seems to begin in a file that is read as one.
type SecondTable struct {
	Row int64 `json:"row"` // from 1, without the names of the columns
	// Names are the first names of its columns. Without names, all rows from there on have Width values.
	Names []string `json:"names,omitempty"`
	Width int      `json:"width,omitempty"`
	// IsSame reports that its names are those of the columns of the file.
	IsSame bool `json:"is_same,omitempty"`
}

// tableFinder looks for a second table: names of columns after a blank line, or in a row of another width, that a row
// with a number or a date follows; the names of the columns once more; or rows of another width up to the end. After a
// blank line, at least two of the names must be usual, or the names must have another number of columns, or stand where
// at least two columns, or one of two, have numbers or dates, or the row after them must have its numbers elsewhere: a
// row of texts alone is not a second table.
type tableFinder struct {
	found, candidate *SecondTable // a candidate needs the next row
	same             *SecondTable // the names of the columns once more
	extent           int          // of the candidate
	known            int          // usual names of columns in the candidate
	isAfterBlank     bool
	width            int   // of the rows since that row, or 0
	since            int64 // the first row of another width
	isMixed          bool  // the widths alternate
}

// AddBlank notes that the next row follows a blank line.
func (p *Profiler) AddBlank() {
	p.tables.isAfterBlank = true
	p.totals.apart.noteGap()
}

// lookForTable looks at a row with that number of fields.
func (p *Profiler) lookForTable(fields [][]byte, count int) {
	f, row := &p.tables, p.seen
	isOther := count != p.has && f.width == 0 && !f.isMixed
	f.addWidth(row, count, p.has)
	extent := extentOf(fields)
	isAfterBlank := f.isAfterBlank
	f.isAfterBlank = extent == 0
	if f.found != nil || extent == 0 {
		return
	}
	if f.candidate != nil && p.isTable(fields[:extent]) {
		f.found = f.candidate
	}
	f.candidate = nil
	switch {
	case f.found != nil:
	case isSameNames(fields, p.columns):
		if f.same == nil {
			f.same = &SecondTable{Row: row, IsSame: true}
		}
	case (isAfterBlank || isOther) && row > 1 && areNames(fields[:extent]):
		f.candidate, f.extent = &SecondTable{Row: row}, extent
		f.known = 0
		for i, name := range fields[:extent] {
			text := string(bytes.TrimSpace(name))
			if i < shownNames {
				f.candidate.Names = append(f.candidate.Names, text)
			}
			if p.IsName != nil && p.IsName(text) {
				f.known++
			}
		}
	}
}

// isTable reports whether a row shows that the one before it has the names of the columns of another table.
func (p *Profiler) isTable(fields [][]byte) bool {
	f := &p.tables
	switch {
	case len(fields) > f.extent:
		return false
	case f.known > 1:
		return true
	}
	return hasMeasure(fields) && (f.extent != p.has || hasOtherLayout(fields, p.columns))
}

// addWidth notes the number of fields of a row.
func (f *tableFinder) addWidth(row int64, count, has int) {
	switch {
	case count == has:
		f.isMixed = f.isMixed || f.width != 0
	case f.width == 0:
		f.width, f.since = count, row
	default:
		f.isMixed = f.isMixed || count != f.width
	}
}

// result returns the second table of a file with that number of rows, or nil.
func (f *tableFinder) result(rows int64) *SecondTable {
	switch {
	case f.found != nil:
		return f.found
	case f.width > 1 && !f.isMixed && f.since > 1 && rows-f.since+1 >= minOther:
		return &SecondTable{Row: f.since, Width: f.width}
	}
	return f.same
}

// extentOf returns the number of fields up to the last one that is not blank.
func extentOf(fields [][]byte) int {
	n := len(fields)
	for n > 0 && len(bytes.TrimSpace(fields[n-1])) == 0 {
		n--
	}
	return n
}

// hasMeasure reports whether a field is a number or a date.
func hasMeasure(fields [][]byte) bool {
	for _, f := range fields {
		if kind := classify(f).kind; kind == isInteger || kind == isDecimal || kind == isDate {
			return true
		}
	}
	return false
}

// areNames reports whether fields may be the names of columns: two or more different texts, none of them blank.
func areNames(fields [][]byte) bool {
	seen := map[string]bool{}
	for _, f := range fields {
		name := strings.ToLower(string(bytes.TrimSpace(f[:min(len(f), maxName+1)])))
		if len(f) > maxName || seen[name] || classify(f).kind != isText {
			return false
		}
		seen[name] = true
	}
	return len(fields) > 1
}

// hasOtherLayout reports whether a row has a number or a date where the column has texts, or the reverse, or whether
// two columns have numbers or dates, or one of two.
func hasOtherLayout(fields [][]byte, columns []*column) bool {
	measures := 0
	for i, f := range fields[:min(len(fields), len(columns))] {
		counts := columns[i].counts
		numbers := counts[isInteger] + counts[isDecimal] + counts[isDate]
		isMeasure := numbers > counts[isText]
		if isMeasure {
			measures++
		}
		isOther := isMeasure != hasMeasure([][]byte{f})
		if isOther && counts[isText] != numbers && len(bytes.TrimSpace(f)) > 0 {
			return true
		}
	}
	return measures > 1 || measures > 0 && len(columns) == 2
}

// isSameNames reports whether fields are the names of two or more columns.
func isSameNames(fields [][]byte, columns []*column) bool {
	if len(fields) < 2 || len(fields) != len(columns) {
		return false
	}
	for i, f := range fields {
		if string(bytes.TrimSpace(f)) != columns[i].name {
			return false
		}
	}
	return true
}

// TableRemark returns a sentence about a second table, or "".
func (p *Profile) TableRemark() string {
	t := p.SecondTable
	const counts = "and its rows count like the others. Split the file if they are two tables"
	switch {
	case t == nil:
		return ""
	case t.IsSame:
		return fmt.Sprintf("row %d repeats the names of the columns, and does not count", t.Row)
	case len(t.Names) == 0:
		return fmt.Sprintf("from row %d on, all rows have %d values instead of %d: a second table seems to begin there, %s",
			t.Row, t.Width, p.HasColumns, counts)
	}
	names := make([]string, len(t.Names))
	for i, name := range t.Names {
		names[i] = fmt.Sprintf("%.40q", name)
	}
	return fmt.Sprintf("a second table seems to begin in row %d, with the columns %s, %s", t.Row,
		strings.Join(names, ", "), counts)
}
