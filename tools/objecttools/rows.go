package objecttools

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

const (
	defaultMaxRow = 64 << 10
	// maxResumes is the number of quotes that are never closed after which a read continues.
	maxResumes = 4
)

// RowsOptions configures [OpenRows]. A nil *RowsOptions is valid.
type RowsOptions struct {
	// MaxRow is the number of bytes of a row that are kept, 1 KiB to 1 MiB. Zero means 64 KiB.
	MaxRow int
}

// Rows is a file of rows: CSV, JSON Lines, or JSON that is an array of records or an object with such an array. It is
// for tools of a host that read a whole file. It reads in constant memory, in ranges of the pinned version.
type Rows struct {
	Name      string
	Size      int64
	Format    string // "csv", "jsonl" or "json"
	Encoding  string // "UTF-8", "UTF-16LE", "UTF-16BE" or, by assumption, "Windows-1252"
	Separator string // of CSV
	// Columns are the names in the first row of CSV, as many as fit. HasColumns is the number of columns that it has.
	Columns    []string
	HasColumns int
	// Notes are the remarks about the encoding and the first row. All adds those about bytes that are not valid in the
	// encoding, and about parts of a JSON file that it does not read.
	Notes []string

	f       *file
	invalid int
	max     int
	start   int64 // of the first row after the header
	started bool
}

// Row is a row of a file. It is valid until the next one is read. Its text is valid UTF-8.
type Row struct {
	Number int64 // from 1
	Offset int64 // of its first byte in the file
	// Fields are the fields of CSV, at most 4,096 of them. Count is the number of fields that the row has.
	Fields [][]byte
	Count  int
	// Record is a record of JSON or JSON Lines, which need not be valid JSON.
	Record []byte
	// Cut reports that a part of the row was not kept. The last field may then be incomplete, and Record is.
	Cut bool
	// Problem is the reason that a row of CSV is malformed, or that the rest of a JSON file is unreadable. Then the row is
	// empty.
	Problem string
	// End is the offset after the row, or after what has been read of it.
	End int64
}

// OpenRows opens the file with that handle, see [Lookup]. It returns a [tools.CorrectionError] for a file that does not
// consist of rows: a binary file, an archive, an empty file or plain text.
func OpenRows(ctx context.Context, c *tools.Call, b *object.Bucket, handle string, o *RowsOptions) (*Rows, error) {
	if b == nil {
		return nil, errors.New("objecttools: bucket must not be nil")
	}
	if o == nil {
		o = &RowsOptions{}
	}
	r := &Rows{max: cmp.Or(o.MaxRow, defaultMaxRow)}
	if r.max < 1<<10 || r.max > 1<<20 {
		return nil, fmt.Errorf("objecttools: invalid MaxRow %d: must be between 1 KiB and 1 MiB", o.MaxRow)
	}
	f, err := (&toolset{bucket: b}).openTextFile(ctx, c, handle)
	if err != nil {
		return nil, err
	}
	switch {
	case f.info.Size == f.start:
		return nil, tools.Correct(fmt.Sprintf("the file %s is empty", handle))
	case f.format.name == formatText:
		return nil, tools.Correct(fmt.Sprintf("the file %s is plain text without rows: use read_chunk or search", handle))
	}
	r.f, r.Name, r.Size, r.start = f, f.ref.Name(), f.info.Size, f.start
	r.Format, r.Encoding = f.format.name, f.enc.String()
	var n notes
	n.addEncoding(f.enc)
	r.Notes = n
	if f.format.name != formatCSV {
		return r, nil
	}
	r.Separator = string(rune(f.format.comma))
	h, err := f.readHeader(ctx, maxHeader)
	if err != nil {
		return nil, err
	}
	r.Columns, r.HasColumns, r.Notes, r.start = h.columns, h.fields, append(r.Notes, h.notes...), h.end
	r.invalid = h.invalid
	if h.problem != nil {
		r.Notes = append(r.Notes, fmt.Sprintf("the first row is malformed: %s at byte %d", h.problem.What, h.problem.Offset))
	}
	return r, nil
}

// All yields every row of the file, once. It reports progress by [tools.Call.Progress] like the tools. A malformed row
// is yielded with its Problem, and reading continues after its line.
func (r *Rows) All(ctx context.Context) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		if r.started {
			yield(nil, errors.New("objecttools: the rows have been read"))
			return
		}
		r.started = true
		var row Row
		read := r.readArray
		switch r.Format {
		case formatCSV:
			read = r.readCSV
		case formatJSONLines:
			read = r.readLines
		}
		if err := read(ctx, &row, func(row *Row) bool {
			row.Number++
			r.validate(row)
			return yield(row, nil)
		}); err != nil {
			yield(nil, err)
		}
		n := notes(r.Notes)
		n.addInvalid(r.invalid, r.f.enc)
		r.Notes = n
	}
}

// validate replaces the invalid bytes in the text of a row, and removes a part of a character at its end if it is cut.
func (r *Rows) validate(row *Row) {
	fields := row.Fields
	if row.Cut {
		last := &row.Record
		if len(fields) > 0 {
			last = &fields[len(fields)-1]
		}
		*last = (*last)[:len(*last)-partialRuneLen(*last)]
	}
	for i, b := range fields {
		fields[i] = r.validText(b)
	}
	row.Record = r.validText(row.Record)
}

func (r *Rows) validText(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	text, invalid := r.f.enc.toText(b)
	r.invalid += invalid
	return []byte(text)
}

// readCSV yields the rows of CSV. If a quote is never closed, it continues after the line of that quote, a few times.
func (r *Rows) readCSV(ctx context.Context, row *Row, yield func(*Row) bool) error {
	from := r.start
	for resumes := 0; ; resumes++ {
		next, err := r.readCSVFrom(ctx, from, row, yield)
		if err != nil || next == 0 || resumes == maxResumes {
			return err
		}
		from = next
	}
}

// readCSVFrom yields the rows from an offset on. It returns where to continue if a quote is never closed, or 0.
func (r *Rows) readCSVFrom(ctx context.Context, from int64, row *Row, yield func(*Row) bool) (next int64, err error) {
	t, err := r.f.openText(ctx, from, r.f.info.Size)
	if err != nil {
		return 0, err
	}
	defer t.Close()
	c := r.f.newCSVReader(t, r.max)
	for {
		if err := c.next(); errors.Is(err, io.EOF) {
			return 0, nil
		} else if err != nil {
			return 0, err
		}
		rec := &c.rec
		*row = Row{Number: row.Number, Offset: rec.off, Fields: row.Fields[:0], Count: rec.fields, Cut: rec.cut, End: rec.end}
		if row.Problem = rec.problem; row.Problem == "" {
			for i := range rec.ends {
				row.Fields = append(row.Fields, rec.field(i))
			}
		}
		if rec.unclosed && rec.nextLine > 0 {
			row.End = rec.nextLine
		}
		if !yield(row) {
			return 0, nil
		}
		if rec.unclosed {
			return rec.nextLine, nil
		}
	}
}

// readLines yields the records of JSON Lines.
func (r *Rows) readLines(ctx context.Context, row *Row, yield func(*Row) bool) error {
	t, err := r.f.openText(ctx, r.start, r.f.info.Size)
	if err != nil {
		return err
	}
	defer t.Close()
	l := &lineReader{t: t}
	var kept []byte
	for {
		p, err := l.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if p.first {
			kept = kept[:0]
			*row = Row{Number: row.Number, Offset: p.off}
		}
		if !p.last {
			p.b = p.b[:l.drop] // the next piece repeats the rest
		}
		n := min(len(p.b), r.max-len(kept))
		kept, row.Cut = append(kept, p.b[:n]...), row.Cut || n < len(p.b)
		if !p.last || len(bytes.TrimSpace(kept)) == 0 {
			continue
		}
		row.Record, row.End = kept, l.offset()
		if !yield(row) {
			return nil
		}
	}
}
