package query

import (
	"fmt"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// readValue reads a value of a column, and counts it if the file does not decide how.
func (q *Query) readValue(b []byte, column string) profile.Value {
	v := profile.ReadValue(b, q.o.Profiles[column])
	q.noteAssumed(b, v)
	return v
}

// noteAssumed counts a value that can be read in two ways, or a date whose year has two digits.
func (q *Query) noteAssumed(b []byte, v profile.Value) {
	if v.Assumed {
		q.result.Assumed++
		if q.result.AssumedExample == "" {
			q.result.AssumedExample = fmt.Sprintf("%s is read as %s", text(b), show(v))
		}
	}
	if v.IsShortYear {
		q.seen.shortYears++
		if q.seen.shortYear == "" {
			q.seen.shortYear = fmt.Sprintf("%s is read as %s", text(b), show(v))
		}
	}
}

// show writes a number or a date as it was read.
func show(v profile.Value) string {
	if v.Type == profile.Date {
		return profile.FormatDate(v.Number)
	}
	s := profile.FormatNumber(v)
	if v.Unit != "" {
		s += " " + v.Unit
	}
	return s
}

// Add adds a row.
func (q *Query) Add(row Row) { q.add(row, false) }

// maxNamed is the number of total rows that a note names.
const maxNamed = 6

// AddTotal adds a row that looks like a total row. It does not count in measures. The result has a note with their
// values if it did, and the names of the rows, such as row 3 ("Total").
func (q *Query) AddTotal(row Row, name string) {
	before := q.result.Totals
	q.add(row, true)
	if q.result.Totals > before && len(q.seen.totals) < maxNamed {
		q.seen.totals = append(q.seen.totals, name)
	}
}

func (q *Query) add(row Row, isTotal bool) {
	q.result.Read++
	if !q.matchesAll(row, isTotal) || !q.isAsked(row) {
		return
	}
	if isTotal && len(q.o.Measures) > 0 {
		q.result.Totals++
		q.readMeasures(row)
		q.measureAll(q.totals, false)
		return
	}
	q.result.Matched++
	if isTotal {
		q.seen.listedTotals++
	}
	if len(q.o.Measures) == 0 {
		if len(q.result.Lines) < q.o.Limit {
			var line Line
			for _, c := range q.o.Columns {
				line = append(line, text(row(c)))
			}
			q.result.Lines = append(q.result.Lines, line)
		}
		return
	}
	q.readMeasures(row)
	unit, label := q.unitOf(row)
	g := q.groupOf(row, unit, label)
	if g == nil {
		q.result.LeftOut++
		return
	}
	q.measureAll(g, true)
}

// readMeasures reads the measured values of a row.
func (q *Query) readMeasures(row Row) {
	for i, m := range q.o.Measures {
		if m.Column != "" {
			q.read[i] = q.readValue(row(m.Column), m.Column)
		}
	}
}

// measureAll adds the measured values of a row to a group. isCounted reports that it counts what it ignores.
func (q *Query) measureAll(g *group, isCounted bool) {
	g.rows++
	for i, m := range q.o.Measures {
		if m.Column != "" {
			q.measure(g, i, m, isCounted)
		}
	}
}

// IsFull reports whether more rows cannot change the result but its counts.
func (q *Query) IsFull() bool { return len(q.o.Measures) == 0 && len(q.result.Lines) == q.o.Limit }

func isAddition(m Measure) bool { return m.Function == Sum || m.Function == Avg }

func isRange(m Measure) bool { return m.Function == Min || m.Function == Max }

func (q *Query) measure(g *group, i int, m Measure, isCounted bool) {
	v, t := q.read[i], &g.totals[i]
	switch {
	case v.Type == profile.Empty:
	case m.Function == Count:
		t.count++
	case v.IsNumber():
		t.add(v)
		if isCounted {
			q.numbers[i]++
		}
	case v.Type == profile.Date && isRange(m):
		t.addDate(v.Number)
		if isCounted {
			q.dates[i]++
		}
	case q.isFirst[i] && isCounted:
		if v.Type == profile.Date {
			q.seen.addedDates++
		} else {
			q.result.Ignored++
		}
	}
}
