package profile

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// maxLabeled is the number of first values of a row that may say that it is a total row.
const maxLabeled = 8

// maxTotalLabel is the length of the longest label in bytes.
const maxTotalLabel = 60

// totalWords are the first words of the label of a total row, in lower case.
const totalWords = " total totals subtotal subtotals sum summe zwischensumme endsumme gesamt gesamtsumme " +
	"gesamtergebnis insgesamt somme suma sumas totale totali subtotale totaal subtotaal totaux teilsumme "

// totalPrefixes are the words that may precede total in a label.
const totalPrefixes = " grand sub sous net gross overall final report page running "

// totalEnds are the last words of the label of a total row, as in North Total.
const totalEnds = " total totals subtotal gesamt summe ergebnis totaal totale "

func hasWord(list, word string) bool { return word != "" && strings.Contains(list, " "+word+" ") }

// totalLabel returns the trimmed value if it says that a row is a total row, such as Total January, or nil.
func totalLabel(value []byte) []byte {
	value = bytes.TrimSpace(value)
	if len(value) < 3 || len(value) > maxTotalLabel || !mayBeTotal(value) {
		return nil
	}
	isBetween := func(r rune) bool { return !unicode.IsLetter(r) }
	words := strings.FieldsFunc(strings.ToLower(string(value)), isBetween)
	if len(words) == 0 {
		return nil
	}
	isPrefixed := len(words) > 1 && hasWord(totalPrefixes, words[0]) && strings.HasPrefix(words[1], "total")
	if hasWord(totalWords, words[0]) || isPrefixed || len(words) > 1 && hasWord(totalEnds, words[len(words)-1]) {
		return value
	}
	return nil
}

// mayBeTotal reports whether a text has a part of a word that the labels have. It is fast.
func mayBeTotal(value []byte) bool {
	for i := 0; i+2 < len(value); i++ {
		b, c := value[i+1]|0x20, value[i+2]|0x20
		switch value[i] | 0x20 {
		case 't':
			if b == 'o' && c == 't' {
				return true
			}
		case 's':
			if (b == 'u' || b == 'o') && c == 'm' || b == 'u' && c == 'b' {
				return true
			}
		case 'g':
			if b == 'e' && c == 's' {
				return true
			}
		case 'e':
			if b == 'r' && c == 'g' {
				return true
			}
		}
	}
	return false
}

// exactLabels are the labels that make the last row one that looks like a total row, whatever its numbers are.
const exactLabels = " total totals sum summe gesamt gesamtsumme somme suma totale totaal "

// isExactLabel reports whether a label is one word, perhaps with a colon, or grand total.
func isExactLabel(label []byte) bool {
	text := strings.ToLower(string(bytes.TrimSuffix(label, []byte(":"))))
	return hasWord(exactLabels, text) || text == "grand total"
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
			CountOf(p.Totals, "row looks like a total row", "rows look like total rows"), p.describeTotal(),
			map[bool]string{true: "counts", false: "count"}[p.Totals == 1]))
	}
	return list
}

// describeTotal returns the place and the label of the first total row.
func (p *Profile) describeTotal() string {
	text := fmt.Sprintf("row %d", p.TotalRows[0])
	if p.TotalLabel != "" {
		text += fmt.Sprintf(" (%q)", p.TotalLabel)
	}
	return text
}
