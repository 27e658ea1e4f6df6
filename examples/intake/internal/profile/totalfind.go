package profile

import "slices"

const (
	// maxTotals is the number of total rows that a profile names.
	maxTotals = 5000
	// maxPending is the number of rows at the end of a table that may be total rows together.
	maxPending = 16
)

// totalFinder finds the rows that look like total rows: by a label such as Subtotal, and by numbers that are the sums
// of the rows before them.
type totalFinder struct {
	all, since int64 // the rows that the sums have: all, and those after the last total row
	first      *totalCandidate
	last       int64 // the last total row
	total      map[int][2]float64
	isOfAll    bool // the last total row has the sums of all rows before it
	rest       looseRow
	between    looseRow
	runs       []*sumRuns
	apart      apartRows
	groups     []*groupSums // of the first columns
	cells      []cell       // of the current row
	pending    []pendingRow
	recent     []pendingRow // the last rows of data, if they have the sums of one row each
	firstData  []cell       // the first row that is data, with its number and its label
	firstRow   int64
	lastData   int64 // the last row of data
	firstLabel string
}

// cell is a value of the current row.
type cell struct {
	kind   int
	number [2]float64
	unit   string
	text   []byte
	key    []byte    // of the text
	group  *groupSum // of the rows before with the same text in the column
}

func (c *cell) isNumber() bool { return c.kind == isInteger || c.kind == isDecimal }

// totalCandidate is a row whose place decides whether it is a total row.
type totalCandidate struct {
	row     int64
	label   string
	isKnown bool // the label is that of a total row
	numbers map[int][2]float64
}

// looseRow is the first of the few rows between two total rows, or after the last one, that no total row is about.
type looseRow struct {
	row   int64
	label string
	count int64
}

// pendingRow is a row that looks like a total row if no data follow it. It is not in the sums.
type pendingRow struct {
	row    int64
	label  string
	cells  []cell
	kind   labelKind
	isSure bool // a total row, if no data follow
	// isAdjustment reports that it changes the total row before it.
	isAdjustment bool
	isNamed      bool // its label has the text of its group
	isGap        bool
	isCode       bool  // its label stands where the other rows have codes
	summed       int64 // the rows whose sums it has
	evidence     float64
}

// noteTotal decides whether the current row is a total row, and adds its numbers to the sums if not. labelAt is the
// column of the label of a total row, or -1.
func (p *Profiler) noteTotal(label []byte, labelAt int) {
	t := &p.totals
	p.readCells()
	p.out.TotalRow = ""
	if labelAt >= 0 && isExactLabel(label) {
		p.out.TotalRow = string(label)
	}
	s := p.shapeOf(label, labelAt)
	if t.all == 0 && t.first == nil && p.isFirstCandidate(&s) {
		return
	}
	isSum := false
	if !p.hasPendingData(&s) {
		var isTaken bool
		if isTaken, isSum = p.takeSum(&s); isTaken {
			return
		}
	}
	if len(t.pending) > 0 {
		p.flushPending()
		s = p.shapeOf(label, labelAt)
		var isTaken bool
		if isTaken, isSum = p.takeSum(&s); isTaken {
			return
		}
	}
	if !isSum {
		t.recent = t.recent[:0]
	} else if len(t.recent) < maxPending {
		t.recent = append(t.recent, pendingRow{row: p.seen, label: string(s.label)})
	}
	if s.isDoubtful() {
		p.out.noteLabel(p.seen, string(s.label))
	}
	p.addData(p.seen, string(s.label), t.cells)
}

// takeSum counts the current row as a total row or defers it, and reports whether it did, and whether the row has the
// sums of others. If rows are deferred, it is a total row only if its numbers are sums without them.
func (p *Profiler) takeSum(s *rowShape) (isTaken, hasSums bool) {
	best := p.bestReference(s)
	isSum := best.isEqual && best.matched > 0 || len(p.totals.pending) == 0
	if isSum && (s.isTotal(&best, p.totals.all, p.follows()) || p.isSumInShape(s, &best)) {
		p.confirmPending()
		p.takeTotal(s, &best)
		return true, true
	}
	return p.putOff(s, &best), s.isSum(&best)
}

// readCells sets the cells of the current row.
func (p *Profiler) readCells() {
	cells := p.totals.cells[:0]
	for _, c := range p.columns {
		if c.at == p.seen {
			cells = append(cells, c.cell)
		} else {
			cells = append(cells, cell{kind: isEmpty})
		}
	}
	p.totals.cells = cells
}

// isFirstCandidate reports whether the first row may be a total row, and keeps its numbers then.
func (p *Profiler) isFirstCandidate(s *rowShape) bool {
	t := &p.totals
	isSummed := s.kind != noLabel && s.kind != figureLabel
	if !isSummed && (s.others > 0 || !s.isFirstEmpty || s.numbers == 0) {
		return false
	}
	t.first = &totalCandidate{row: p.seen, label: string(s.label), isKnown: isSummed, numbers: map[int][2]float64{}}
	for i := range t.cells {
		if c := &t.cells[i]; c.isNumber() {
			t.first.numbers[i] = c.number
		}
	}
	return true
}

// follows reports whether the current row is directly after a total row, or after rows that are deferred.
func (p *Profiler) follows() bool {
	t := &p.totals
	return t.last > 0 && t.last+int64(len(t.pending)) == p.seen-1
}

// takeTotal counts the current row as a total row.
func (p *Profiler) takeTotal(s *rowShape, best *match) {
	t := &p.totals
	isOfAll := best.isEqual && best.of == allRows
	if isOfAll && t.isOfAll && t.rest.count > 0 && t.rest.count <= maxLoose && t.between.count == 0 {
		t.between = t.rest
	}
	p.addTotal(p.seen, string(s.label))
	t.isOfAll = isOfAll || t.isOfAll && t.since == 0
	t.since, t.last, t.rest = 0, p.seen, looseRow{}
	t.total = map[int][2]float64{}
	for i := range t.cells {
		if t.cells[i].isNumber() {
			t.total[i] = t.cells[i].number
		}
	}
	for _, c := range p.columns {
		c.sums.since = [2]float64{}
	}
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

// addData adds a row of data to the sums.
func (p *Profiler) addData(row int64, label string, cells []cell) {
	t := &p.totals
	if t.all == 0 {
		t.firstData, t.firstRow, t.firstLabel = slices.Clone(cells), row, label
	}
	t.all++
	t.since++
	t.lastData = row
	if t.rest.count++; t.rest.count == 1 {
		t.rest.row, t.rest.label = row, label
	}
	for i := range cells {
		p.columns[i].sums.addCell(&cells[i])
	}
	t.addGroups(cells)
	t.addRuns(row, label, cells)
	t.apart.add(row, label, cells)
}
