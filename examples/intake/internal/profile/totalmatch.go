package profile

import (
	"bytes"
	"maps"
	"math"
	"slices"
	"strings"
)

// reference is a set of rows before a row, whose sums it may have.
type reference int

const (
	allRows reference = iota
	sinceTotal
	withFirst // all, and the first row, whose place may show that it is a total row
	ofUnit    // the rows whose number has the same unit
	ofGroup   // the rows that have a text in common with the row
	closing   // the last total row and the rows that are deferred after it and change it
	// withPending is all rows and those that are deferred.
	withPending
)

// match is how well the numbers of a row match the sums of others.
type match struct {
	of      reference
	matched int
	isEqual bool    // all numbers that can show it
	rows    int64   // the rows whose sums they are
	addends int64   // the most numbers of a column besides zeros
	digits  float64 // of the number that shows the most
}

// bestReference returns the match of the rows whose sums the current row has.
func (p *Profiler) bestReference(s *rowShape) (best match) {
	t := &p.totals
	if t.all == 0 || s.shown == 0 {
		return best
	}
	if s.figure != "" {
		return p.matchFigure(s)
	}
	take := func(of reference, g *groupSum, rows int64) {
		if best.isEqual && best.matched > 0 || rows == 0 {
			return
		}
		m := p.matchSums(s, of, g)
		if m.rows = rows; of == allRows && m.addends < minAddends {
			m.rows = min(rows, 1)
		}
		if m.matched > 0 && (m.isEqual || m.matched > best.matched) {
			best = m
		}
	}
	take(allRows, nil, t.all)
	take(sinceTotal, nil, t.since)
	if t.first != nil && s.kind != noLabel {
		take(withFirst, nil, t.all+1)
	}
	if p.follows() {
		take(closing, nil, t.all)
	}
	if s.strangers > 0 {
		return best
	}
	for i := range t.cells {
		c := &t.cells[i]
		switch {
		case c.isNumber() && c.unit != "":
			_, rows := p.columns[i].sums.ofUnit(c.unit)
			take(ofUnit, nil, rows)
		case c.group != nil && i != s.labelAt:
			take(ofGroup, c.group, c.group.rows)
		}
	}
	for _, g := range t.namedGroups(s) {
		take(ofGroup, g, g.rows)
	}
	return best
}

// matchSums compares the numbers of the current row with sums. Those of a row with a known label may be rounded.
func (p *Profiler) matchSums(s *rowShape, of reference, g *groupSum) (m match) {
	m.of, m.isEqual = of, true
	for i := range p.totals.cells {
		c := &p.totals.cells[i]
		if !c.isNumber() || i == s.labelAt || c.number == [2]float64{} && p.columns[i].sums.all == [2]float64{} {
			continue
		}
		isSum := false
		for r, n := range c.number {
			sum, ok := p.sumOf(of, g, i, r)
			if ok && (n != 0 || of == closing) && p.columns[i].sums.isRounded(n, sum, r, s.kind != noLabel) {
				isSum = true
				m.digits = max(m.digits, digitsOf(n))
				m.addends = max(m.addends, p.columns[i].sums.nonzero)
				break
			}
		}
		if isSum {
			m.matched++
		} else {
			m.isEqual = false
			if s.kind == noLabel {
				return match{}
			}
		}
	}
	return m
}

// sumOf returns the sum of a column in one of its readings.
func (p *Profiler) sumOf(of reference, g *groupSum, column, reading int) (sum float64, ok bool) {
	t := &p.totals
	s := &p.columns[column].sums
	switch of {
	case allRows:
		return s.all[reading], true
	case sinceTotal:
		return s.since[reading], true
	case withFirst:
		return s.all[reading] + t.first.numbers[column][reading], true
	case ofUnit:
		sum, _ := s.ofUnit(t.cells[column].unit)
		return sum[reading], true
	case closing, withPending:
		sum, ok = s.all[reading], true
		if of == closing {
			total, isKnown := t.total[column]
			sum, ok = total[reading], isKnown
		}
		for i := range t.pending {
			if of == withPending || t.pending[i].isAdjustment {
				sum += t.pending[i].cells[column].number[reading]
			}
		}
		return sum, ok
	}
	if column >= len(g.sums) {
		return 0, false
	}
	return g.sums[column][reading], true
}

// matchFigure compares the numbers of the current row with another figure than the sum.
func (p *Profiler) matchFigure(s *rowShape) (m match) {
	m.isEqual, m.rows = true, p.totals.all
	for i := range p.totals.cells {
		switch {
		case !p.totals.cells[i].isNumber() || i == s.labelAt:
		case p.columns[i].sums.isFigure(p.totals.cells[i].number, s.figure):
			m.matched++
		default:
			m.isEqual = false
		}
	}
	return m
}

// digitsOf returns how many significant digits a number has, without zeros at its end: how unlikely it is that it is a
// sum by chance.
func digitsOf(n float64) float64 {
	n = math.Round(math.Abs(n) * math.Pow10(placesOf(n, 0)))
	for n >= 10 && math.Mod(n, 10) == 0 {
		n /= 10
	}
	if n < 1 {
		return 0
	}
	return math.Log10(n)
}

// namedGroups returns the groups whose texts are words of the label of a row, such as EUR in Total EUR.
func (t *totalFinder) namedGroups(s *rowShape) (list []*groupSum) {
	if s.labelAt < 0 || !bytes.ContainsAny(s.label, " -_/:()") && s.kind == noLabel {
		return nil
	}
	for i, g := range t.groups {
		if g.isFull || i != s.labelAt && t.cells[i].kind != isEmpty {
			continue
		}
		for _, text := range slices.Sorted(maps.Keys(g.byText)) {
			if isPart(s.label, text) {
				list = append(list, g.byText[text])
			}
		}
	}
	return list
}

// isPart reports whether a label has a text as one or several of its words, beside others.
func isPart(label []byte, text string) bool {
	lower := string(Key(label, nil))
	isEdge := func(i int) bool { return i < 0 || i >= len(lower) || !isWordByte(lower[i]) }
	for at := 0; text != "" && len(text) < len(lower); at++ {
		i := strings.Index(lower[at:], text)
		if i < 0 {
			break
		}
		if at += i; isEdge(at-1) && isEdge(at+len(text)) {
			return true
		}
	}
	return false
}

func isWordByte(c byte) bool { return c >= 0x80 || c-'0' <= 9 || c-'a' < 26 }
