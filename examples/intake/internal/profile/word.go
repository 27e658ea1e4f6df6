package profile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// maxWords is the number of texts for missing values that a column counts.
const maxWords = 8

// noteWord counts a text that stands for a missing value, such as n/a. The empty text is not one.
func (c *column) noteWord(b []byte) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return
	}
	word := string(b)
	i := slices.IndexFunc(c.words, func(w FormatCount) bool { return w.Format == word })
	if i < 0 {
		if len(c.words) == maxWords {
			i, word = maxWords-1, ""
		} else {
			i, c.words = len(c.words), append(c.words, FormatCount{Format: word})
		}
	}
	c.words[i].Count++
}

// isShortCode reports whether a text is two capital letters, as the code of a country is.
func isShortCode(b []byte) bool {
	b = bytes.TrimSpace(b)
	return len(b) == 2 && b[0]-'A' < 26 && b[1]-'A' < 26
}

// keepsCodes reports whether NA is a code in the column, as that of Namibia is: most of its texts are such codes.
func (c *column) keepsCodes() bool {
	return c.shortCodes > 0 && 2*c.shortCodes > c.counts[isText]+c.counts[isInteger]+c.counts[isDecimal]+c.counts[isDate]
}

// noteWords sets the texts that count as missing, and takes back those that are codes.
func (out *Column) noteWords(c *column) {
	out.KeepsCodes = c.keepsCodes()
	for _, w := range c.words {
		if out.KeepsCodes && w.Format == codeNA {
			out.Kept += w.Count
			continue
		}
		out.MissingTexts = append(out.MissingTexts, w)
	}
}

const codeNA = "NA"

// isKept reports whether a text that counts as missing elsewhere is a value in the column, which may be nil.
func (c *Column) isKept(b []byte) bool {
	if c == nil {
		return false
	}
	b = bytes.TrimSpace(b)
	return c.KeepsTexts && len(b) > 0 || c.KeepsCodes && string(b) == codeNA
}

// wordRemarks returns a sentence about the texts that count as missing.
func (p *Profile) wordRemarks() (list []string) {
	for i := range p.Columns {
		c := &p.Columns[i]
		if len(c.MissingTexts) == 0 || len(list) == maxRemarks {
			continue
		}
		list = append(list, fmt.Sprintf("in %.60q, these texts count as missing: %s", c.Name, c.DescribeMissing()))
	}
	return list
}

// DescribeMissing returns the texts that count as missing in the column, and how often they occur.
func (c *Column) DescribeMissing() string {
	var texts []string
	for _, w := range c.MissingTexts {
		texts = append(texts, fmt.Sprintf("%.40q (%d)", w.Format, w.Count))
	}
	return strings.Join(texts, ", ")
}
