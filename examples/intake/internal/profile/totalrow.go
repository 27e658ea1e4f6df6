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

// TotalLabel returns the label that says that a row is not data, such as Total January, or "".
func TotalLabel(fields [][]byte) string {
	for _, f := range fields[:min(len(fields), maxLabeled)] {
		if label := totalLabel(f); label != nil {
			return string(label)
		}
	}
	return ""
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
	if label := p.LabelRemark(); label != "" {
		list = append(list, label)
	}
	return list
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
