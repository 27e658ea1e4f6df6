package reader

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// measureName matches the name of a measure in a result, such as sum(quantity).
var measureName = regexp.MustCompile(`^(sum|avg|min|max|count|numbers)\((.*)\)$`)

var measureWords = map[string]string{
	"sum": "total", "avg": "average", "min": "lowest", "max": "highest", "count": "values of", "numbers": "numbers of",
}

// labelsOf returns the names of an answer's columns, with those of measures in words, such as total quantity.
func labelsOf(a *intaketools.Answer) []string {
	labels := slices.Clone(a.Columns)
	for i := len(labels) - len(a.Types); i < len(labels); i++ {
		if m := measureName.FindStringSubmatch(labels[i]); m != nil {
			labels[i] = measureWords[m[1]] + " " + m[2]
		}
	}
	return labels
}

// tellLine returns the values of a line with their labels.
func tellLine(labels, line []string) string {
	var parts []string
	for i, v := range line {
		parts = append(parts, labels[i]+" "+cmp.Or(v, "(empty)"))
	}
	return strings.Join(parts, ", ")
}

// tellTable returns lines as a table, one line of text each, with bars between the values.
func tellTable(labels []string, lines []query.Line) string {
	rows := []string{tellRow(labels), "|" + strings.Repeat(" --- |", len(labels))}
	for _, line := range lines {
		rows = append(rows, tellRow(line))
	}
	return strings.Join(rows, "\n")
}

// cell writes a value into a row of a table: on one line, and with a backslash before a bar or a backslash.
var cell = strings.NewReplacer("\\", "\\\\", "|", "\\|", "\r", " ", "\n", " ")

func tellRow(values []string) string {
	var s strings.Builder
	s.WriteString("|")
	for _, v := range values {
		s.WriteString(" " + cell.Replace(cmp.Or(v, "(empty)")) + " |")
	}
	return s.String()
}
