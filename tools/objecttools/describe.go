package objecttools

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/carrel-go/carrel/tools"
)

const describeDescription = "Describe a file: its size, type, encoding, line ends and format, the columns of CSV, " +
	"the structure of JSON, and the number of lines or rows. One call reads only a part of a large file: call again " +
	"with the cursor to count the rest. Example: {\"file\": \"f1\"}."

type describeArgs struct {
	File   string `json:"file" jsonschema:"the handle of the file, from list_files, for example f1"`
	Cursor string `json:"cursor,omitempty" jsonschema:"the cursor of the previous description, to continue counting"`
}

// description is the result of describe_file.
type description struct {
	File     string `json:"file"`
	Name     string `json:"name"`
	Place    string `json:"place"`
	Size     int64  `json:"size"`
	Modified string `json:"modified,omitempty"`

	// DeclaredType is the media type that was stored with the file. Type is detected from the content of a binary file.
	DeclaredType string `json:"declared_type,omitempty"`
	Kind         string `json:"kind"` // "text", "binary" or "empty"
	Type         string `json:"type,omitempty"`

	Encoding string `json:"encoding,omitempty"` // "UTF-8", "UTF-16LE", "UTF-16BE" or "Windows-1252"
	BOM      bool   `json:"bom,omitempty"`
	LineEnds string `json:"line_ends,omitempty"` // in the first lines: "LF", "CRLF", "CR", "mixed" or ""
	Format   string `json:"format,omitempty"`    // "text", "csv", "json" or "jsonl"
	FormatBy string `json:"format_by,omitempty"` // the evidence: "name", "declared type" or "content"

	// Separator and Columns describe CSV. Rows is the number of rows of CSV after the header, or of JSON Lines records.
	Separator string       `json:"separator,omitempty"`
	Columns   []string     `json:"columns,omitempty"`
	Rows      *int64       `json:"rows,omitempty"`
	Ragged    int64        `json:"ragged_rows,omitempty"` // rows with more or fewer fields than columns
	Malformed int64        `json:"malformed_rows,omitempty"`
	Structure []jsonPlace  `json:"structure,omitempty"` // of JSON, and of all JSON Lines records together
	Problems  []rowProblem `json:"problems,omitempty"`
	Lines     *int64       `json:"lines,omitempty"`         // of text that is neither CSV nor JSON
	Invalid   int64        `json:"invalid_bytes,omitempty"` // of text that is neither CSV nor JSON

	// Counted is the offset up to which the file was counted. Complete reports that this is the whole file.
	Counted  int64  `json:"counted"`
	Complete bool   `json:"complete"`
	Notes    notes  `json:"notes,omitempty"`
	Cursor   string `json:"cursor,omitempty"`
}

// jsonPlace is a position in JSON: $ is the root, .name a member, [] the items of an array.
type jsonPlace struct {
	Path  string   `json:"path"`
	Types []string `json:"types"`
	Count int64    `json:"count"` // the number of values
}

// Summary implements [tools.Summarizer].
func (d description) Summary() string {
	what := d.Kind
	switch {
	case d.Type != "":
		what += ": " + d.Type
	case d.Format != "" && d.Format != formatText:
		what = d.Format
	}
	s := fmt.Sprintf("%s: %s, %d bytes", d.File, what, d.Size)
	switch {
	case d.Rows != nil:
		s += fmt.Sprintf(", %d rows", *d.Rows)
	case d.Lines != nil:
		s += fmt.Sprintf(", %d lines", *d.Lines)
	}
	if d.Kind == "text" && !d.Complete {
		s += " so far"
	}
	return s
}

// addProblem adds one of the first problems. frameCost includes them.
func (d *description) addProblem(p rowProblem) {
	if len(d.Problems) < 5 {
		p.Text = truncateCost(p.Text, 100)
		d.Problems = append(d.Problems, p)
	}
}

// binaryType returns the media type that is detected from the first bytes.
func (f *file) binaryType() string { return http.DetectContentType(f.head) }

func (ts *toolset) describeFile(ctx context.Context, c *tools.Call, args describeArgs) (description, error) {
	f, err := ts.openFile(ctx, c, args.File)
	if err != nil {
		return description{}, err
	}
	n := counts{off: f.start}
	if args.Cursor != "" {
		at, err := parseCursor(args.Cursor, f.cursorBinding("describe"), 6)
		if err != nil {
			return description{}, err
		}
		n = counts{at[0], at[1], at[2], at[3], at[4], at[5]}
	}
	left := ts.resultBudget()
	out := description{
		File: f.handle, Name: f.ref.Name(), Place: fileLocation(f.ref), Size: f.info.Size,
		Modified: formatTime(f.info.Modified), DeclaredType: truncateRunes(f.info.Type, 80),
	}
	left.take(jsonCost(out.Name))
	switch {
	case f.info.Size == 0:
		out.Kind, out.Complete = "empty", true
		return out, nil
	case f.enc == notText:
		out.Kind, out.Type = "binary", f.binaryType()
		out.Notes.add("the file is not text in a known encoding, so it can't be read, searched or sampled")
		return out, nil
	}
	out.Kind, out.Encoding, out.BOM = "text", f.enc.String(), f.start > 0
	out.Format, out.FormatBy = f.format.name, f.format.by
	out.LineEnds = sniffLineEnds(f.decodeHead())

	var h csvHeader
	if f.format.name == formatCSV {
		out.Separator = string(rune(f.format.comma))
		if h, err = f.readHeader(ctx, left.left/2); err != nil {
			return description{}, err
		}
		out.Columns, out.Notes = h.columns, append(out.Notes, h.notes...)
		left.takeTexts(h.columns)
		if h.problem != nil {
			out.addProblem(*h.problem)
		}
		n.off = max(n.off, h.end)
	}
	t, err := f.openText(ctx, n.off, n.off+ts.maxScan)
	if err != nil {
		return description{}, err
	}
	defer t.Close()
	shape := newJSONShape(f.enc)
	switch f.format.name {
	case formatCSV:
		err = n.countRows(f.newCSVReader(t, 0), h.fields, &out)
	case formatJSON:
		err = n.countJSON(t, shape, &out)
	case formatJSONLines:
		err = n.countRecords(t, shape, &out)
	default:
		err = n.countLines(t)
	}
	if err != nil {
		return description{}, err
	}
	n.report(f, &out)
	if f.format.name == formatJSON || f.format.name == formatJSONLines {
		out.addStructure(shape, &left)
	}
	return out, nil
}

// sniffLineEnds names the line ends in b, which may end within one.
func sniffLineEnds(b []byte) string {
	b = bytes.TrimSuffix(b, []byte("\r"))
	crlf := bytes.Count(b, []byte("\r\n"))
	lf, cr := bytes.Count(b, []byte("\n"))-crlf, bytes.Count(b, []byte("\r"))-crlf
	switch {
	case lf+crlf+cr == 0:
		return ""
	case crlf+cr == 0:
		return "LF"
	case lf+cr == 0:
		return "CRLF"
	case lf+crlf == 0:
		return "CR"
	}
	return "mixed"
}
