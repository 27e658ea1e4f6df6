package objecttools

import (
	"bytes"
	"unicode/utf8"
)

// finder finds the same matches in b as FindAllIndex, one by one, so that the caller can stop between two matches.
type finder struct {
	p       *pattern
	b       []byte
	pos     int // the earliest beginning of the next match
	lastEnd int // the end of the last match, or -1
}

func newFinder(p *pattern, b []byte) *finder { return &finder{p: p, b: b, lastEnd: -1} }

// nextCost returns the largest cost of the next match.
func (f *finder) nextCost() int { return (len(f.b) - f.pos) * f.p.size }

// next returns the beginning and the end of the next match.
func (f *finder) next() (m [2]int, ok bool) {
	for f.pos <= len(f.b) {
		m, ok := f.findMatch()
		if !ok {
			break
		}
		isEmpty := m[0] == m[1]
		isNew := !isEmpty || m[0] != f.lastEnd
		f.lastEnd = m[1]
		if f.pos = m[1]; isEmpty {
			_, w := utf8.DecodeRune(f.b[m[1]:])
			f.pos += max(w, 1)
		}
		if isNew {
			return m, true
		}
	}
	f.pos = len(f.b) + 1
	return m, false
}

// findMatch finds the leftmost match from pos on. The expression also sees the character before pos, for ^ and \b.
func (f *finder) findMatch() (m [2]int, ok bool) {
	switch {
	case f.p.re == nil:
		i := bytes.Index(f.b[f.pos:], f.p.literal)
		return [2]int{f.pos + i, f.pos + i + len(f.p.literal)}, i >= 0
	case f.pos == 0:
		if loc := f.p.re.FindIndex(f.b); loc != nil {
			return [2]int{loc[0], loc[1]}, true
		}
		return m, false
	}
	_, w := utf8.DecodeLastRune(f.b[:f.pos])
	from := f.pos - w
	loc := f.p.next.FindSubmatchIndex(f.b[from:])
	if loc == nil {
		return m, false
	}
	return [2]int{from + loc[2], from + loc[3]}, true
}
