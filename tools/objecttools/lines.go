package objecttools

import (
	"errors"
	"io"
	"unicode/utf8"
)

// overlap is the number of bytes that two pieces of a long line share, so that a search finds matches across the edge.
const overlap = 4 << 10

// linePiece is a line without its line end, or a part of a line that is longer than a block.
type linePiece struct {
	b           []byte // valid until the next call of next
	off         int64  // the offset of b in the file
	line        int64  // the number of the line
	first, last bool   // the piece contains the beginning, the end of the line
}

// lineReader reads a text line by line. A line ends with LF, CRLF or a lone CR.
type lineReader struct {
	t      *textReader
	max    int   // the longest piece, more than overlap; 0 means a block
	line   int64 // the number of the next line
	inLine bool  // the next piece continues a line
	drop   int   // the bytes of the buffer to skip before the next piece
}

// next returns the next piece. It returns io.EOF at the end of the file, and errPartEnd if the part ends before the
// line does. The line then begins, or continues, at l.offset().
func (l *lineReader) next() (linePiece, error) {
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
			return l.splitLine(l.max - partialRuneLen(t.buf[:l.max])), nil
		}
		// The byte after a CR decides whether an LF is part of the line end.
		if seen < len(t.buf) && (t.buf[seen] == '\n' || seen+1 < len(t.buf) || t.ended && t.final) {
			end := 1
			if t.buf[seen] == '\r' && seen+1 < len(t.buf) && t.buf[seen+1] == '\n' {
				end = 2
			}
			return l.endLine(seen, end), nil
		}
		switch err := t.fill(); {
		case err == nil:
		case errors.Is(err, io.ErrShortBuffer):
			return l.splitLine(len(t.buf)), nil
		case !errors.Is(err, io.EOF):
			return linePiece{}, err
		case seen < len(t.buf) && t.final: // the CR is the last byte
		case !t.final:
			return linePiece{}, errPartEnd
		case len(t.buf) == 0 && !l.inLine:
			return linePiece{}, io.EOF
		default:
			return l.endLine(len(t.buf), 0), nil
		}
	}
}

// endLine returns the first n bytes of the buffer as the end of a line, which is followed by a line end of end bytes.
func (l *lineReader) endLine(n, end int) linePiece {
	p := linePiece{b: l.t.buf[:n], off: l.t.off, line: l.line, first: !l.inLine, last: true}
	l.drop, l.inLine = n+end, false
	l.line++
	return p
}

// splitLine returns the first n bytes of the buffer as a piece of a line that continues.
func (l *lineReader) splitLine(n int) linePiece {
	drop := n - overlap
	for drop < n && !utf8.RuneStart(l.t.buf[drop]) {
		drop++
	}
	p := linePiece{b: l.t.buf[:n], off: l.t.off, line: l.line, first: !l.inLine}
	l.drop, l.inLine = drop, true
	return p
}

// offset returns the offset in the file of the next piece.
func (l *lineReader) offset() int64 { return l.t.offsetOf(l.drop) }

// errPartEnd is returned when the part of a file that a call reads ends within a line or a record.
var errPartEnd = errors.New("objecttools: the part ends within a record")
