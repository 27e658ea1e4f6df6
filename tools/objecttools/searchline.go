package objecttools

import (
	"context"
	"fmt"
	"unicode/utf8"
)

// searchPiece looks for matches, and reports whether the search has to stop.
func (s *searcher) searchPiece(ctx context.Context, p piece) (stopped bool, err error) {
	if s.work <= 0 {
		s.stopSpent(p.off, p.line, !p.first)
		return true, nil
	}
	if p.first && p.last && len(p.b) <= longLine {
		return s.matchWholeLine(ctx, p)
	}
	return s.matchLongLine(ctx, p)
}

// maxTimes is how many matches of one line are counted; fewer if the budget is spent.
const maxTimes = 100

// matchWholeLine looks for the matches of a line, which are told as one.
func (s *searcher) matchWholeLine(ctx context.Context, p piece) (stopped bool, err error) {
	var first [2]int
	times := 0
	for f := s.p.find(p.b); times < maxTimes && (times == 0 || s.work > 0); times++ {
		m, ok, err := s.next(ctx, f)
		if err != nil {
			return false, err
		}
		if !ok {
			break
		}
		if s.work <= 0 && p.off > s.out.Start { // all of the line is for the next call, which has more for it
			s.stopSpent(p.off, p.line, false)
			return true, nil
		}
		if times == 0 {
			first = m
		}
	}
	if times == 0 {
		return false, nil
	}
	l, left := s.lines, s.limit-len(s.out.Matches)
	if !s.addMatch(p, first, times) {
		s.stop(p.off, p.line, false)
		s.note("the matches up to byte %d are as many as fit: search on with the cursor", s.out.End)
		return true, nil
	}
	if left == 1 {
		s.stop(l.at(), l.line, false)
		s.noteLimit()
	}
	return left == 1, nil
}

// matchLongLine looks for the matches of a part of a line, or of one that is long, each of which is told by itself.
func (s *searcher) matchLongLine(ctx context.Context, p piece) (stopped bool, err error) {
	l := s.lines
	for f := s.p.find(p.b); ; {
		switch {
		case !p.last && f.pos >= l.drop:
			return false, nil // the next piece has the rest
		case s.work <= 0 && f.pos > 0:
			s.stopSpent(p.off+l.t.enc.rawLen(p.b[:min(f.pos, len(p.b))]), p.line, true)
			return true, nil
		}
		m, ok, err := s.next(ctx, f)
		if err != nil {
			return false, err
		}
		if !ok {
			break
		}
		if !p.last && m[0] >= l.drop { // the next piece has it, and all of it
			return false, nil
		}
		here := p.off + l.t.enc.rawLen(p.b[:m[0]])
		switch {
		case len(s.out.Matches) == s.limit:
			s.stop(here, p.line, !p.first || m[0] > 0)
			s.noteLimit()
			return true, nil
		case !s.addMatch(p, m, 1):
			s.stop(here, p.line, !p.first || m[0] > 0)
			s.note("the matches up to byte %d are as many as fit: search on with the cursor", here)
			return true, nil
		}
	}
	if len(s.out.Matches) == s.limit {
		s.stop(l.at(), l.line, l.inner)
		s.noteLimit()
		return true, nil
	}
	return false, nil
}

// next returns the next match and pays for it. It returns an error if the call's context has ended.
func (s *searcher) next(ctx context.Context, f *finder) (m [2]int, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return m, false, fmt.Errorf("objecttools: %w", err)
	}
	s.work -= f.work()
	m, ok = f.next()
	return m, ok, nil
}

// stopSpent stops the search because the call has done all the work that it may.
func (s *searcher) stopSpent(off, line int64, inner bool) {
	s.stop(off, line, inner)
	s.note("searched up to byte %d of %d, as far as this expression can be in one call: search on with the cursor, "+
		"or with a simpler pattern", s.out.End, s.out.Size)
}

func (s *searcher) noteLimit() {
	if s.out.Cursor != "" {
		s.note("stopped after %d matches, at byte %d of %d: search on with the cursor", s.limit, s.out.End, s.out.Size)
	}
}

// addMatch adds a match. It reports false if there is no room.
func (s *searcher) addMatch(p piece, m [2]int, times int) bool {
	text, clipped := around(p.b, m)
	out := searchMatch{Line: p.line, Offset: p.off + s.lines.t.enc.rawLen(p.b[:m[0]]), Text: text, Clipped: clipped || !p.first || !p.last}
	if times > 1 {
		out.Times = times
	}
	owed, price := s.around, cost(text)+120
	for _, b := range s.before {
		line := beside(b)
		out.Before, price = append(out.Before, line), price+cost(line)
	}
	if !s.room.take(price) {
		if len(s.out.Matches) > 0 {
			return false
		}
		out.Before, owed = nil, 0 // the first one fits without what is around it
		s.room.take(cost(text) + 120)
	}
	s.out.Matches, s.owed = append(s.out.Matches, out), append(s.owed, owed)
	return true
}

func (s *searcher) owing() bool {
	n := len(s.owed)
	return n > 0 && s.owed[n-1] > 0
}

// behind shows a line behind the matches that want it.
func (s *searcher) behind(p piece) {
	for i := len(s.owed) - 1; i >= 0 && s.owed[i] > 0; i-- {
		if p.line == s.out.Matches[i].Line {
			continue // the same long line
		}
		text := beside(p.b[:min(len(p.b), lineShown)])
		if !s.room.take(cost(text)) {
			s.owed[i] = 0
			continue
		}
		s.owed[i]--
		s.out.Matches[i].After = append(s.out.Matches[i].After, text)
	}
}

// beside is a line, of which b is the beginning, as it is shown beside a match.
func beside(b []byte) string {
	text, _ := show(b[:len(b)-cutRune(b)])
	return fit(text, contextCost)
}

// around is what is shown of a line with a match: all of it, or lineShown bytes with the match in them.
func around(b []byte, m [2]int) (string, bool) {
	from, to := 0, len(b)
	if to > lineShown {
		from = max(0, min(m[0]-lineShown/3, len(b)-lineShown))
		to = min(len(b), from+lineShown)
		for from > 0 && !utf8.RuneStart(b[from]) && from < m[0] {
			from++
		}
		to -= cutRune(b[from:to])
	}
	text, _ := show(b[from:to])
	short := fit(text, matchCost)
	return short, from > 0 || to < len(b) || short != text
}
