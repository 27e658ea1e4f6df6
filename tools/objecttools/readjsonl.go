package objecttools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// writeRecords fills the chunk with records of JSON Lines.
func (w *rowWriter) writeRecords(t *textReader) error {
	l := &lineReader{t: t, inLine: w.req.inLine}
	skipping := w.req.inLine // the rest of a record that has been counted
	for {
		isSeeking := w.isSeeking()
		if !skipping && !isSeeking && len(w.out.Records) == w.req.count {
			w.endAt(l.offset(), false)
			return nil
		}
		p, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			w.endFile(t.off)
			return nil
		case errors.Is(err, errPartEnd):
			w.endScan(l.offset(), l.inLine)
			return nil
		case err != nil:
			return err
		}
		switch {
		case skipping:
			skipping = !p.last
			continue
		case p.last && len(bytes.TrimSpace(p.b)) == 0:
			continue
		case isSeeking:
			w.req.line++
		case !w.addRecord(p):
			w.endFull(p.off)
			return nil
		default:
			w.out.End = l.offset()
		}
		skipping = !p.last
	}
}

// addRecord adds a record and its problems, and reports whether it fits. The first record always fits, but may be
// truncated.
func (w *rowWriter) addRecord(p linePiece) bool {
	text, invalid := w.f.enc.toText(p.b)
	fits := jsonCost(text) <= w.left.left
	if len(w.out.Records) == 0 {
		w.out.First, w.out.Start = w.req.line, p.off
	} else if !fits {
		return false
	}
	problem := rowProblem{Row: w.req.line, Offset: p.off}
	switch {
	case !fits:
		text = truncateCost(text, w.left.left-cutCost)
		problem.What = "the record does not fit, so it is truncated: read it by bytes from this offset"
	case !p.last:
		problem.What = "the record is too long to be checked and is cut off"
	default:
		problem.What = checkJSON(p.b)
	}
	if problem.What != "" {
		w.addProblem(problem)
	}
	w.left.take(jsonCost(text))
	w.out.Records, w.out.Invalid = append(w.out.Records, text), w.out.Invalid+invalid
	w.req.line++
	return true
}

// checkJSON describes the syntax error of a record, or returns "".
func checkJSON(b []byte) string {
	var v json.RawMessage
	err := json.Unmarshal(b, &v)
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("invalid JSON: %v, at byte %d of the record", e, e.Offset)
	}
	return "invalid JSON"
}
