package objecttools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/carrel-go/carrel/tools"
)

const (
	// maxProblems is how many problems a result tells.
	maxProblems = 10
	// problemText is how much of a malformed row is shown, in characters.
	problemText = 80
	// maxHeader is how far the first row of CSV may reach, in bytes.
	maxHeader = 1 << 20
	// cutRoom is what it takes to say that a row is cut.
	cutRoom = 300
)

// header is the first row of CSV.
type header struct {
	columns []string // as many as fit
	fields  int      // how many there are
	end     int64    // where it ends in the file
	invalid int
	problem *rowProblem
	notes   []string
}

// header reads the first row, of which it names as many columns as cost at most n bytes.
func (f *file) header(ctx context.Context, n int) (header, error) {
	whole := f.info.Size == int64(len(f.head))
	s := f.records(&text{enc: f.enc, off: f.start, mark: f.start, to: int64(len(f.head)), final: whole, buf: f.headText(), ended: true}, n)
	err := s.next()
	if errors.Is(err, errPart) { // it is longer than the head
		t, err2 := f.text(ctx, f.start, f.start+maxHeader)
		if err2 != nil {
			return header{}, err2
		}
		defer t.Close()
		s = f.records(t, n)
		err = s.next()
	}
	switch {
	case errors.Is(err, errPart):
		return header{}, tools.Correct(fmt.Sprintf("the first row of %s does not end within %d bytes: read the file by lines or by bytes", f.handle, maxHeader))
	case errors.Is(err, io.EOF):
		return header{end: f.info.Size}, nil
	case err != nil:
		return header{}, err
	}
	r := &s.rec
	h := header{fields: r.fields, end: r.end}
	if r.problem != "" {
		h.fields = 0
		h.problem = r.tell(0)
		if r.resume > 0 && r.end == f.info.Size {
			h.end = r.resume
		}
		return h, nil
	}
	h.columns, h.invalid = r.row(&room{n})
	if r.cut || r.cost() > n {
		h.notes = append(h.notes, fmt.Sprintf("of %d columns %d are named: the names did not fit, and the last may be cut", h.fields, len(h.columns)))
	}
	return h, nil
}

// tell describes the problem of a record.
func (r *record) tell(row int64) *rowProblem {
	raw, _ := show(r.raw[:len(r.raw)-cutRune(r.raw)])
	return &rowProblem{Row: row, Offset: r.at, What: r.problem, Text: clipRunes(raw, problemText)}
}

// row gives the fields as text, as far as there is room, the last of them cut.
func (r *record) row(room *room) (row []string, invalid int) {
	row = make([]string, 0, len(r.ends))
	room.take(3) // the brackets
	for i := range r.ends {
		b := r.field(i)
		if r.cut && i == len(r.ends)-1 {
			b = b[:len(b)-cutRune(b)]
		}
		text, bad := show(b)
		if !room.take(cost(text)) {
			if text = fit(text, room.left); text != "" {
				room.left -= cost(text)
				row, invalid = append(row, text), invalid+bad
			}
			break
		}
		row, invalid = append(row, text), invalid+bad
	}
	return row, invalid
}

// cost is what the record's fields cost in a result, with the brackets around them.
func (r *record) cost() int {
	n := 3
	for i := range r.ends {
		n += cost(string(r.field(i)))
	}
	return n
}

// rowReader fills a Chunk with rows.
type rowReader struct {
	f      *file
	w      *window
	out    *chunk
	room   room
	hidden int // problems that are not told
	ended  bool
}

func (d *desk) readRows(ctx context.Context, f *file, w window, out *chunk) error {
	r := &rowReader{f: f, w: &w, out: out, room: room{d.maxResult - frame}}
	var h header
	if f.form.name == csvForm {
		var err error
		if h, err = f.header(ctx, r.room.left/3); err != nil {
			return err
		}
		out.Columns, out.Invalid, out.Notes = h.columns, h.invalid, append(out.Notes, h.notes...)
		for _, c := range h.columns {
			r.room.take(cost(c))
		}
		if h.problem != nil {
			r.problem(*h.problem)
		}
		if w.fresh {
			w.off = h.end
		}
	}
	out.Start, out.End = w.off, w.off
	t, err := f.text(ctx, w.off, w.off+d.maxScan)
	if err != nil {
		return err
	}
	defer t.Close()
	if f.form.name == csvForm {
		err = r.csv(ctx, t, h.fields)
	} else {
		err = r.jsonLines(ctx, t)
	}
	if err != nil {
		return err
	}
	if r.ended && w.line <= w.goal && len(out.Rows)+len(out.Records) == 0 {
		return tools.Correct(fmt.Sprintf("start: the file has only %d rows", w.line-1))
	}
	if r.hidden > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d more problems with rows are not told", r.hidden))
	}
	if out.Invalid > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d bytes are no %s: each is shown as U+FFFD", out.Invalid, f.enc))
	}
	return nil
}

// problem tells a problem, if there is room.
func (r *rowReader) problem(p rowProblem) {
	if len(r.out.Problems) == maxProblems || !r.room.take(cost(p.What)+cost(p.Text)+100) {
		r.hidden++
		return
	}
	r.out.Problems = append(r.out.Problems, p)
}

func (r *rowReader) note(format string, args ...any) {
	r.out.Notes = append(r.out.Notes, fmt.Sprintf(format, args...))
}

// stop ends the chunk at off, where w.line is the row that comes next.
func (r *rowReader) stop(off int64, inner bool) {
	r.out.End = off
	if off < r.f.info.Size {
		r.out.Cursor = r.w.cursor(r.f, off, inner)
	}
}

// full ends the chunk because the next row does not fit.
func (r *rowReader) full(off int64) {
	r.stop(off, false)
	r.note("row %d did not fit: go on with the cursor", r.w.line)
}

// unreached ends the chunk because the call has read all it may.
func (r *rowReader) unreached(off int64, inner bool) {
	r.stop(off, inner)
	switch {
	case r.w.goal > r.w.line:
		r.note("row %d was not reached: it was looked for up to byte %d of %d, where row %d is; go on with the cursor", r.w.goal, off, r.f.info.Size, r.w.line)
	default:
		r.note("the call has read all it may, up to byte %d of %d: go on with the cursor", off, r.f.info.Size)
	}
}

func (r *rowReader) csv(ctx context.Context, t *text, columns int) error {
	f, w, out := r.f, r.w, r.out
	s := f.records(t, r.room.left)
	start := t.off
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("objecttools: %w", err)
		}
		seeking := w.line < w.goal
		if !seeking && len(out.Rows) == w.count {
			r.stop(t.off, false)
			return nil
		}
		s.keep = r.room.left
		if seeking {
			s.keep = 0
		}
		err := s.next()
		rec := &s.rec
		switch {
		case errors.Is(err, io.EOF):
			r.ended = true
			r.stop(t.off, false)
			return nil
		case errors.Is(err, errPart) && rec.off > start:
			r.unreached(rec.off, false)
			return nil
		case errors.Is(err, errPart): // one record is all that the call may read
			r.note("row %d, from byte %d on, does not end within %d bytes; perhaps a quote is never closed", w.line, rec.off, t.off-rec.off)
			if rec.resume > 0 {
				w.line++
				r.stop(rec.resume, false)
				r.note("the cursor goes on behind the first line of row %d", w.line-1)
			} else {
				out.End = rec.off
				r.note("read it by bytes")
			}
			return nil
		case err != nil:
			return err
		}
		if seeking {
			w.line++
			start = t.off
			continue
		}
		if len(out.Rows) == 0 {
			out.First, out.Start = w.line, rec.off
		}
		unclosed := rec.problem != "" && rec.resume > 0 && rec.end == f.info.Size && s.state == malformed && rec.at == s.quote
		fits := !rec.cut && rec.cost() <= r.room.left
		switch {
		case rec.problem != "":
			if len(out.Rows) > 0 && r.room.left < cutRoom {
				r.full(rec.off)
				return nil
			}
			out.Rows = append(out.Rows, []string{})
			r.room.take(3)
			r.problem(*rec.tell(w.line))
		case !fits && len(out.Rows) > 0:
			r.full(rec.off)
			return nil
		default:
			if !fits {
				r.room.left -= cutRoom // to say so
			}
			row, bad := rec.row(&r.room)
			out.Rows, out.Invalid = append(out.Rows, row), out.Invalid+bad
			switch {
			case !fits:
				r.room.left += cutRoom
				r.problem(rowProblem{Row: w.line, Offset: rec.off, What: fmt.Sprintf("the row has %d bytes and %d fields, more than fit: it is cut", rec.end-rec.off, rec.fields)})
			case rec.fields != columns && columns > 0:
				r.problem(rowProblem{Row: w.line, Offset: rec.off, What: fmt.Sprintf("%d fields, and %d columns", rec.fields, columns)})
			}
		}
		w.line++
		out.End = t.off
		if unclosed {
			r.stop(rec.resume, false)
			r.note("the quote in row %d swallows the rest of the file: the cursor goes on behind the row's first line", w.line-1)
			return nil
		}
	}
}

func (r *rowReader) jsonLines(ctx context.Context, t *text) error {
	w, out := r.w, r.out
	l := &lines{t: t, inner: w.inner}
	within := w.inner // a record that is passed over up to its end
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("objecttools: %w", err)
		}
		seeking := w.line < w.goal
		if !within && !seeking && len(out.Records) == w.count {
			r.stop(l.at(), false)
			return nil
		}
		p, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			r.ended = true
			r.stop(t.off, false)
			return nil
		case errors.Is(err, errPart):
			r.unreached(l.at(), l.inner)
			return nil
		case err != nil:
			return err
		}
		switch {
		case within:
			within = !p.last
			continue
		case p.last && len(bytes.TrimSpace(p.b)) == 0:
			continue
		case seeking:
			w.line++
			within = !p.last
			continue
		}
		text, bad := show(p.b)
		price := cost(text)
		if len(out.Records) == 0 {
			out.First, out.Start = w.line, p.off
		}
		switch {
		case price > r.room.left && len(out.Records) > 0:
			r.full(p.off)
			return nil
		case price > r.room.left:
			text = fit(text, r.room.left-cutRoom)
			r.problem(rowProblem{Row: w.line, Offset: p.off, What: "the record is longer than fits: it is cut"})
		case !p.last:
			r.problem(rowProblem{Row: w.line, Offset: p.off, What: "the record is too long to be checked, and cut"})
		default:
			if what := checkJSON(p.b); what != "" {
				r.problem(rowProblem{Row: w.line, Offset: p.off, What: what})
			}
		}
		r.room.take(cost(text))
		out.Records, out.Invalid = append(out.Records, text), out.Invalid+bad
		w.line++
		within = !p.last
		out.End = l.at()
	}
}

// checkJSON says what is wrong with a record, "" for nothing.
func checkJSON(b []byte) string {
	var v json.RawMessage
	err := json.Unmarshal(b, &v)
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("no JSON: %v, at byte %d of the record", e, e.Offset)
	}
	return "no JSON"
}
