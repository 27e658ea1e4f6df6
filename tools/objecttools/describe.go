package objecttools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/carrel-go/carrel/tools"
)

const describeDescription = "Says what a file is: its size, type, encoding, line ends and format; the columns of CSV, the structure of JSON; " +
	"and how many lines or rows it has, as far as one call reads. A large file is counted further with the cursor."

type describeIn struct {
	File   string `json:"file" jsonschema:"the handle of the file, from list_files"`
	Cursor string `json:"cursor,omitempty" jsonschema:"the cursor of the description so far, to count on"`
}

// Description is what describe_file gives.
type Description struct {
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
	Structure []Place   `json:"structure,omitempty"`
	Problems  []Problem `json:"problems,omitempty"`
	// Lines, of text that is neither, and how many bytes of it are no text in the encoding.
	Lines   *int64 `json:"lines,omitempty"`
	Invalid int64  `json:"invalid_bytes,omitempty"`

	// Counted is up to which byte all this was counted; Complete says that it is the whole file.
	Counted  int64    `json:"counted"`
	Complete bool     `json:"complete"`
	Notes    []string `json:"notes,omitempty"`
	Cursor   string   `json:"cursor,omitempty"` // to count on
}

// Place is a place in JSON: $ is the root, .name what a name holds, [] the items of an array.
type Place struct {
	Path  string   `json:"path"`
	Types []string `json:"types"`
	Count int64    `json:"count"` // how many values there are in that place
}

// Summary implements [tools.Summarizer].
func (d Description) Summary() string {
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

// counts is what describe counts, and what its cursor carries.
type counts struct{ off, lines, rows, ragged, malformed, invalid int64 }

func (d *desk) describe(ctx context.Context, c *tools.Call, in describeIn) (Description, error) {
	f, err := d.open(ctx, c, in.File)
	if err != nil {
		return Description{}, err
	}
	n := counts{off: f.start}
	if in.Cursor != "" {
		_, at, err := readCursor(in.Cursor, f.bind("describe"), 6, string(rune(cursorDescribe)))
		if err != nil {
			return Description{}, err
		}
		n = counts{at[0], at[1], at[2], at[3], at[4], at[5]}
	}
	r := room{d.maxResult - frame}
	out := Description{File: f.handle, Name: f.ref.Name(), Place: place(f.ref), Size: f.info.Size, DeclaredType: clipRunes(f.info.Type, 80)}
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
			return Description{}, err
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
		return Description{}, err
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
		return Description{}, err
	}
	n.tell(f, sh, &r, &out)
	return out, nil
}

// tell writes the counts into the description, and as much of the structure as there is room for.
func (n *counts) tell(f *file, sh *shape, r *room, out *Description) {
	switch f.form.name {
	case csvForm, jsonLines:
		out.Rows = &n.rows
	case plain:
		out.Lines = &n.lines
	}
	out.Ragged, out.Malformed, out.Invalid, out.Counted = n.ragged, n.malformed, n.invalid, n.off
	out.Complete = n.off >= f.info.Size
	if n.invalid > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("bytes that are no %s: the text may be in an 8-bit encoding such as Latin-1, which can't be told; they are shown as U+FFFD", f.enc))
	}
	if f.form.name == jsonForm || f.form.name == jsonLines {
		left := sh.leftOut
		for _, p := range sh.nodes {
			if p.count == 0 {
				continue
			}
			if !r.take(cost(p.path) + 110) {
				left++
				continue
			}
			out.Structure = append(out.Structure, Place{Path: p.path, Types: p.kinds.names(), Count: p.count})
		}
		if left > 0 {
			out.Notes = append(out.Notes, "the structure is not told whole: it is deeper or wider than fits")
		}
	}
	if out.Complete {
		return
	}
	if f.form.name == jsonForm {
		out.Notes = append(out.Notes, fmt.Sprintf("the structure is that of the first %d of %d bytes", n.off, f.info.Size))
		return
	}
	out.Notes = append(out.Notes, fmt.Sprintf("counted up to byte %d of %d: count on with the cursor", n.off, f.info.Size))
	out.Cursor = writeCursor(cursorDescribe, f.bind("describe"), n.off, n.lines, n.rows, n.ragged, n.malformed, n.invalid)
}

func (n *counts) plain(ctx context.Context, t *text) error {
	l := &lines{t: t}
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("objecttools: %w", err)
		}
		p, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			n.off = t.off
			return nil
		case errors.Is(err, errPart):
			n.off = l.at()
			return nil
		case err != nil:
			return err
		}
		if !p.last { // the next piece begins with the rest
			n.invalid += invalid(p.b[:l.drop])
			continue
		}
		n.invalid += invalid(p.b)
		n.lines++
	}
}

func (n *counts) csv(ctx context.Context, f *file, t *text, columns int, out *Description) error {
	s := f.records(t, 0)
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("objecttools: %w", err)
		}
		err := s.next()
		switch {
		case errors.Is(err, io.EOF):
			n.off = t.off
			return nil
		case errors.Is(err, errPart):
			if s.rec.off == n.off { // nothing was counted, and nothing would be
				out.Notes = append(out.Notes, fmt.Sprintf("row %d, from byte %d on, does not end within what one call reads; perhaps a quote is never closed", n.rows+1, n.off))
				n.malformed++
				n.rows++
				if s.rec.resume > 0 {
					n.off = s.rec.resume
				} else {
					n.off = t.off
				}
				return nil
			}
			n.off = s.rec.off
			return nil
		case err != nil:
			return err
		}
		n.rows++
		switch {
		case s.rec.problem != "":
			n.malformed++
			out.problem(*s.rec.tell(n.rows))
		case s.rec.fields != columns && columns > 0:
			if n.ragged++; n.ragged <= 3 {
				out.problem(Problem{Row: n.rows, Offset: s.rec.off, What: fmt.Sprintf("%d fields, and %d columns", s.rec.fields, columns)})
			}
		}
	}
}

// problem tells a problem, if it is among the first. The frame has room for those.
func (d *Description) problem(p Problem) {
	if len(d.Problems) < 5 {
		p.Text = fit(p.Text, 100)
		d.Problems = append(d.Problems, p)
	}
}

func (n *counts) json(f *file, t *text, sh *shape, out *Description) error {
	s := &scanner{t: t, shape: sh}
	err := s.document()
	if err == nil {
		if _, err = s.space(); err == nil {
			err = s.bad("more text after the value: perhaps the file is JSON Lines")
		}
	}
	n.off = s.at()
	if e, ok := errors.AsType[*jsonError](err); ok {
		out.problem(Problem{Offset: e.at, What: "no JSON: " + e.msg})
		return nil
	}
	if errors.Is(err, io.EOF) {
		n.off = f.info.Size
		if sh.nodes[0].count == 0 {
			out.problem(Problem{Offset: f.start, What: "no JSON: there is nothing but space"})
		}
		return nil
	}
	if errors.Is(err, errPart) {
		return nil
	}
	return err
}

func (n *counts) jsonLines(ctx context.Context, t *text, sh *shape, out *Description) error {
	s := &scanner{t: t, shape: sh, oneLine: true}
	begin := t.off
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("objecttools: %w", err)
		}
		b, err := s.space()
		n.off = s.at()
		start := n.off
		if err == nil && b == '\n' {
			s.i++
			n.off = s.at()
			continue
		}
		if err == nil {
			if err = s.inside(s.value(b, sh.root(), 0)); err == nil {
				if b, err = s.space(); err == nil && b != '\n' {
					err = s.bad("more text after the value")
				}
			}
			if e, ok := errors.AsType[*jsonError](err); ok {
				n.malformed++
				out.problem(Problem{Row: n.rows + 1, Offset: e.at, What: "no JSON: " + e.msg})
				err = s.line()
			}
			if err == nil || errors.Is(err, io.EOF) {
				n.rows++
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			n.off = t.to
			return nil
		case errors.Is(err, errPart):
			if n.off = start; start == begin && s.at() > start { // it would not end in the next call either
				n.off = s.at()
				n.rows++
				n.malformed++
				out.Notes = append(out.Notes, fmt.Sprintf("row %d, from byte %d on, does not end within what one call reads: it counts as malformed, and so does its rest", n.rows, start))
			}
			return nil
		case err != nil:
			return err
		}
	}
}

// line goes to the end of the line.
func (s *scanner) line() error {
	for {
		b, err := s.peek()
		if err != nil || b == '\n' {
			return err
		}
		s.i++
	}
}

// invalid counts the bytes that are no part of a character.
func invalid(b []byte) (n int64) {
	if utf8.Valid(b) {
		return 0
	}
	for len(b) > 0 {
		r, w := utf8.DecodeRune(b)
		if r == utf8.RuneError && w == 1 {
			n++
		}
		b = b[w:]
	}
	return n
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
