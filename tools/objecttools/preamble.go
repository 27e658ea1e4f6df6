package objecttools

import (
	"bytes"
	"regexp"
	"strings"
)

const (
	// maxPreamble is the number of rows before the first row of a table that are recognised as not part of it.
	maxPreamble = 10
	// evidenceRows is the number of rows after the first row of a table that must have as many fields as it.
	evidenceRows = 3
)

// separatorLine matches a first line that names the separator, as spreadsheets write and read it.
var separatorLine = regexp.MustCompile(`(?i)^"?sep=([!#$%&'*+,./:;<=>?@\\^_|~\t -])"?(?:\r\n|\r|\n)`)

// namedSeparator returns the separator that the first line names, or 0.
func namedSeparator(head []byte) byte {
	if m := separatorLine.FindSubmatch(head); m != nil {
		return m[1][0]
	}
	return 0
}

// preamble is the rows before a table, such as its title.
type preamble struct {
	rows int
	line int64  // the line in which the table begins, from 1
	text string // the first field of the first row that is not only a separator
	// isTable reports that the row after them has the names of a table for which there is evidence.
	isTable bool
}

// findPreamble finds the rows before the table at the beginning of CSV. It is not empty only if the evidence is clear:
// the first line names the separator, or the first rows are mostly empty, and after them a row of names is followed by
// rows of data with as many fields.
func (f *format) findPreamble(head []byte, isWhole bool) (p preamble) {
	rows := f.outlineRows(head, isWhole)
	if namedSeparator(head) != 0 {
		p.rows = 1
	}
	for n := p.rows; n < min(len(rows), maxPreamble); n++ {
		if startsTable(rows[n:]) && !isTablePart(rows[p.rows:n], rows[n]) {
			p.rows, p.isTable = n, true
			break
		}
	}
	if p.rows >= len(rows) {
		return preamble{}
	}
	p.line = 1 + int64(bytes.Count(head[:rows[p.rows].at], []byte{f.eol}))
	for _, r := range rows[:p.rows] {
		if p.text == "" && !strings.HasPrefix(strings.ToLower(r.first), "sep=") {
			p.text = r.first
		}
	}
	return p
}

// outlineRows returns the shape of the first rows.
func (f *format) outlineRows(head []byte, isWhole bool) (rows []rowOutline) {
	t := &textReader{final: isWhole, buf: head, ended: true}
	c := &csvReader{t: t, comma: f.comma, eol: f.eol, keep: len(head)}
	at := 0
	for len(rows) < maxPreamble+evidenceRows && c.next() == nil && c.rec.problem == "" {
		row := newRowOutline(&c.rec)
		row.at = at + len(head[at:]) - len(bytes.TrimLeft(head[at:], "\r\n"))
		rows, at = append(rows, row), len(head)-len(t.buf)
	}
	return rows
}

// rowOutline is the shape of a row.
type rowOutline struct {
	at       int // its first byte in the head
	fields   int
	filled   int    // fields that are not blank
	last     int    // the number of fields up to the last one that is not blank
	first    string // the first field that is not blank
	hasData  bool   // a field begins like a number or a date
	hasDigit bool
}

func newRowOutline(rec *csvRecord) rowOutline {
	r := rowOutline{fields: rec.fields}
	for i := range rec.ends {
		text := bytes.TrimSpace(rec.field(i))
		if len(text) == 0 {
			continue
		}
		r.filled++
		r.last = i + 1
		if r.first == "" {
			r.first, _ = rec.enc.toText(text)
		}
		start := bytes.TrimLeft(text, "+-($€£¥. ")
		r.hasData = r.hasData || len(start) > 0 && isDigit(start[0])
		r.hasDigit = r.hasDigit || bytes.ContainsAny(text, "0123456789")
	}
	return r
}

// startsTable reports whether the first row has names and the next ones are its data: they have as many fields, and
// only they have numbers.
func startsTable(rows []rowOutline) bool {
	names, data := rows[0], rows[1:min(len(rows), 1+evidenceRows)]
	if names.filled < 2 || names.filled != names.last || names.hasData || len(data) == 0 {
		return false
	}
	hasDigit := false
	for _, r := range data {
		if r.fields != names.fields {
			return false
		}
		hasDigit = hasDigit || r.hasDigit
	}
	return hasDigit
}

// isTablePart reports whether one of the rows before a row of names could be a row of its table.
func isTablePart(before []rowOutline, names rowOutline) bool {
	for _, r := range before {
		isLabel := r.filled == 2 && strings.HasSuffix(r.first, ":") // such as Created: 2026-01-31
		if r.filled > 1 && 2*r.filled > names.filled && !isLabel || r.filled >= names.filled {
			return true
		}
	}
	return false
}
