package profile

import (
	"bytes"
	"fmt"
	"slices"
)

// maxFooter is the number of rows after the only empty row of a table that may not be data.
const maxFooter = 5

// apartRows finds rows at the edges of a table that may not be data by their place: the first and the last ones that do
// not have a number or a date, if most rows have one, such as a row of units, and a few after an empty row.
type apartRows struct {
	lead, tail placedRows // without a number or a date
	middle     int64      // such rows between others
	measured   int64
	footer     placedRows // after the last empty row
	before     int64      // rows of data before it
	gaps       int        // empty rows or lines before rows of data
	isAfterGap bool
}

// placedRows counts rows, and names the first one.
type placedRows struct {
	count int64
	row   int64
	label string
}

func (l *placedRows) add(row int64, label string) {
	if l.count++; l.count == 1 {
		l.row, l.label = row, label
	}
}

// noteGap notes that the next row follows an empty row or line.
func (a *apartRows) noteGap() { a.isAfterGap = a.measured > 0 }

// add adds a row of data.
func (a *apartRows) add(row int64, label string, cells []cell) {
	if a.isAfterGap {
		a.gaps, a.isAfterGap, a.footer = a.gaps+1, false, placedRows{}
		a.before = a.measured + a.lead.count + a.middle + a.tail.count
	}
	if a.gaps > 0 {
		a.footer.add(row, label)
	}
	list := &a.tail
	if a.measured == 0 {
		list = &a.lead
	}
	switch {
	case slices.ContainsFunc(cells, func(c cell) bool { return c.kind != isEmpty && c.kind != isText }):
		a.measured++
		a.middle += a.tail.count
		a.tail = placedRows{}
	case list.count == 0 && label == "":
		list.add(row, firstText(cells))
	default:
		list.add(row, label)
	}
}

// firstText returns the beginning of the first text of a row, or "".
func firstText(cells []cell) string {
	for i := range cells {
		if c := &cells[i]; c.kind == isText {
			return string(bytes.TrimSpace(c.text[:min(len(c.text), maxTotalLabel)]))
		}
	}
	return ""
}

// settleApart notes the rows that may not be data by their place.
func (p *Profiler) settleApart(out *Profile) {
	a := &p.totals.apart
	if edge := a.lead.count + a.tail.count; edge <= a.measured && 4*a.middle <= a.measured {
		first := a.lead
		if first.count == 0 {
			first = a.tail
		}
		out.Bare, out.BareRow, out.BareLabel = edge, first.row, first.label
	}
	if out.Bare == 1 && out.BareRow == out.LabeledRow { // has a note
		out.Bare, out.BareRow, out.BareLabel = 0, 0, ""
	}
	if n := a.footer.count; out.SecondTable == nil && a.gaps == 1 && n <= maxFooter && n < a.before {
		out.Footer, out.FooterRow, out.FooterLabel = n, a.footer.row, a.footer.label
		if out.BareRow >= out.FooterRow {
			out.Bare, out.BareRow, out.BareLabel = 0, 0, ""
		}
	}
}

// ApartRemarks returns sentences about the rows that may not be data by their place.
func (p *Profile) ApartRemarks() (list []string) {
	for _, r := range []struct {
		count      int64
		name       string
		one, other string
	}{
		{p.Bare, nameRow(p.BareRow, p.BareLabel), "does not have a number or a date", "do not have a number or a date"},
		{p.Footer, nameRow(p.FooterRow, p.FooterLabel), "is after an empty row", "are after an empty row"},
	} {
		switch {
		case r.count == 1:
			list = append(list, fmt.Sprintf("%s %s, so it may not be data, and counts like the others", r.name, r.one))
		case r.count > 1:
			list = append(list, fmt.Sprintf("%d rows, such as %s, %s, so they may not be data, and count like the others",
				r.count, r.name, r.other))
		}
	}
	return list
}
