package objecttools

import (
	"bytes"
	"unicode/utf8"
)

// finder finds the matches of a pattern in b one by one, so that its caller can stop between two: the same matches as
// FindAllIndex.
type finder struct {
	p    *pattern
	b    []byte
	pos  int // where the next match begins at the earliest
	last int // where the last one ended; -1 before the first
}

func (p *pattern) find(b []byte) *finder { return &finder{p: p, b: b, last: -1} }

// work is what the next match costs at most.
func (f *finder) work() int64 { return int64(len(f.b)-f.pos) * int64(f.p.size) }

// next returns where the next match begins and ends, and false if there is none.
func (f *finder) next() (m [2]int, ok bool) {
	for f.pos <= len(f.b) {
		m, ok := f.match()
		if !ok {
			break
		}
		empty := m[0] == m[1]
		accepted := !empty || m[0] != f.last
		f.last = m[1]
		if f.pos = m[1]; empty {
			_, w := utf8.DecodeRune(f.b[m[1]:])
			f.pos += max(w, 1)
		}
		if accepted {
			return m, true
		}
	}
	f.pos = len(f.b) + 1
	return m, false
}

// match finds the leftmost match from pos on. The expression sees the character before pos, which ^ and \b ask for.
func (f *finder) match() (m [2]int, ok bool) {
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
