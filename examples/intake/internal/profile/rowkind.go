package profile

import "bytes"

// IsBlankRow reports whether a row of several columns has empty cells only. It does not count as a row.
func IsBlankRow(fields [][]byte, columns int) bool {
	if columns < 2 || len(fields) == 0 {
		return false
	}
	for _, f := range fields {
		if len(bytes.TrimSpace(f)) > 0 {
			return false
		}
	}
	return true
}

// IsHeaderRow reports whether a row repeats the names of the columns, of which there are at least two.
func IsHeaderRow(fields [][]byte, columns []string) bool {
	if len(columns) < 2 || len(fields) != len(columns) {
		return false
	}
	for i, f := range fields {
		if string(bytes.TrimSpace(f)) != string(bytes.TrimSpace([]byte(columns[i]))) {
			return false
		}
	}
	return true
}

// maxTotals is the number of total rows that a profile names.
const maxTotals = 5000

// totalFinder finds the rows that look like total rows: by a label such as Subtotal, and by numbers that are the sums
// of the rows before them.
type totalFinder struct {
	all, since int64 // the rows that the sums have: all, and those after the last total row
	first      *totalCandidate
	last       int64 // the last total row
}

// totalCandidate is a row whose place decides whether it is a total row.
type totalCandidate struct {
	row     int64
	label   string
	numbers map[int][2]float64 // by column
}

// columnSums are the sums of a column's numbers in both of their readings, and other figures about them.
type columnSums struct {
	all, since [2]float64
	places     [2]int // the most decimal places of a number
	min, max   [2]float64
	count      int64 // of all
}

// rowShape counts the cells of a row by their content.
type rowShape struct {
	numbers, others int // cells besides the label
	empty           int
	isFirstEmpty    bool
	equalAny, equal bool // some or all numbers are the sums, or the figures, of the rows before them
}

// noteTotal decides whether the current row is a total row, and adds its numbers to the sums if not. labelAt is the
// column of the label, or -1.
func (p *Profiler) noteTotal(label []byte, labelAt int) {
	t := &p.totals
	kind, figure := noLabel, ""
	if labelAt >= 0 {
		kind, figure = kindOfLabel(label)
	}
	var s rowShape
	if labelAt >= 0 || len(p.columns) > 0 && (p.columns[0].at != p.seen || p.columns[0].isMissing) {
		s = p.shapeOf(labelAt, figure)
	}
	isTotal := s.isTotal(kind, t.all, t.last > 0 && t.last == p.seen-1)
	p.out.TotalRow = ""
	if labelAt >= 0 && isExactLabel(label) {
		p.out.TotalRow = string(label)
	}
	if isTotal {
		p.addTotal(p.seen, string(label))
		t.since, t.last = 0, p.seen
		for _, c := range p.columns {
			c.sums.since = [2]float64{}
		}
		return
	}
	isSummed := labelAt >= 0 && kind != figureLabel
	isCandidate := t.all == 0 && (isSummed || s.others == 0 && s.isFirstEmpty && s.numbers > 0)
	if isCandidate && t.first == nil {
		t.first = &totalCandidate{row: p.seen, label: string(label), numbers: map[int][2]float64{}}
		for i, c := range p.columns {
			if c.isNumber {
				t.first.numbers[i] = c.number
			}
		}
		return
	}
	p.noteDoubtful(&s, kind, label)
	t.all++
	t.since++
	for _, c := range p.columns {
		if c.isNumber {
			c.sums.add(c.number)
		}
	}
}

// shapeOf returns the shape of the current row. figure is that of its label, or empty for sums.
func (p *Profiler) shapeOf(labelAt int, figure string) (s rowShape) {
	s.equal = true
	for i, c := range p.columns {
		if c.at != p.seen || c.isMissing {
			s.empty++
			s.isFirstEmpty = s.isFirstEmpty || i == 0
			continue
		}
		switch {
		case i == labelAt:
		case !c.isNumber:
			s.others++
		case p.totals.all > 0 && figure == "" && c.number == [2]float64{} && c.sums.all == [2]float64{}:
			s.numbers++ // the sum of zeros does not show anything
		default:
			s.numbers++
			isSum := p.totals.all > 0 && p.isFigure(i, figure, labelAt >= 0)
			s.equal, s.equalAny = s.equal && isSum, s.equalAny || isSum
		}
	}
	return s
}

// isTotal reports whether a row is a total row: it has a label and is mostly empty or has sums, or all of its cells are
// sums or empty. The numbers of a label that may be a name must be sums. before is the number of rows before it, and
// follows reports that the row before it is a total row.
func (s *rowShape) isTotal(kind labelKind, before int64, follows bool) bool {
	isAlone := s.others == 0
	isSum := s.equalAny && (s.equal || s.empty > 0)
	isLabeledSum := isSum || s.equalAny && isAlone && before >= 2 // beside other numbers, such as an average price
	switch kind {
	case sumLabel:
		return isLabeledSum || s.empty > 0 && isAlone
	case bareLabel:
		return isLabeledSum
	case mayBeName:
		return isSum && before >= 2
	case figureLabel:
		return s.numbers > 0 && isAlone && (s.equal || follows)
	}
	return before >= 2 && isAlone && s.isFirstEmpty && s.equal && s.equalAny
}

// isDoubtful reports whether a row that is not a total row has the label and the form of one.
func (s *rowShape) isDoubtful(kind labelKind) bool {
	isName := kind == bareLabel || kind == mayBeName && s.empty > 0
	return isName && s.others == 0 && s.numbers > 0
}

// noteDoubtful counts a row that has the label and the form of a total row and is data.
func (p *Profiler) noteDoubtful(s *rowShape, kind labelKind, label []byte) {
	if !s.isDoubtful(kind) {
		return
	}
	if p.out.Labeled == 0 {
		p.out.LabeledRow, p.out.Label = p.seen, string(label)
	}
	p.out.Labeled++
}

// addTotal counts a total row.
func (p *Profiler) addTotal(row int64, label string) {
	if p.out.Totals == 0 {
		p.out.TotalLabel = label
	}
	p.out.Totals++
	if len(p.out.TotalRows) < maxTotals {
		p.out.TotalRows = append(p.out.TotalRows, row)
	}
}

// settleFirst decides at the end whether the first row is a total row: whether its numbers are the sums of the others.
func (p *Profiler) settleFirst(out *Profile) {
	first := p.totals.first
	if first == nil {
		return
	}
	if kind, _ := kindOfLabel([]byte(first.label)); kind == mayBeName && p.totals.all < 2 {
		return
	}
	if p.totals.all < 2 && first.label == "" || p.totals.all < 1 {
		return
	}
	matched := 0
	for i, n := range first.numbers {
		for r := range n {
			sums := &p.columns[i].sums
			if n[r] != 0 && sums.isRounded(n[r], sums.all[r], r, first.label != "") {
				matched++
				break
			}
		}
	}
	if matched > 0 && (first.label != "" || matched == len(first.numbers)) {
		out.TotalRows = append([]int64{first.row}, out.TotalRows...)
		out.Totals++
		if out.Totals == 1 {
			out.TotalLabel = first.label
		}
	}
}
