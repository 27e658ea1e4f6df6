package objecttools

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/tools"
)

const (
	// maxProblems is the number of problems in a result.
	maxProblems = 10
	// problemCost is the cost of a problem without its texts.
	problemCost = 100
	// cutCost is the cost of the report that a row was truncated.
	cutCost = 300
)

// rowWriter fills a chunk with rows of CSV or records of JSON Lines.
type rowWriter struct {
	f        *file
	req      *readRequest
	out      *chunk
	left     budget
	hidden   int // problems that were left out
	fileEnds bool
}

func (ts *toolset) readRows(ctx context.Context, f *file, req readRequest, out *chunk) error {
	w := &rowWriter{f: f, req: &req, out: out, left: ts.resultBudget()}
	var h csvHeader
	if f.format.name == formatCSV {
		var err error
		if h, err = f.readHeader(ctx, w.left.left/3); err != nil {
			return err
		}
		out.Columns, out.Invalid, out.Notes = h.columns, h.invalid, append(out.Notes, h.notes...)
		w.left.takeTexts(h.columns)
		if h.problem != nil {
			w.addProblem(*h.problem)
		}
		if !req.isCursor {
			req.off = h.end
		}
	}
	out.Start, out.End = req.off, req.off
	t, err := f.openText(ctx, req.off, req.off+ts.maxScan)
	if err != nil {
		return err
	}
	defer t.Close()
	if f.format.name == formatCSV {
		err = w.writeCSV(t, h.fields)
	} else {
		err = w.writeRecords(t)
	}
	if err != nil {
		return err
	}
	if w.fileEnds && req.line <= req.goal && len(out.Rows)+len(out.Records) == 0 {
		return tools.Correct(fmt.Sprintf("start is %d, but the file has only %d rows", req.goal, req.line-1))
	}
	if w.hidden > 0 {
		out.Notes.add("%d more problems with rows are not shown", w.hidden)
	}
	out.Notes.addEncoding(f.enc)
	out.Notes.addInvalid(out.Invalid, f.enc)
	return nil
}

// isSeeking reports whether the next row comes before the first one of the request.
func (w *rowWriter) isSeeking() bool { return w.req.line < w.req.goal }

// addProblem adds a problem if it fits.
func (w *rowWriter) addProblem(p rowProblem) {
	if len(w.out.Problems) == maxProblems || !w.left.take(jsonCost(p.What)+jsonCost(p.Text)+problemCost) {
		w.hidden++
		return
	}
	w.out.Problems = append(w.out.Problems, p)
}

// endAt ends the chunk at off, where the row req.line begins or, if inLine, continues.
func (w *rowWriter) endAt(off int64, inLine bool) {
	w.out.End = off
	if off < w.f.info.Size {
		w.out.Cursor = w.req.cursorAt(w.f, off, inLine)
	}
}

// endFull ends the chunk because the row at off does not fit.
func (w *rowWriter) endFull(off int64) {
	w.endAt(off, false)
	w.out.Notes.add("row %d did not fit: continue with the cursor", w.req.line)
}

// endFile ends the chunk at the end of the file.
func (w *rowWriter) endFile(off int64) {
	w.fileEnds = true
	w.endAt(off, false)
}

// endScan ends the chunk because the call may not read more.
func (w *rowWriter) endScan(off int64, inLine bool) {
	w.endAt(off, inLine)
	if w.req.goal > w.req.line {
		w.out.Notes.add("row %d was not reached: the call read up to byte %d of %d, which is in row %d; continue with the "+
			"cursor",
			w.req.goal, off, w.f.info.Size, w.req.line)
		return
	}
	w.out.Notes.add("the call may not read more than up to byte %d of %d: continue with the cursor", off, w.f.info.Size)
}
