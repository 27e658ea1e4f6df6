package objecttools

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/carrel-go/carrel/tools"
)

// maxHeader is the length of the longest first row of CSV in bytes.
const maxHeader = 1 << 20

// csvHeader is the first row of the table in a CSV file.
type csvHeader struct {
	columns []string // as many as fit
	fields  int      // the number of columns
	end     int64    // the offset after the row
	invalid int
	problem *rowProblem
	notes   notes
}

// readHeader reads the first row of the table, see findPreamble. The names of the columns may cost at most n bytes.
func (f *file) readHeader(ctx context.Context, n int) (csvHeader, error) {
	before := f.format.before
	c := f.newCSVReader(&textReader{
		enc: f.enc, off: f.start, mark: f.start, to: int64(len(f.head)), final: f.hasWholeHead(), buf: f.decodeHead(),
		ended: true,
	}, n)
	for range before.rows {
		_ = c.next() // it has been read before
	}
	from := c.t.off
	err := c.next()
	if errors.Is(err, errPartEnd) { // it is longer than the head
		t, openErr := f.openText(ctx, from, from+maxHeader)
		if openErr != nil {
			return csvHeader{}, openErr
		}
		defer t.Close()
		c = f.newCSVReader(t, n)
		err = c.next()
	}
	switch {
	case errors.Is(err, errPartEnd):
		return csvHeader{}, tools.Correct(fmt.Sprintf("the first row of %s is longer than %d bytes. Call read_chunk with "+
			"by \"lines\" or \"bytes\" instead.", f.handle, maxHeader))
	case errors.Is(err, io.EOF):
		return csvHeader{end: f.info.Size}, nil
	case err != nil:
		return csvHeader{}, err
	}
	r := &c.rec
	h := csvHeader{fields: r.fields, end: r.end}
	switch {
	case before.text != "":
		h.notes.add("the table begins in line %d; the lines before it, such as %q, are not part of it", before.line,
			truncateRunes(before.text, shownRaw))
	case before.rows > 0:
		h.notes.add("the table begins in line %d, after the line that names a separator", before.line)
	}
	if r.problem != "" {
		h.fields = 0
		h.problem = r.newProblem(0)
		if r.nextLine > 0 && r.end == f.info.Size {
			h.end = r.nextLine
		}
		return h, nil
	}
	h.columns, h.invalid = r.fieldTexts(&budget{n})
	if r.cut || r.cost() > n {
		h.notes.add("only %d of %d column names fit, and the last one may be truncated", len(h.columns), h.fields)
	}
	return h, nil
}
