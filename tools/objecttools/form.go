package objecttools

import (
	"bytes"
	"encoding/json"
	"mime"
	"path"
	"regexp"
	"strings"
)

// The formats of text.
const (
	plain     = "text"
	csvForm   = "csv"
	jsonForm  = "json"
	jsonLines = "jsonl"
)

// form is what a text is taken to be, and by what.
type form struct {
	name string // plain, csvForm, …
	by   string // "name", "declared type" or "content"
	// Of CSV: what separates fields, and what ends a record, '\n' or, in a file that has none near its beginning, '\r'.
	comma, eol byte
}

// tell says what form a text has: by its name, else by the type that the store declares, else by how it begins.
func tell(name, declared string, head []byte) form {
	f := form{by: "name"}
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv", ".tab":
		f.name = csvForm
	case ".json", ".geojson":
		f.name = jsonForm
	case ".jsonl", ".ndjson":
		f.name = jsonLines
	}
	if f.name == "" {
		f.by = "declared type"
		kind, _, _ := mime.ParseMediaType(declared)
		switch kind {
		case "text/csv", "text/tab-separated-values":
			f.name = csvForm
		case "application/json":
			f.name = jsonForm
		case "application/jsonl", "application/x-ndjson", "application/x-jsonlines":
			f.name = jsonLines
		}
	}
	if f.name == "" {
		f.by, f.name = "content", byContent(head)
	}
	if f.name == csvForm {
		f.comma, _ = separator(head)
		if strings.EqualFold(path.Ext(name), ".tsv") {
			f.comma = '\t'
		}
		f.eol = '\n'
		if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
			f.eol = '\r'
		}
	}
	return f
}

// objects is how an object begins, or an array of objects.
var objects = regexp.MustCompile(`^(\[\s*)*\{\s*"`)

func byContent(head []byte) string {
	trimmed := bytes.TrimLeft(head, " \t\r\n")
	if len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		first, rest, more := bytes.Cut(trimmed, []byte("\n"))
		switch rest = bytes.TrimLeft(rest, " \t\r\n"); {
		case more && json.Valid(first) && len(rest) > 0 && rest[0] == trimmed[0]:
			return jsonLines
		case json.Valid(trimmed) || objects.Match(trimmed):
			return jsonForm
		}
	}
	if _, sure := separator(head); sure {
		return csvForm
	}
	return plain
}

// separator finds what separates the fields of CSV: the one of comma, semicolon, tab and pipe that comes equally often,
// and most often, in the lines at the beginning, quoted text left aside; else the one most frequent in the first line;
// else the comma. It is sure if three lines or more agree.
func separator(head []byte) (sep byte, sure bool) {
	const seps = ",;\t|"
	var first, same [len(seps)]int // how often in the first line; whether the others agree
	for i := range same {
		same[i] = 1
	}
	var count [len(seps)]int
	lines, quoted, blank := 0, false, true
	for _, c := range head {
		switch {
		case c == '"':
			quoted, blank = !quoted, false
		case quoted:
		case c == '\n' || c == '\r':
			if !blank {
				if lines++; lines == 1 {
					first = count
				}
				for i := range count {
					if count[i] != first[i] {
						same[i] = 0
					}
				}
			}
			count, blank = [len(seps)]int{}, true
		default:
			blank = false
			if i := strings.IndexByte(seps, c); i >= 0 {
				count[i]++
			}
		}
		if lines == 20 {
			break
		}
	}
	if lines == 0 {
		first = count
	}
	best, bestScore := 0, 0
	for i := range first {
		if score := first[i] * (1 + 1000*same[i]); score > bestScore {
			best, bestScore = i, score
		}
	}
	return seps[best], lines >= 3 && first[best] > 0 && same[best] == 1
}
