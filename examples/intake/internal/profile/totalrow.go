package profile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// maxLabeled is the number of first values of a row that may say that it is a total row.
const maxLabeled = 8

// maxTotalLabel is the length of the longest label in bytes.
const maxTotalLabel = 60

// totalLabel returns the trimmed value if it says that a row is not data, such as Total January, or nil.
func totalLabel(value []byte) []byte {
	if kind, _ := kindOfLabel(value); kind == noLabel {
		return nil
	}
	return bytes.TrimSpace(value)
}

// TotalLabel returns the label of a row that is a total row: a text such as Total January, and otherwise its first
// text, or "".
func TotalLabel(fields [][]byte) (text string) {
	for _, f := range fields[:min(len(fields), maxLabeled)] {
		if label := totalLabel(f); label != nil {
			return string(label)
		}
		if text == "" && len(f) <= maxTotalLabel && classify(f).kind == isText {
			text = string(bytes.TrimSpace(f))
		}
	}
	return text
}

// isExactLabel reports whether a label is one word, perhaps with a colon, or grand total. It makes the last row one
// that looks like a total row, whatever its numbers are.
func isExactLabel(label []byte) bool {
	text := strings.TrimRight(strings.ToLower(string(label)), ":： ")
	w := &labelWords
	return w.names[text] != "" || w.sums[text] != "" || text == "grand total" || text == "total general"
}

// TotalRemark returns a sentence about the last row if it looks like a total row, or "".
func (p *Profile) TotalRemark() string {
	if p.TotalRow == "" {
		return ""
	}
	return fmt.Sprintf("the last row looks like a total row (%q), and counts like the others", p.TotalRow)
}

// LastRowRemark returns a sentence for an answer about the last row if it looks like a total row, or "".
func (p *Profile) LastRowRemark() string {
	if p.TotalRow != "" && p.Totals > 0 {
		return fmt.Sprintf("the last row looks like a total row (%q)", p.TotalRow)
	}
	return p.TotalRemark()
}

// totalRemarks returns sentences about the total rows that are not the last row.
func (p *Profile) totalRemarks() (list []string) {
	remark := p.TotalRemark()
	switch {
	case remark != "" && p.Totals > 0:
		list = append(list, remark+" in this report, but not in sums")
	case remark != "":
		list = append(list, remark)
	}
	if p.Totals > 1 || p.Totals == 1 && remark == "" {
		list = append(list, fmt.Sprintf("%s, such as %s, and %s in this report, but not in sums",
			CountOf(p.Totals, "row looks like a total row", "rows look like total rows"), p.describeTotals(),
			map[bool]string{true: "counts", false: "count"}[p.Totals == 1]))
	}
	for _, remark := range []string{p.LabelRemark(), p.SumRemark(), p.LooseRemark()} {
		if remark != "" {
			list = append(list, remark)
		}
	}
	return append(list, p.ApartRemarks()...)
}

// SumRemark returns a sentence about a row that has the sums of others, but may be data, or "".
func (p *Profile) SumRemark() string {
	switch p.SumRows {
	case 0:
		return ""
	case 1:
		return nameRow(p.SumRow, p.SumLabel) + " has the sums of other rows, as a total row does, but may be data, and " +
			"counts like the others"
	}
	return fmt.Sprintf("%d rows, such as %s, have the sums of other rows, as total rows do, but may be data, and count "+
		"like the others", p.SumRows, nameRow(p.SumRow, p.SumLabel))
}

// LooseRemark returns a sentence about the rows between total rows, or after the last one, that count, or "".
func (p *Profile) LooseRemark() string {
	name := nameRow(p.LooseRow, p.LooseLabel)
	switch p.Loose {
	case 0:
		return ""
	case 1:
		return name + " is after a total row, and counts like the others"
	}
	return fmt.Sprintf("%d rows from %s on are after a total row, and count like the others", p.Loose, name)
}

// nameRow returns the place of a row, and its label if it has one.
func nameRow(row int64, label string) string {
	if label == "" {
		return fmt.Sprintf("row %d", row)
	}
	return fmt.Sprintf("row %d (%q)", row, label)
}

// LabelRemark returns a sentence about the first row that has the label of a total row and numbers that are not sums,
// or "".
func (p *Profile) LabelRemark() string {
	isLast := p.TotalRow != "" && p.Labeled == 1 && p.LabeledRow == p.Rows
	if p.Labeled == 0 || isLast {
		return ""
	}
	return fmt.Sprintf("%s the label of a total row, such as row %d (%q), but numbers that are not the sums of the rows "+
		"before, and so %s like the others", CountOf(p.Labeled, "row has", "rows have"), p.LabeledRow, p.Label,
		map[bool]string{true: "counts", false: "count"}[p.Labeled == 1])
}

// namedTotals is the number of total rows that a sentence names.
const namedTotals = 6

// describeTotals returns the places of the first total rows, and the label of the first one.
func (p *Profile) describeTotals() string {
	rows := slices.Clone(p.TotalRows[:min(len(p.TotalRows), namedTotals)])
	texts := make([]string, len(rows))
	for i, n := range rows {
		texts[i] = fmt.Sprintf("row %d", n)
	}
	if p.TotalLabel != "" {
		texts[0] += fmt.Sprintf(" (%q)", p.TotalLabel)
	}
	return strings.Join(texts, ", ")
}
