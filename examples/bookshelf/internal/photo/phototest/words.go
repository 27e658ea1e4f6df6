package phototest

import (
	"fmt"
	"strings"
)

// WordTable returns a text as the table of words that tesseract prints, all with the same confidence, 0 to 100. Empty
// lines separate paragraphs, and a tab or several spaces separate words.
func WordTable(text string, confidence float64) string {
	var b strings.Builder
	b.WriteString("level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n")
	b.WriteString("1\t1\t0\t0\t0\t0\t0\t0\t600\t900\t-1\t\n")
	block, line := 1, 0
	for l := range strings.SplitSeq(text, "\n") {
		words := strings.FieldsFunc(l, func(r rune) bool { return r == ' ' || r == '\t' })
		if len(words) == 0 {
			block, line = block+1, 0
			continue
		}
		line++
		for i, w := range words {
			fmt.Fprintf(&b, "5\t1\t%d\t1\t%d\t%d\t0\t0\t90\t30\t%f\t%s\n", block, line, i+1, confidence, w)
		}
	}
	return b.String()
}
