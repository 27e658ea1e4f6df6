package objecttools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// counts is what describe counts, and what its cursor carries.
type counts struct{ off, lines, rows, ragged, malformed, invalid int64 }

// tell writes the counts into the description, and as much of the structure as there is room for.
func (n *counts) tell(f *file, sh *shape, r *room, out *description) {
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
			out.Structure = append(out.Structure, jsonPlace{Path: p.path, Types: p.kinds.names(), Count: p.count})
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

func (n *counts) csv(ctx context.Context, f *file, t *text, columns int, out *description) error {
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
				out.problem(rowProblem{Row: n.rows, Offset: s.rec.off, What: fmt.Sprintf("%d fields, and %d columns", s.rec.fields, columns)})
			}
		}
	}
}

// problem tells a problem, if it is among the first. The frame has room for those.
func (d *description) problem(p rowProblem) {
	if len(d.Problems) < 5 {
		p.Text = fit(p.Text, 100)
		d.Problems = append(d.Problems, p)
	}
}

func (n *counts) json(f *file, t *text, sh *shape, out *description) error {
	s := &scanner{t: t, shape: sh}
	err := s.document()
	if err == nil {
		if _, err = s.space(); err == nil {
			err = s.bad("more text after the value: perhaps the file is JSON Lines")
		}
	}
	n.off = s.at()
	if e, ok := errors.AsType[*jsonError](err); ok {
		out.problem(rowProblem{Offset: e.at, What: "no JSON: " + e.msg})
		return nil
	}
	if errors.Is(err, io.EOF) {
		n.off = f.info.Size
		if sh.nodes[0].count == 0 {
			out.problem(rowProblem{Offset: f.start, What: "no JSON: there is nothing but space"})
		}
		return nil
	}
	if errors.Is(err, errPart) {
		return nil
	}
	return err
}

func (n *counts) jsonLines(ctx context.Context, t *text, sh *shape, out *description) error {
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
				out.problem(rowProblem{Row: n.rows + 1, Offset: e.at, What: "no JSON: " + e.msg})
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
