package profile

import "bytes"

const (
	// maxRunColumns is the number of first columns whose values tell the runs apart.
	maxRunColumns = 8
	// minAddends is the number of numbers besides zeros that a sum has.
	minAddends = 2
	// minRuns is the number of runs that must have a sum: it is at least that, and three of four.
	minRuns = 2
)

// sumRuns finds the sums of parts of a table by their numbers alone, whatever else the row has: W1,,15 and W1,ALL,15
// after W1,A,5 and W1,B,10, or before them. A run is the rows in a row that have the same value in a column. An empty
// cell has the value of the row before. The rows of total rows that are left out are not in a run.
type sumRuns struct {
	key  []byte
	row  int64 // the first one of the run
	name string
	sums []runSum // of the current run, by column
	all  []runCount
}

// runSum is the sum of a column in a run.
type runSum struct {
	first, all [2]float64
	isFirst    bool // the first row of the run has a number other than zero
	addends    int64
	isFound    bool
}

// runCount counts the runs that have enough numbers in a column, and those with a sum.
type runCount struct {
	runs, found int64
	row         int64 // the first one that is a sum
	label       string
}

// addRuns adds a row of data to the run of each column.
func (t *totalFinder) addRuns(row int64, label string, cells []cell) {
	for len(t.runs) < min(len(cells), maxRunColumns) {
		t.runs = append(t.runs, &sumRuns{})
	}
	for i, r := range t.runs {
		if c := &cells[i]; c.kind != isEmpty && (r.row == 0 || !bytes.Equal(c.key, r.key)) {
			r.key, r.row, r.name = append(r.key[:0], c.key...), row, label
			clear(r.sums)
		}
		if r.row > 0 {
			r.add(i, row, label, cells)
		}
	}
}

func (r *sumRuns) add(column int, row int64, label string, cells []cell) {
	n := min(len(cells), maxSummed)
	for len(r.sums) < n {
		r.sums, r.all = append(r.sums, runSum{}), append(r.all, runCount{})
	}
	for i := range cells[:n] {
		c, s := &cells[i], &r.sums[i]
		if i == column || !c.isNumber() || c.number == [2]float64{} {
			continue
		}
		isLast := s.addends >= minAddends && isNearAny(c.number, s.all)
		if s.addends == 0 {
			s.first, s.isFirst = c.number, row == r.row
		}
		s.all[0], s.all[1], s.addends = s.all[0]+c.number[0], s.all[1]+c.number[1], s.addends+1
		isFirst := s.isFirst && s.addends > minAddends && isNearAny([2]float64{2 * s.first[0], 2 * s.first[1]}, s.all)
		if s.addends == minAddends+1 {
			r.all[i].runs++
		}
		if s.isFound || !isLast && !isFirst {
			continue
		}
		s.isFound = true
		if r.all[i].found++; r.all[i].found == 1 {
			r.all[i].row, r.all[i].label = row, label
			if isFirst {
				r.all[i].row, r.all[i].label = r.row, r.name
			}
		}
	}
}

func isNearAny(a, b [2]float64) bool { return isNear(a[0], b[0]) || isNear(a[1], b[1]) }

// settleRuns notes the rows that have the sums of the runs of a column.
func (p *Profiler) settleRuns(out *Profile) {
	for _, r := range p.totals.runs {
		for i := range r.all {
			if n := &r.all[i]; n.found > out.SumRows && n.found >= minRuns && 4*n.found >= 3*n.runs && p.isSummed(i) {
				out.SumRows, out.SumRow, out.SumLabel = n.found, n.row, n.label
			}
		}
	}
}

// isSummed reports whether the numbers of a column may be added: they are not codes, they do not count the rows, and
// they do not have several units.
func (p *Profiler) isSummed(column int) bool {
	c := p.columns[column]
	return !c.sums.isCounter && len(c.sums.units) < 2 && p.senseOf(c) != Codes
}

// The others of a row at an edge of the table that has their sum: manyOthers, or fewer if the sums have edgeDigits.
const (
	manyOthers = 3
	edgeDigits = 2.4
)

// settleEdge notes the first or the last row of data if one of its numbers is the sum of all others.
func (p *Profiler) settleEdge(out *Profile) {
	t := &p.totals
	switch {
	case out.SumRows > 0:
	case t.lastData == p.seen && p.isSumOfOthers(t.cells):
		out.noteSum(p.seen, "")
	case len(t.pending) == 0 && p.isSumOfOthers(t.firstData):
		out.noteSum(t.firstRow, t.firstLabel)
	}
}

// isSumOfOthers reports whether a number of a row of data is the sum of all others in its column.
func (p *Profiler) isSumOfOthers(cells []cell) bool {
	digits := 0.0
	for i := range cells {
		c, sums := &cells[i], &p.columns[i].sums
		others := sums.nonzero - 1
		if !c.isNumber() || c.number == [2]float64{} || others < minAddends || !p.isSummed(i) ||
			!isNearAny([2]float64{2 * c.number[0], 2 * c.number[1]}, sums.all) {
			continue
		}
		if digits += digitsOf(c.number[0]); others >= manyOthers || digits >= edgeDigits {
			return true
		}
	}
	return false
}
