package profile

import "bytes"

// rowShape counts the cells of a row by their content.
type rowShape struct {
	kind    labelKind
	figure  string // of a figureLabel
	label   []byte
	labelAt int // or -1
	// numbers are all of them, and shown those that can show a sum. others are the cells besides the label and the
	// numbers, and strangers those of them whose texts the rows before do not have.
	numbers, shown, others, strangers int
	empty                             int
	isFirstEmpty                      bool
	// isGap reports that a cell is empty, or has the label, where each row before has a value or a number.
	isGap bool
	// isLabelFirst reports that the cells before the label are empty.
	isLabelFirst bool
}

// shapeOf returns the shape of the current row. labelAt is the column of the label of a total row, or -1.
func (p *Profiler) shapeOf(label []byte, labelAt int) rowShape {
	t := &p.totals
	s := rowShape{labelAt: labelAt, label: label}
	if labelAt >= 0 {
		s.kind, s.figure = kindOfLabel(label)
	}
	for i := range t.cells {
		c := &t.cells[i]
		sums := &p.columns[i].sums
		c.group = t.groupOf(i, c)
		switch {
		case c.kind == isEmpty:
			s.empty++
			s.isFirstEmpty = s.isFirstEmpty || i == 0
			s.isGap = s.isGap || t.all > 0 && sums.empty == 0
		case i == labelAt:
			s.isLabelFirst = s.empty == i
		case c.isNumber():
			s.numbers++
			if s.figure != "" || c.number != [2]float64{} || sums.all != [2]float64{} {
				s.shown++ // the sum of zeros does not show anything
			}
		case c.kind == isText && (c.group == nil || t.isRecent(c.text)):
			c.group = nil
			s.addText(i, c.text)
		default:
			s.others++
			if c.kind != isText {
				s.strangers++
			}
		}
	}
	if s.labelAt >= 0 && t.all > 1 && p.columns[s.labelAt].sums.count == t.all {
		s.isGap = true
	}
	return s
}

// addText adds a text that the rows before do not have. The first one may be a label in a language that is not known.
func (s *rowShape) addText(column int, text []byte) {
	if s.labelAt < 0 && len(text) <= maxTotalLabel && column == s.empty { // the cells before it are empty
		s.labelAt, s.label = column, bytes.TrimSpace(text)
		return
	}
	s.others++
	s.strangers++
}

// isTotal reports whether a row is a total row: it has a label and is mostly empty or has sums. The numbers of a label
// that may be a name must be sums. before is the number of rows before it, and follows reports that the row before it
// is a total row.
func (s *rowShape) isTotal(m *match, before int64, follows bool) bool {
	isAlone := s.others == 0
	isSum := m.matched > 0 && (m.isEqual || s.empty > 0)
	isLabeledSum := isSum || m.matched > 0 && isAlone && before >= 2 // beside other numbers, such as an average price
	switch s.kind {
	case sumLabel:
		return isLabeledSum || s.empty > 0 && isAlone
	case bareLabel:
		return isLabeledSum
	case mayBeName:
		return isSum && before >= 2
	case figureLabel:
		return s.numbers > 0 && isAlone && (m.isEqual || follows)
	}
	return false
}

// isDoubtful reports whether a row that is not a total row has the label of one. That of another figure, such as Max,
// counts if no other value is before it.
func (s *rowShape) isDoubtful() bool {
	return s.kind != noLabel && (s.kind != figureLabel || s.isLabelFirst)
}

// isSumInShape reports whether a row without a known label is a total row in any language: all of its numbers are sums,
// its other cells are empty or name the rows that it is about, and a value that all rows before have is missing.
func (p *Profiler) isSumInShape(s *rowShape, m *match) bool {
	isSum := s.kind == noLabel && s.isSum(m)
	return isSum && s.isGap && !p.isCode(s) && (m.rows > 1 || p.follows())
}

// isSum reports whether a row has the form of a total row, with any label or none, and all of its numbers are sums.
func (s *rowShape) isSum(m *match) bool {
	return m.isEqual && m.matched > 0 && s.strangers == 0 && (s.labelAt >= 0 || s.isFirstEmpty)
}

// isCode reports whether the label of a row stands in a column that is named like codes and has other texts. Then it is
// more likely a code than a label in a language that is not known, unless it names another text of the row, such as the
// EUR in Spolu EUR.
func (p *Profiler) isCode(s *rowShape) bool {
	if s.kind != noLabel || s.labelAt < 0 {
		return false
	}
	c := p.columns[s.labelAt]
	return c.counts[isText] > 1 && p.senseOf(c) == Codes && !p.namesMember(s)
}
