package objecttools

import (
	"bytes"
	"encoding/json"
	"mime"
	"path"
	"regexp"
	"strings"
)

// The formats of text files.
const (
	formatText      = "text"
	formatCSV       = "csv"
	formatJSON      = "json"
	formatJSONLines = "jsonl"
)

// format is the detected format of a text file.
type format struct {
	name string // formatText, formatCSV, …
	by   string // the evidence: "name", "declared type" or "content"

	// The separator and the line end of CSV. eol is '\n', or '\r' if the first lines end with CR alone.
	comma, eol byte
	before     preamble
}

// hasRows reports whether the format consists of rows: CSV or JSON Lines.
func (f format) hasRows() bool { return f.name == formatCSV || f.name == formatJSONLines }

// detectFormat detects the format from the file's name, the declared type or the first bytes, in this order. isWhole
// reports that head is the whole text.
func detectFormat(name, declared string, head []byte, isWhole bool) format {
	f := format{by: "name"}
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv", ".tab":
		f.name = formatCSV
	case ".json", ".geojson":
		f.name = formatJSON
	case ".jsonl", ".ndjson":
		f.name = formatJSONLines
	}
	if f.name == "" {
		f.by = "declared type"
		mediaType, _, _ := mime.ParseMediaType(declared)
		switch mediaType {
		case "text/csv", "text/tab-separated-values":
			f.name = formatCSV
		case "application/json":
			f.name = formatJSON
		case "application/jsonl", "application/x-ndjson", "application/x-jsonlines":
			f.name = formatJSONLines
		}
	}
	if f.name == "" {
		f.by, f.name = "content", sniffFormat(head)
	}
	if f.name == formatCSV {
		f.eol = '\n'
		if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
			f.eol = '\r'
		}
		comma, _ := sniffSeparator(head)
		others := separators
		if named := namedSeparator(head); named != 0 {
			comma, others = named, ""
		} else if strings.EqualFold(path.Ext(name), ".tsv") {
			comma, others = '\t', ""
		}
		f.setSeparator(head, isWhole, comma, others)
	}
	return f
}

// setSeparator sets the separator of CSV and the rows before the table. If a table does not begin in the first line,
// and only another separator shows where it does, that one is the separator.
func (f *format) setSeparator(head []byte, isWhole bool, comma byte, others string) {
	f.comma = comma
	if f.before = f.findPreamble(head, isWhole); f.before.rows > 0 || f.before.isTable {
		return
	}
	for _, other := range []byte(others) {
		o := format{comma: other, eol: f.eol}
		if o.before = o.findPreamble(head, isWhole); o.before.rows > 0 {
			f.comma, f.before = o.comma, o.before
			return
		}
	}
}

// objectStart matches the start of a JSON object, or of an array of objects.
var objectStart = regexp.MustCompile(`^(\[\s*)*\{\s*"`)

func sniffFormat(head []byte) string {
	trimmed := bytes.TrimLeft(head, " \t\r\n")
	if len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		first, rest, more := bytes.Cut(trimmed, []byte("\n"))
		switch rest = bytes.TrimLeft(rest, " \t\r\n"); {
		case more && json.Valid(first) && len(rest) > 0 && rest[0] == trimmed[0]:
			return formatJSONLines
		case json.Valid(trimmed) || objectStart.Match(trimmed):
			return formatJSON
		}
	}
	if _, sure := sniffSeparator(head); sure || namedSeparator(head) != 0 {
		return formatCSV
	}
	return formatText
}

const (
	separators = ",;\t|"
	// sniffedLines is the number of lines that sniffSeparator compares at most.
	sniffedLines = 20
	// sureLines is the number of lines that must agree on a separator before text counts as CSV.
	sureLines = 3
)

// separatorCounts is the number of occurrences of each separator in a line.
type separatorCounts [len(separators)]int

// sniffSeparator returns the separator that occurs most often in the first line, and equally often in each other line.
// If none does, it returns the most frequent one of the first line, or of all lines, or a comma. It is sure if at least
// three lines agree.
func sniffSeparator(head []byte) (comma byte, sure bool) {
	lines, rest := countSeparators(head)
	first := rest
	if len(lines) > 0 {
		first = lines[0]
	}
	best, bestScore, bestAgrees := 0, 0, false
	for i, n := range first {
		agrees := true
		for _, line := range lines {
			agrees = agrees && line[i] == n
		}
		score := n
		if agrees {
			score *= 1001
		}
		if score > bestScore {
			best, bestScore, bestAgrees = i, score, agrees
		}
	}
	if bestScore == 0 {
		best = mostFrequent(lines)
	}
	return separators[best], len(lines) >= sureLines && bestAgrees
}

// mostFrequent returns the separator that occurs most often, or a comma.
func mostFrequent(lines []separatorCounts) (best int) {
	var total separatorCounts
	for _, line := range lines {
		for i, n := range line {
			total[i] += n
		}
	}
	for i, n := range total {
		if n > total[best] {
			best = i
		}
	}
	return best
}

// countSeparators counts the separators outside quotes in each of the first lines that are not blank. rest is the count
// of the text after them.
func countSeparators(head []byte) (lines []separatorCounts, rest separatorCounts) {
	quoted, blank := false, true
	for _, c := range head {
		switch {
		case c == '"':
			quoted, blank = !quoted, false
		case quoted:
		case c == '\n' || c == '\r':
			if !blank {
				lines = append(lines, rest)
			}
			rest, blank = separatorCounts{}, true
			if len(lines) == sniffedLines {
				return lines, rest
			}
		default:
			blank = false
			if i := strings.IndexByte(separators, c); i >= 0 {
				rest[i]++
			}
		}
	}
	return lines, rest
}
