package objecttools

import (
	"errors"
	"io"
)

// counts is what describe_file counts, and the content of its cursor.
type counts struct{ off, lines, rows, ragged, malformed, invalid int64 }

// report writes the counts to the description, and a cursor if they are incomplete.
func (n *counts) report(f *file, out *description) {
	switch f.format.name {
	case formatCSV, formatJSONLines:
		out.Rows = &n.rows
	case formatText:
		out.Lines = &n.lines
	}
	out.Ragged, out.Malformed, out.Invalid, out.Counted = n.ragged, n.malformed, n.invalid, n.off
	out.Complete = n.off >= f.info.Size
	out.Notes.addEncoding(f.enc)
	out.Notes.addInvalid(int(n.invalid), f.enc)
	switch {
	case out.Complete:
	case f.format.name == formatJSON:
		out.Notes.add("the structure covers the first %d of %d bytes", n.off, f.info.Size)
	default:
		out.Notes.add("counted up to byte %d of %d: continue with the cursor", n.off, f.info.Size)
		out.Cursor = encodeCursor(f.cursorBinding("describe"),
			n.off, n.lines, n.rows, n.ragged, n.malformed, n.invalid)
	}
}

// countLines counts the lines and the invalid bytes of plain text.
func (n *counts) countLines(t *textReader) error {
	l := &lineReader{t: t}
	for {
		p, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			n.off = t.off
			return nil
		case errors.Is(err, errPartEnd):
			n.off = l.offset()
			return nil
		case err != nil:
			return err
		}
		if p.last {
			n.lines++
		} else { // the next piece repeats the rest
			p.b = p.b[:l.drop]
		}
		n.invalid += int64(countInvalid(p.b))
	}
}

func (n *counts) countRows(c *csvReader, columns int, out *description) error {
	rec := &c.rec
	for {
		err := c.next()
		switch {
		case errors.Is(err, io.EOF):
			n.off = c.t.off
			return nil
		case errors.Is(err, errPartEnd) && rec.off > n.off:
			n.off = rec.off
			return nil
		case errors.Is(err, errPartEnd): // this record is all that a call reads: skip its first line, or the part
			out.Notes.add("row %d at byte %d does not end within the bytes that one call reads; perhaps a quote is never closed",
				n.rows+1, n.off)
			n.malformed++
			n.rows++
			n.off = c.t.off
			if rec.nextLine > 0 {
				n.off = rec.nextLine
			}
			return nil
		case err != nil:
			return err
		}
		n.rows++
		switch {
		case rec.problem != "":
			n.malformed++
			out.addProblem(*rec.newProblem(n.rows))
		case rec.fields != columns && columns > 0:
			if n.ragged++; n.ragged <= 3 {
				out.addProblem(newRaggedProblem(n.rows, rec, columns))
			}
		}
		if rec.unclosed && rec.nextLine > 0 {
			n.off = rec.nextLine
			out.Notes.add("the quote in row %d includes the rest of the file: the cursor continues after the row's first line",
				n.rows)
			return nil
		}
	}
}
