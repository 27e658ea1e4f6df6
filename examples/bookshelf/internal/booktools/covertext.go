package booktools

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Confidences of tesseract, 0 to 100. A line counts if the mean of its words, weighted by their letters, is high
// enough. Text that is read upside down seldom reaches 60, printed text seldom stays below 80.
const (
	sureLine  = 70
	sureNoise = 50 // a word without letters and digits is dropped below it
)

// ocrLine is a line of text.
type ocrLine struct {
	paragraph string // identifies the paragraph
	text      strings.Builder
	sum       float64 // of the confidences, weighted
	weight    float64
	letters   int
}

// isSure reports whether the line is probably not misread.
func (l *ocrLine) isSure() bool { return l.letters > 0 && l.sum >= sureLine*l.weight }

// parseCoverText splits the program's table of words into lines, up to the limits. It removes invalid UTF-8 and control
// characters, and leaves one space between words and one empty line between paragraphs. It also returns the number of
// letters in the lines that are not doubtful.
func parseCoverText(table string) (out CoverText, letters int, err error) {
	lines, err := parseWords(table)
	if err != nil {
		return CoverText{}, 0, err
	}
	out.Available = true
	paragraph := ""
	for _, l := range lines {
		text := l.text.String()
		if text == "" {
			continue
		}
		if r := []rune(text); len(r) > MaxLine {
			text, out.Cut = string(r[:MaxLine]), true
		}
		if !l.isSure() {
			if len(out.Doubtful) == MaxLines {
				out.Cut = true
				continue
			}
			out.Doubtful = append(out.Doubtful, text)
			continue
		}
		if len(out.Lines)+2 > MaxLines {
			out.Cut = true
			continue
		}
		if len(out.Lines) > 0 && l.paragraph != paragraph {
			out.Lines = append(out.Lines, "")
		}
		paragraph = l.paragraph
		out.Lines = append(out.Lines, text)
		letters += l.letters
	}
	switch {
	case len(out.Lines) > 0:
	case len(out.Doubtful) > 0:
		out.Note = "The text on the cover could not be read with confidence."
	default:
		out.Note = "No text was found on the cover."
	}
	return out, letters, nil
}

// The columns of tesseract's table: level, page, block, paragraph, line, word, left, top, width, height, confidence and
// text. Rows of level 5 are words.
const (
	columnLevel, columnBlock, columnParagraph, columnLine, columnConfidence, columnText = 0, 2, 3, 4, 10, 11
	ocrColumns                                                                          = 12
	levelWord                                                                           = "5"
)

// parseWords returns the lines of the words in a table. It returns an error if it is not one of tesseract's tables.
func parseWords(table string) ([]*ocrLine, error) {
	var lines []*ocrLine
	last := ""
	for row := range strings.Lines(strings.ToValidUTF8(table, "")) {
		cells := strings.SplitN(strings.TrimRight(row, "\r\n"), "\t", ocrColumns)
		if len(cells) != ocrColumns {
			return nil, fmt.Errorf("unexpected output: a row of %d columns", len(cells))
		}
		if cells[columnLevel] != levelWord {
			continue
		}
		confidence, err := strconv.ParseFloat(cells[columnConfidence], 64)
		if err != nil || !(confidence <= 100) {
			return nil, fmt.Errorf("unexpected output: the confidence %.20q", cells[columnConfidence])
		}
		paragraph := cells[columnBlock] + " " + cells[columnParagraph]
		if line := paragraph + " " + cells[columnLine]; line != last || len(lines) == 0 {
			lines = append(lines, &ocrLine{paragraph: paragraph})
			last = line
		}
		lines[len(lines)-1].addWord(cells[columnText], max(0, confidence))
	}
	return lines, nil
}

// addWord appends a word to the line, unless it is noise.
func (l *ocrLine) addWord(word string, confidence float64) {
	word = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, word)
	word = strings.Join(strings.Fields(word), " ")
	letters, others := 0, 0
	for _, r := range word {
		if unicode.IsLetter(r) {
			letters++
		} else if unicode.IsDigit(r) {
			others++
		}
	}
	if word == "" || letters+others == 0 && confidence < sureNoise {
		return
	}
	if l.text.Len() > 0 {
		l.text.WriteByte(' ')
	}
	l.text.WriteString(word)
	weight := float64(max(1, letters+others))
	l.sum += weight * confidence
	l.weight += weight
	l.letters += letters
}
