package profile

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
)

const (
	// maxLoose is the number of rows between two total rows that may be about the first one, such as taxes.
	maxLoose = 3
	// sureDigits is the number of digits that are not equal to those of a sum by chance. The sum of manyRows rows counts
	// as one digit more. A row of data with notedDigits has a note.
	sureDigits, notedDigits = 4, 1
	manyRows                = 5
)

// adjustments are the words of rows between a total row and the next one, such as VAT, that are not data.
const adjustments = " vat tax taxes gst mwst ust umsatzsteuer tva iva btw moms discount rabatt skonto remise " +
	"descuento sconto korting shipping freight fracht versand rounding paid prepaid deposit "

// putOff keeps a row that is a total row only if no data follow it, and reports whether it did.
func (p *Profiler) putOff(s *rowShape, m *match) bool {
	t := &p.totals
	if len(t.pending) == maxPending || s.strangers > 0 || s.numbers == 0 || s.labelAt < 0 && !s.isFirstEmpty {
		return false
	}
	isSum := s.kind == noLabel && s.isSum(m)
	isNear := t.last > 0 && t.since <= maxLoose
	row := pendingRow{row: p.seen, label: string(s.label), kind: s.kind, isGap: s.isGap}
	row.summed, row.evidence = m.rows, m.digits
	row.isCode = p.isCode(s)
	if m.rows >= manyRows {
		row.evidence++
	}
	row.isNamed = m.of == ofGroup && p.namesMember(s)
	switch {
	case p.follows() && (s.isGap && s.others == 0 && !row.isCode || isAdjustment(s.label)):
		row.isSure, row.isAdjustment = true, true
	case p.follows() && s.kind != noLabel && s.kind != figureLabel && s.others == 0 && p.isNearTotal():
		row.isSure = true
	case isSum && isNear && (!row.isCode || s.isGap && m.rows > 1):
		row.isSure = true
	case isSum && (m.rows > 1 || s.isGap && m.digits > 0 || p.namesMember(s) || t.hasPending(s.label)):
		row.isSure = row.evidence >= sureDigits && m.rows > 1 && !row.isCode
	default:
		return false
	}
	for i := range t.cells {
		c := t.cells[i]
		c.text, c.key = bytes.Clone(c.text), bytes.Clone(c.key)
		row.cells = append(row.cells, c)
	}
	t.pending = append(t.pending, row)
	return true
}

// hasPending reports whether a row with the same label is deferred.
func (t *totalFinder) hasPending(label []byte) bool {
	return len(label) > 0 && slices.ContainsFunc(t.pending, func(r pendingRow) bool { return r.label == string(label) })
}

// isRecent reports whether the row before, which has the sums of one row, has that label.
func (t *totalFinder) isRecent(label []byte) bool {
	label = bytes.TrimSpace(label)
	return slices.ContainsFunc(t.recent, func(r pendingRow) bool { return r.label == string(label) })
}

// hasPendingData reports whether rows are deferred that the current row shows to be data, because its numbers are sums
// with them.
func (p *Profiler) hasPendingData(s *rowShape) bool {
	for i := range p.totals.pending {
		if !p.totals.pending[i].isAdjustment {
			m := p.matchSums(s, withPending, nil)
			return s.kind != noLabel && m.isEqual && m.matched > 0
		}
	}
	return false
}

// namesMember reports whether the label of the current row has another text of it, such as the EUR of its currency.
func (p *Profiler) namesMember(s *rowShape) bool {
	for i := range p.totals.cells {
		c := &p.totals.cells[i]
		isEqual := string(Key(s.label, nil)) == string(c.key)
		if c.kind == isText && i != s.labelAt && (isEqual || isPart(s.label, string(c.key))) {
			return true
		}
	}
	return false
}

// isNearTotal reports whether the numbers of the current row are about as large as those of the last total row.
func (p *Profiler) isNearTotal() bool {
	t := &p.totals
	for i := range t.cells {
		c := &t.cells[i]
		if total, ok := t.total[i]; c.isNumber() && ok {
			a, b := abs(c.number[0]), abs(total[0])
			return a >= b/2 && a <= 2*b
		}
	}
	return false
}

func abs(n float64) float64 { return max(n, -n) }

// isAdjustment reports whether a label is that of an amount which a total row is changed by, such as VAT 19%.
func isAdjustment(label []byte) bool {
	isBetween := func(r rune) bool { return !unicode.IsLetter(r) }
	for _, word := range strings.FieldsFunc(strings.ToLower(string(label)), isBetween) {
		if strings.Contains(adjustments, " "+word+" ") {
			return true
		}
	}
	return false
}

// confirmPending takes the rows that are deferred as total rows, because one follows them.
func (p *Profiler) confirmPending() {
	for _, row := range p.totals.pending {
		p.addTotal(row.row, row.label)
	}
	p.totals.pending = p.totals.pending[:0]
}

// flushPending takes the rows that are deferred as data, because data follow them.
func (p *Profiler) flushPending() {
	t := &p.totals
	for _, row := range t.pending {
		if row.summed > 1 && (row.isGap || row.evidence >= notedDigits && !row.hasDigits()) {
			p.out.noteSum(row.row, row.label)
		}
		if row.kind != noLabel {
			p.out.noteLabel(row.row, row.label)
		}
		p.addData(row.row, row.label, row.cells)
	}
	t.pending = t.pending[:0]
}

// hasDigits reports whether the label of a row is a code with digits.
func (r *pendingRow) hasDigits() bool { return r.isCode && isMixedCode([]byte(r.label)) }

// noteLabel counts a row that has the label of a total row and is data.
func (out *Profile) noteLabel(row int64, label string) {
	if out.Labeled++; out.Labeled == 1 {
		out.LabeledRow, out.Label = row, label
	}
}

// noteSum counts a row that has the sums of others and is data.
func (out *Profile) noteSum(row int64, label string) {
	if out.SumRows++; out.SumRows == 1 {
		out.SumRow, out.SumLabel = row, label
	}
}

// settlePending decides at the end about the rows that are deferred.
func (p *Profiler) settlePending(out *Profile) {
	t := &p.totals
	isBlock := t.isBlock()
	rows := slices.Clone(out.TotalRows)
	take := func(row int64, label string) {
		if out.Totals++; out.Totals == 1 {
			out.TotalLabel = label
		}
		if len(rows) < maxTotals {
			rows = append(rows, row)
		}
	}
	for _, r := range t.recent {
		if isBlock && t.hasPending([]byte(r.label)) {
			take(r.row, r.label)
		}
	}
	for i := range t.pending {
		if row := &t.pending[i]; row.isSure || isBlock {
			take(row.row, row.label)
		} else {
			out.noteSum(row.row, row.label)
		}
	}
	if len(rows) > 0 {
		out.TotalRows = rows
	}
	loose := t.between
	if loose.count == 0 && t.isOfAll && t.since > 0 && t.since <= maxLoose {
		loose = t.rest
	}
	out.LooseRow, out.LooseLabel, out.Loose = loose.row, loose.label, loose.count
}

// isBlock reports whether several deferred rows are total rows together: they have many digits, or the sums of all rows
// and one label, the names of their groups, or cells that are empty elsewhere.
func (t *totalFinder) isBlock() bool {
	digits, summed, isGap, isAlike, isNamed, isCode := 0.0, int64(len(t.recent)), true, true, true, false
	for i := range t.pending {
		row := &t.pending[i]
		digits += row.evidence
		summed += row.summed
		isCode = isCode || row.isCode
		isGap, isNamed = isGap && row.isGap, isNamed && row.isNamed
		isAlike = isAlike && row.label != "" && row.label == t.pending[0].label
	}
	isAll := summed >= t.all-int64(len(t.recent))
	return len(t.pending) > 1 && !isCode && (digits >= sureDigits || isAll && (isGap || isAlike || isNamed))
}

// settleFirst decides at the end whether the first row is a total row: whether its numbers are the sums of the others.
// It returns true if they are with the rows that are deferred, which are data then.
func (p *Profiler) settleFirst(out *Profile) (hasPending bool) {
	first := p.totals.first
	if first == nil {
		return false
	}
	hasPending = len(p.totals.pending) > 0 && p.firstHasSums(withPending)
	switch {
	case p.mayBeginWithTotal() && (hasPending || p.firstHasSums(allRows)):
		out.TotalRows = append([]int64{first.row}, out.TotalRows...)
		out.Totals++
		if out.Totals == 1 {
			out.TotalLabel = first.label
		}
		return hasPending
	case first.isKnown && p.totals.all > 1:
		out.noteLabel(first.row, first.label)
		out.LabeledRow, out.Label = first.row, first.label
	}
	return false
}

// mayBeginWithTotal reports whether enough rows follow the first one, which may be a total row.
func (p *Profiler) mayBeginWithTotal() bool {
	first := p.totals.first
	kind, _ := kindOfLabel([]byte(first.label))
	return p.totals.all >= 2 || p.totals.all == 1 && first.isKnown && kind != mayBeName
}

// firstHasSums reports whether the numbers of the first row are the sums of the others.
func (p *Profiler) firstHasSums(of reference) bool {
	first, matched := p.totals.first, 0
	for i, n := range first.numbers {
		for r := range n {
			sum, _ := p.sumOf(of, nil, i, r)
			if n[r] != 0 && p.columns[i].sums.isRounded(n[r], sum, r, first.isKnown) {
				matched++
				break
			}
		}
	}
	return matched > 0 && (first.isKnown || matched == len(first.numbers))
}
