package objecttools

import (
	"errors"
	"fmt"
	"io"
)

// writeCSV fills the chunk with rows of CSV.
func (w *rowWriter) writeCSV(t *textReader, columns int) error {
	c := w.f.newCSVReader(t, 0)
	start := t.off
	for {
		isSeeking := w.isSeeking()
		if !isSeeking && len(w.out.Rows) == w.req.count {
			w.endAt(t.off, false)
			return nil
		}
		if c.keep = w.left.left; isSeeking {
			c.keep = 0
		}
		switch err := c.next(); {
		case errors.Is(err, io.EOF):
			w.endFile(t.off)
			return nil
		case errors.Is(err, errPartEnd) && c.rec.off > start:
			w.endScan(c.rec.off, false)
			return nil
		case errors.Is(err, errPartEnd):
			w.endInRow(&c.rec, t.off)
			return nil
		case err != nil:
			return err
		}
		if isSeeking {
			w.req.line++
			continue
		}
		if !w.addRow(&c.rec, columns) {
			w.endFull(c.rec.off)
			return nil
		}
		if c.rec.unclosed && c.rec.nextLine > 0 {
			w.endAt(c.rec.nextLine, false)
			w.out.Notes.add("the quote in row %d includes the rest of the file: the cursor continues after the row's first line",
				w.req.line-1)
			return nil
		}
	}
}

// endInRow ends the chunk within a row that is longer than a call may read.
func (w *rowWriter) endInRow(rec *csvRecord, off int64) {
	w.out.Notes.add("row %d at byte %d does not end within %d bytes; perhaps a quote is never closed",
		w.req.line, rec.off, off-rec.off)
	if rec.nextLine == 0 {
		w.out.End = rec.off
		w.out.Notes.add("read it by bytes")
		return
	}
	w.req.line++
	w.endAt(rec.nextLine, false)
	w.out.Notes.add("the cursor continues after the first line of row %d", w.req.line-1)
}

// addRow adds a row and its problems, and reports whether it fits. The first row always fits, but may be truncated.
func (w *rowWriter) addRow(rec *csvRecord, columns int) bool {
	isFirst := len(w.out.Rows) == 0
	if isFirst {
		w.out.First, w.out.Start = w.req.line, rec.off
	}
	fits := !rec.cut && rec.cost() <= w.left.left
	switch {
	case rec.problem != "":
		if !isFirst && w.left.left < cutCost {
			return false
		}
		w.out.Rows = append(w.out.Rows, []string{})
		w.left.take(3)
		w.addProblem(*rec.newProblem(w.req.line))
	case fits:
		w.appendRow(rec)
		if rec.fields != columns && columns > 0 {
			w.addProblem(newRaggedProblem(w.req.line, rec, columns))
		}
	case isFirst:
		w.left.left -= cutCost // reserved for the problem
		w.appendRow(rec)
		w.left.left += cutCost
		w.addProblem(rowProblem{Row: w.req.line, Offset: rec.off, What: fmt.Sprintf("the row has %d bytes and %d fields "+
			"and does not fit, so it is truncated: read it by bytes from this offset", rec.end-rec.off, rec.fields)})
	default:
		return false
	}
	w.req.line++
	w.out.End = rec.end
	return true
}

func (w *rowWriter) appendRow(rec *csvRecord) {
	row, invalid := rec.fieldTexts(&w.left)
	w.out.Rows, w.out.Invalid = append(w.out.Rows, row), w.out.Invalid+invalid
}

// newRaggedProblem reports a row with more or fewer fields than columns.
func newRaggedProblem(row int64, rec *csvRecord, columns int) rowProblem {
	return rowProblem{Row: row, Offset: rec.off, What: fmt.Sprintf("%d fields, but %d columns", rec.fields, columns)}
}
