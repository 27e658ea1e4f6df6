package objecttools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/carrel-go/carrel/tools"
)

// readText reads by bytes or by lines.
func (ts *toolset) readText(ctx context.Context, f *file, req readRequest, out *chunk) error {
	if req.goal > req.line {
		reached, err := ts.seekLine(ctx, f, &req, out)
		if err != nil || !reached {
			return err
		}
	}
	out.Start, out.End = req.off, req.off
	left := ts.resultBudget()
	// Each byte of text and each code unit of UTF-16 costs at least a byte of JSON. The extra bytes are for the
	// character after the last one.
	span := 2*int64(left.left) + 2*utf8.UTFMax
	from := req.off
	seeks := req.by == byBytes && !req.isCursor // off comes from the model and may be within a character
	if req.by == byBytes {
		span = min(span, int64(req.count)+2*utf8.UTFMax)
	}
	if seeks {
		from = max(f.start, f.start+(req.off-f.start)&^1-utf8.UTFMax)
		span += req.off - from
	}
	t, err := f.openText(ctx, from, from+span)
	if err != nil {
		return err
	}
	defer t.Close()
	if seeks {
		if err := t.seekRune(req.off); err != nil {
			return err
		}
		out.Start, out.End = t.off, t.off
	}
	all, err := t.readAll(int(3*span) + utf8.UTFMax)
	if err != nil {
		return err
	}

	if req.by == byLines {
		out.First = req.line
	}
	cut := measureText(all, t.final, t.enc, req, left)
	out.Text, out.Invalid = f.enc.toText(all[:cut.bytes])
	out.End = min(out.Start+t.enc.storedLen(all[:cut.bytes]), f.info.Size)
	req.line += cut.lines
	out.Notes.addEncoding(f.enc)
	out.Notes.addInvalid(out.Invalid, f.enc)
	if req.inLine && req.by == byLines {
		out.Notes.add("the text begins within a line")
	}
	if out.End < f.info.Size {
		out.Cursor = req.cursorAt(f, out.End, cut.inLine)
		if cut.inLine && req.by == byLines {
			out.Notes.add("line %d is too long for one chunk: the text ends within it", req.line)
		}
		if cut.isFull {
			out.Notes.add("%d more bytes did not fit: continue with the cursor", f.info.Size-out.End)
		}
	}
	return nil
}

// extent is the part of a text that a chunk takes.
type extent struct {
	bytes  int
	lines  int64 // the number of line ends
	inLine bool  // it ends within a line
	isFull bool  // it ends because of the budget, not the count
}

// measureText returns how much of b fits into the budget and the count of the request. The extent ends at a character
// or, by lines, at a line if one fits. final reports that the file ends with b.
func measureText(b []byte, final bool, enc encoding, req readRequest, left budget) extent {
	var here, lineEnd extent // up to this character; up to the last line end
	endFull := func() extent {
		if req.by == byLines && lineEnd.bytes > 0 {
			here = lineEnd
		}
		here.isFull = true
		return here
	}
	stored := int64(0)
	left.take(3) // the quotes and a comma
	for here.bytes < len(b) {
		rest := b[here.bytes:]
		r, n, isBroken := enc.decodeChar(rest)
		stored += enc.storedLen(rest[:n])
		if req.by == byBytes && stored > int64(req.count) && here.bytes > 0 {
			return here
		}
		isEnd, isKnown := endsLine(rest, final)
		cost := runeCost(r)
		if isBroken {
			cost *= n
		}
		if !left.take(cost) || !isKnown && req.by == byLines {
			return endFull()
		}
		here.bytes += n
		here.inLine = !isEnd
		if isEnd {
			here.lines++
			lineEnd = here
			if req.by == byLines && lineEnd.lines == int64(req.count) {
				return lineEnd
			}
		}
	}
	if !final {
		return endFull()
	}
	return here
}

// endsLine reports whether the first byte of b ends a line. That is not known if b is a CR and more text follows b.
func endsLine(b []byte, final bool) (isEnd, isKnown bool) {
	switch {
	case b[0] == '\n':
		return true, true
	case b[0] != '\r':
		return false, true
	case len(b) == 1:
		return final, final
	}
	return b[1] != '\n', true
}

// seekLine moves the request to the line req.goal, as far as one call may read. If it does not reach the line, it
// returns false and adds a note and a cursor to out.
func (ts *toolset) seekLine(ctx context.Context, f *file, req *readRequest, out *chunk) (reached bool, err error) {
	t, err := f.openText(ctx, req.off, req.off+ts.maxScan)
	if err != nil {
		return false, err
	}
	defer t.Close()
	l := &lineReader{t: t, line: req.line, inLine: req.inLine}
	for l.line < req.goal || l.inLine || l.offset() >= f.info.Size {
		_, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			return false, tools.Correct(fmt.Sprintf("start is %d, but the file has only %d lines", req.goal, l.line-1))
		case errors.Is(err, errPartEnd):
			req.line = l.line
			out.End = l.offset()
			out.Cursor = req.cursorAt(f, l.offset(), l.inLine)
			out.Notes.add("line %d was not reached: the call read up to byte %d of %d, which is in line %d; continue with "+
				"the cursor",
				req.goal, out.End, f.info.Size, l.line)
			return false, nil
		case err != nil:
			return false, err
		}
	}
	req.off, req.line, req.goal, req.inLine = l.offset(), l.line, 0, false
	return true, nil
}
