package objecttools

import (
	"errors"
	"io"
	"unicode/utf8"
)

// overlap is how much of a piece of a long line the next piece repeats, so that what lies across the edge is seen.
const overlap = 4 << 10

// piece is a line without its end or, of a line that is longer than a block, a part of it.
type piece struct {
	b           []byte // valid until the next one
	off         int64  // where b begins
	line        int64  // which line, counted by the reader from its first
	first, last bool   // it begins, it ends the line
}

// lines reads a text line by line. A line ends with LF, CRLF or a lone CR.
type lines struct {
	t     *text
	max   int   // the longest piece, more than overlap; 0 means a block
	line  int64 // the line that comes next
	inner bool  // it has begun already
	drop  int   // what to skip before the next piece
}

// next gives the next piece. io.EOF: the file has ended, and so has every line. errPart: the part that is read has
// ended within a line, which begins, or goes on, at l.at().
func (l *lines) next() (piece, error) {
	t := l.t
	t.skip(l.drop)
	l.drop = 0
	seen := 0
	for {
		end := len(t.buf)
		if l.max > 0 {
			end = min(end, l.max)
		}
		for seen < end && t.buf[seen] != '\n' && t.buf[seen] != '\r' {
			seen++
		}
		if l.max > 0 && seen == l.max {
			return l.part(l.max - cutRune(t.buf[:l.max])), nil
		}
		// A CR needs to know what follows.
		if seen < len(t.buf) && (t.buf[seen] == '\n' || seen+1 < len(t.buf) || t.ended && t.final) {
			end := 1
			if t.buf[seen] == '\r' && seen+1 < len(t.buf) && t.buf[seen+1] == '\n' {
				end = 2
			}
			p := piece{b: t.buf[:seen], off: t.off, line: l.line, first: !l.inner, last: true}
			l.drop, l.inner = seen+end, false
			l.line++
			return p, nil
		}
		switch err := t.fill(); {
		case err == nil:
		case errors.Is(err, io.ErrShortBuffer):
			return l.part(len(t.buf)), nil
		case !errors.Is(err, io.EOF):
			return piece{}, err
		case seen < len(t.buf) && t.final: // the CR is the last byte
		case !t.final:
			return piece{}, errPart
		case len(t.buf) == 0 && !l.inner:
			return piece{}, io.EOF
		default:
			p := piece{b: t.buf, off: t.off, line: l.line, first: !l.inner, last: true}
			l.drop, l.inner = len(t.buf), false
			l.line++
			return p, nil
		}
	}
}

// part returns the first n bytes of the buffer as a piece of a long line that goes on.
func (l *lines) part(n int) piece {
	cut := n - overlap
	for cut < n && !utf8.RuneStart(l.t.buf[cut]) {
		cut++
	}
	p := piece{b: l.t.buf[:n], off: l.t.off, line: l.line, first: !l.inner}
	l.drop, l.inner = cut, true
	return p
}

// at is where the next piece begins.
func (l *lines) at() int64 { return l.t.at(l.drop) }

// errPart says that the part of a file that a call reads has ended within a line or a record.
var errPart = errors.New("objecttools: the part has ended")
