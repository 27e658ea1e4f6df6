package objecttools

import (
	"context"
	"fmt"
	"unicode/utf8"
)

const (
	// maxTimes is the number of matches that are counted in one line.
	maxTimes = 100
	// matchFrame is the cost of a match without its texts.
	matchFrame = 120
)

// searchPiece searches a piece and reports whether the search has ended.
func (s *searcher) searchPiece(ctx context.Context, p linePiece) (stopped bool, err error) {
	if s.work.isSpent() {
		s.endSpent(p.off, p.line, !p.first)
		return true, nil
	}
	if p.first && p.last && len(p.b) <= longLine {
		return s.searchShortLine(ctx, p)
	}
	return s.searchLongLine(ctx, p)
}

// searchShortLine reports all matches of a line as one.
func (s *searcher) searchShortLine(ctx context.Context, p linePiece) (stopped bool, err error) {
	var first [2]int
	times := 0
	for f := newFinder(s.p, p.b); times < maxTimes && (times == 0 || !s.work.isSpent()); times++ {
		m, ok, err := s.nextMatch(ctx, f)
		if err != nil {
			return false, err
		}
		if !ok {
			break
		}
		if s.work.isSpent() && p.off > s.out.Start { // leave the line to the next call, which has more work to spend on it
			s.endSpent(p.off, p.line, false)
			return true, nil
		}
		if times == 0 {
			first = m
		}
	}
	if times == 0 {
		return false, nil
	}
	isLast := len(s.out.Matches) == s.limit-1
	if !s.addMatch(p, first, times) {
		s.endFull(p.off, p.line, false)
		return true, nil
	}
	if isLast {
		s.endAtLimit(s.lines.offset(), s.lines.line, false)
	}
	return isLast, nil
}

// searchLongLine reports each match in a piece of a long line.
func (s *searcher) searchLongLine(ctx context.Context, p linePiece) (stopped bool, err error) {
	l := s.lines
	for f := newFinder(s.p, p.b); ; {
		switch {
		case !p.last && f.pos >= l.drop:
			return false, nil // the next piece contains the rest
		case s.work.isSpent() && f.pos > 0:
			s.endSpent(p.off+l.t.enc.storedLen(p.b[:min(f.pos, len(p.b))]), p.line, true)
			return true, nil
		}
		m, ok, err := s.nextMatch(ctx, f)
		if err != nil {
			return false, err
		}
		if !ok {
			break
		}
		if !p.last && m[0] >= l.drop { // the next piece contains the whole match
			return false, nil
		}
		here, inLine := p.off+l.t.enc.storedLen(p.b[:m[0]]), !p.first || m[0] > 0
		switch {
		case len(s.out.Matches) == s.limit:
			s.endAtLimit(here, p.line, inLine)
			return true, nil
		case !s.addMatch(p, m, 1):
			s.endFull(here, p.line, inLine)
			return true, nil
		}
	}
	if len(s.out.Matches) == s.limit {
		s.endAtLimit(l.offset(), l.line, l.inLine)
		return true, nil
	}
	return false, nil
}

// nextMatch returns the next match and spends its cost. It returns an error if the call's context has ended.
func (s *searcher) nextMatch(ctx context.Context, f *finder) (m [2]int, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return m, false, fmt.Errorf("objecttools: %w", err)
	}
	s.work.spend(f.nextCost())
	m, ok = f.next()
	return m, ok, nil
}

// endSpent ends the search because the work of the call is spent.
func (s *searcher) endSpent(off, line int64, inLine bool) {
	s.endAt(off, line, inLine)
	s.out.Notes.add("searched up to byte %d of %d, which is the most that one call can do with this expression: "+
		"continue with the cursor, or use a simpler pattern", s.out.End, s.out.Size)
}

// endFull ends the search because the match at off does not fit.
func (s *searcher) endFull(off, line int64, inLine bool) {
	s.endAt(off, line, inLine)
	s.out.Notes.add("only the matches up to byte %d fit: continue with the cursor", off)
}

// endAtLimit ends the search because it has found as many matches as requested.
func (s *searcher) endAtLimit(off, line int64, inLine bool) {
	s.endAt(off, line, inLine)
	if s.out.Cursor != "" {
		s.out.Notes.add("stopped after %d matches, at byte %d of %d: continue with the cursor", s.limit, s.out.End,
			s.out.Size)
	}
}

// addMatch adds a match and reports whether it fits. The first one always fits, but perhaps without its context.
func (s *searcher) addMatch(p linePiece, m [2]int, times int) bool {
	text, isClipped := matchText(p.b, m, s.lines.t.enc)
	match := searchMatch{
		Line: p.line, Offset: p.off + s.lines.t.enc.storedLen(p.b[:m[0]]), Text: text, Clipped: isClipped || !p.first ||
			!p.last,
	}
	if times > 1 {
		match.Times = times
	}
	missing, cost := s.context, jsonCost(text)+matchFrame
	for _, b := range s.before {
		line := s.contextText(b)
		match.Before, cost = append(match.Before, line), cost+jsonCost(line)
	}
	if !s.left.take(cost) {
		if len(s.out.Matches) > 0 {
			return false
		}
		match.Before, missing = nil, 0
		s.left.take(jsonCost(text) + matchFrame)
	}
	s.out.Matches, s.missing = append(s.out.Matches, match), append(s.missing, missing)
	return true
}

// matchText returns the line b, or lineShown bytes of it around the match, and whether some of it is left out.
func matchText(b []byte, m [2]int, enc encoding) (text string, isClipped bool) {
	from, to := 0, len(b)
	if to > lineShown {
		from = max(0, min(m[0]-lineShown/3, len(b)-lineShown))
		to = min(len(b), from+lineShown)
		for from > 0 && !utf8.RuneStart(b[from]) && from < m[0] {
			from++
		}
		to -= partialRuneLen(b[from:to])
	}
	whole, _ := enc.toText(b[from:to])
	text = truncateCost(whole, matchCost)
	return text, from > 0 || to < len(b) || text != whole
}
