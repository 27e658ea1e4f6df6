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
	// sureDigits is the number of digits that are not equal to those of a sum by chance.
	sureDigits = 4
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
	row := pendingRow{row: p.seen, label: string(s.label), isGap: s.isGap, summed: m.rows, evidence: m.digits}
	switch {
	case p.follows() && (s.isGap && s.others == 0 || isAdjustment(s.label)):
		row.isSure, row.isAdjustment = true, true
	case p.follows() && s.kind != noLabel && s.kind != figureLabel && s.others == 0 && p.isNearTotal():
		row.isSure = true
	case isSum && isNear:
		row.isSure = true
	case isSum && (m.rows > 1 || s.isGap && m.digits > 0 || p.namesMember(s)):
		row.isSure = m.digits >= sureDigits && m.rows > 1
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
		if c.kind == isText && i != s.labelAt && isPart(s.label, string(c.key)) {
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
	for _, row := range p.totals.pending {
		p.addData(row.row, row.label, row.cells)
	}
	p.totals.pending = p.totals.pending[:0]
}

// settlePending decides at the end about the rows that are deferred.
func (p *Profiler) settlePending(out *Profile) {
	t := &p.totals
	digits, summed := 0.0, int64(0)
	for i := range t.pending {
		row := &t.pending[i]
		digits += row.evidence
		if summed += row.summed; !row.isGap {
			summed -= t.all // one that may be data
		}
	}
	isBlock := len(t.pending) > 1 && (digits >= sureDigits || summed >= t.all)
	rows := slices.Clone(out.TotalRows)
	for i := range t.pending {
		row := &t.pending[i]
		switch {
		case row.isSure || isBlock:
			if out.Totals++; out.Totals == 1 {
				out.TotalLabel = row.label
			}
			if len(rows) < maxTotals {
				rows = append(rows, row.row)
			}
		case out.SumRow == 0:
			out.SumRow, out.SumLabel = row.row, row.label
		}
	}
	if len(rows) > 0 {
		out.TotalRows = rows
	}
	loose := t.between
	isOpen := t.isOfAll && t.since > 0 && t.since <= maxLoose && len(t.pending) == 0
	if isOpen || loose.count == 0 && t.isOfAll && t.since > 0 && t.since <= maxLoose {
		loose = t.rest
	}
	out.LooseRow, out.LooseLabel, out.Loose = loose.row, loose.label, loose.count
}

// settleFirstData decides at the end whether the first row of data has the sums of the others.
func (p *Profiler) settleFirstData(out *Profile) {
	t := &p.totals
	if out.SumRow > 0 || t.all < 3 || len(t.pending) > 0 {
		return
	}
	matched := false
	for i := range t.firstData {
		c := &t.firstData[i]
		sum := p.columns[i].sums.all[0]
		switch {
		case c.kind == isDate || c.kind == isBoolean, c.isNumber() && !isNear(2*c.number[0], sum):
			return
		case c.isNumber() && c.number[0] != 0:
			matched = true
		}
	}
	if matched {
		out.SumRow, out.SumLabel = t.firstRow, t.firstLabel
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
	if p.totals.all < 2 && !first.isKnown || p.totals.all < 1 {
		return
	}
	matched := 0
	for i, n := range first.numbers {
		for r := range n {
			sums := &p.columns[i].sums
			if n[r] != 0 && sums.isRounded(n[r], sums.all[r], r, first.isKnown) {
				matched++
				break
			}
		}
	}
	if matched > 0 && (first.isKnown || matched == len(first.numbers)) {
		out.TotalRows = append([]int64{first.row}, out.TotalRows...)
		out.Totals++
		if out.Totals == 1 {
			out.TotalLabel = first.label
		}
	}
}
