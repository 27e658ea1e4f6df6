package objecttools

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/carrel-go/carrel/tools"
)

const describeDescription = "Says what a file is: its size, type, encoding, line ends and format; the columns of CSV, the structure of JSON; " +
	"and how many lines or rows it has, as far as one call reads. A large file is counted further with the cursor."

type describeIn struct {
	File   string `json:"file" jsonschema:"the handle of the file, from list_files"`
	Cursor string `json:"cursor,omitempty" jsonschema:"the cursor of the description so far, to count on"`
}

// description is the result of describe_file.
type description struct {
	File     string `json:"file"`
	Name     string `json:"name"`
	Place    string `json:"place"`
	Size     int64  `json:"size"` // in bytes
	Modified string `json:"modified,omitempty"`
	// DeclaredType is the media type that whoever stored the file gave; what the file says of itself is Type.
	DeclaredType string `json:"declared_type,omitempty"`
	// Kind is "text", "binary" or "empty". Type is what a binary file seems to be.
	Kind string `json:"kind"`
	Type string `json:"type,omitempty"`
	// Encoding is "UTF-8", "UTF-16LE" or "UTF-16BE".
	Encoding string `json:"encoding,omitempty"`
	BOM      bool   `json:"bom,omitempty"`
	// LineEnds are those near the beginning: "LF", "CRLF", "CR", "mixed", or "" where there is none.
	LineEnds string `json:"line_ends,omitempty"`
	// Format is "text", "csv", "json" or "jsonl", and FormatBy says what told: "name", "declared type" or "content".
	Format   string `json:"format,omitempty"`
	FormatBy string `json:"format_by,omitempty"`

	// Of CSV: what separates fields, the first row, and how many rows there are behind it; of JSON Lines the records.
	Separator string   `json:"separator,omitempty"`
	Columns   []string `json:"columns,omitempty"`
	Rows      *int64   `json:"rows,omitempty"`
	Ragged    int64    `json:"ragged_rows,omitempty"`    // with more or fewer fields than columns
	Malformed int64    `json:"malformed_rows,omitempty"` // that are no CSV, or no JSON
	// Structure is that of JSON, and of all records of JSON Lines together.
	Structure []jsonPlace  `json:"structure,omitempty"`
	Problems  []rowProblem `json:"problems,omitempty"`
	// Lines, of text that is neither, and how many bytes of it are no text in the encoding.
	Lines   *int64 `json:"lines,omitempty"`
	Invalid int64  `json:"invalid_bytes,omitempty"`

	// Counted is up to which byte all this was counted; Complete says that it is the whole file.
	Counted  int64    `json:"counted"`
	Complete bool     `json:"complete"`
	Notes    []string `json:"notes,omitempty"`
	Cursor   string   `json:"cursor,omitempty"` // to count on
}

// jsonPlace is a place in JSON: $ is the root, .name what a name holds, [] the items of an array.
type jsonPlace struct {
	Path  string   `json:"path"`
	Types []string `json:"types"`
	Count int64    `json:"count"` // how many values there are in that place
}

// Summary implements [tools.Summarizer].
func (d description) Summary() string {
	what := d.Kind
	switch {
	case d.Type != "":
		what += ": " + d.Type
	case d.Format != "" && d.Format != plain:
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

// binaryType is what a binary file seems to be.
func (f *file) binaryType() string { return http.DetectContentType(f.head) }

func (d *desk) describe(ctx context.Context, c *tools.Call, in describeIn) (description, error) {
	f, err := d.open(ctx, c, in.File)
	if err != nil {
		return description{}, err
	}
	n := counts{off: f.start}
	if in.Cursor != "" {
		_, at, err := readCursor(in.Cursor, f.bind("describe"), 6, string(rune(cursorDescribe)))
		if err != nil {
			return description{}, err
		}
		n = counts{at[0], at[1], at[2], at[3], at[4], at[5]}
	}
	r := room{d.maxResult - frame}
	out := description{File: f.handle, Name: f.ref.Name(), Place: place(f.ref), Size: f.info.Size, DeclaredType: clipRunes(f.info.Type, 80)}
	r.take(cost(out.Name))
	if !f.info.Modified.IsZero() {
		out.Modified = f.info.Modified.UTC().Format(time.RFC3339)
	}
	switch {
	case f.info.Size == 0:
		out.Kind, out.Complete = "empty", true
		return out, nil
	case f.enc == notText:
		out.Kind, out.Type = "binary", f.binaryType()
		out.Notes = append(out.Notes, "the file is not text that can be told: it can't be read, searched or sampled here")
		return out, nil
	}
	out.Kind, out.Encoding, out.BOM = "text", f.enc.String(), f.start > 0
	out.Format, out.FormatBy = f.form.name, f.form.by
	out.LineEnds = lineEnds(f.headText())

	var h header
	if f.form.name == csvForm {
		out.Separator = string(rune(f.form.comma))
		if h, err = f.header(ctx, r.left/2); err != nil {
			return description{}, err
		}
		out.Columns, out.Notes = h.columns, append(out.Notes, h.notes...)
		for _, c := range h.columns {
			r.take(cost(c))
		}
		if h.problem != nil {
			out.Problems = append(out.Problems, *h.problem)
		}
		n.off = max(n.off, h.end)
	}
	t, err := f.text(ctx, n.off, n.off+d.maxScan)
	if err != nil {
		return description{}, err
	}
	defer t.Close()
	sh := newShape()
	switch f.form.name {
	case csvForm:
		err = n.csv(ctx, f, t, h.fields, &out)
	case jsonForm:
		err = n.json(f, t, sh, &out)
	case jsonLines:
		err = n.jsonLines(ctx, t, sh, &out)
	default:
		err = n.plain(ctx, t)
	}
	if err != nil {
		return description{}, err
	}
	n.tell(f, sh, &r, &out)
	return out, nil
}

// lineEnds names the line ends in b.
func lineEnds(b []byte) string {
	var lf, crlf, cr int
	for i, c := range b {
		switch {
		case c == '\n' && i > 0 && b[i-1] == '\r':
			crlf++
		case c == '\n':
			lf++
		case c == '\r' && i+1 < len(b) && b[i+1] != '\n':
			cr++
		}
	}
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
