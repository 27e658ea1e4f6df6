package profile

import (
	"bytes"
	"fmt"
)

// maxLabeled is the number of first values of a row that may say that it is a total row.
const maxLabeled = 8

// totalLabels are the texts that a total row begins with, in lower case.
var totalLabels = [][]byte{
	[]byte("total"), []byte("totals"), []byte("grand total"), []byte("sum"), []byte("summe"), []byte("gesamt"),
	[]byte("gesamtsumme"), []byte("somme"), []byte("suma"), []byte("totale"), []byte("totaal"),
}

// maxTotalLabel is the length of the longest label with a colon in bytes.
const maxTotalLabel = 12

// totalLabel returns the value that says that a row is a total row, or nil.
func totalLabel(value []byte) []byte {
	if len(value) > 2*maxTotalLabel {
		return nil
	}
	value = bytes.TrimSpace(value)
	if len(value) < 3 || len(value) > maxTotalLabel {
		return nil
	}
	switch value[0] | 0x20 {
	case 't', 'g', 's':
	default:
		return nil
	}
	for _, label := range totalLabels {
		if bytes.EqualFold(bytes.TrimSuffix(value, []byte(":")), label) {
			return value
		}
	}
	return nil
}

// noteTotal keeps the label of the current row, or that it does not have one: the last row counts.
func (p *Profiler) noteTotal(label []byte) {
	if label == nil {
		p.out.TotalRow = ""
		return
	}
	p.out.TotalRow = string(label)
}

// TotalRemark returns a sentence about the last row if it looks like a total row, or "".
func (p *Profile) TotalRemark() string {
	if p.TotalRow == "" {
		return ""
	}
	return fmt.Sprintf("the last row looks like a total row (%q), and counts like the others", p.TotalRow)
}
