package objecttools

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/carrel-go/carrel/tools"
)

const searchDescription = "Search a text file line by line for a text or a regular expression (RE2). " +
	"Example: {\"file\": \"f1\", \"pattern\": \"error|failed\", \"regexp\": true, \"ignore_case\": true}. The result " +
	"has each matching line with its number, and the byte offset of the match. If the result has a cursor, call again " +
	"with the cursor to search the rest. " + contentWarning

const (
	defaultMatches = 20
	// lineShown is the number of bytes of a line that are shown around a match.
	lineShown = 300
	// longLine is the length in bytes from which each match of a line is reported separately.
	longLine = 1 << 10
	// matchCost and contextCost are the largest costs of a matching line and of a line of context.
	matchCost   = 400
	contextCost = 200
)

type searchArgs struct {
	File       string `json:"file" jsonschema:"the handle of the file, from list_files, for example f1"`
	Pattern    string `json:"pattern" jsonschema:"the text or expression to find within a line; at most 256 bytes"`
	Regexp     bool   `json:"regexp,omitempty" jsonschema:"true if the pattern is a regular expression; default false"`
	IgnoreCase bool   `json:"ignore_case,omitempty" jsonschema:"true to ignore upper and lower case; default false"`
	Context    *int   `json:"context" jsonschema:"the number of lines to show before and after each match, 0 to 5; default 0" min:"0" max:"5"`
	Limit      *int   `json:"limit" jsonschema:"the number of matches to return, 1 to 100; default 20" min:"1" max:"100"`
	Cursor     string `json:"cursor,omitempty" jsonschema:"the cursor of the previous result, to search on; use the same pattern"`
}

type searchResult struct {
	File    string        `json:"file"`
	Matches []searchMatch `json:"matches"`
	Start   int64         `json:"start"` // the offset at which the search began
	End     int64         `json:"end"`   // the offset up to which it searched
	Size    int64         `json:"size"`  // the size of the file
	Notes   notes         `json:"notes,omitempty"`
	Cursor  string        `json:"cursor,omitempty"`
}

// searchMatch is a matching line, or one match in a long line.
type searchMatch struct {
	Line    int64    `json:"line"`   // from 1
	Offset  int64    `json:"offset"` // of the match
	Text    string   `json:"text"`   // the line, or the text around the match
	Clipped bool     `json:"clipped,omitempty"`
	Times   int      `json:"times,omitempty"` // the number of matches in the line, if more than one
	Before  []string `json:"before,omitempty"`
	After   []string `json:"after,omitempty"`
}

// Summary implements [tools.Summarizer].
func (r searchResult) Summary() string {
	s := fmt.Sprintf("%d matches in %s", len(r.Matches), r.File)
	if len(r.Matches) == 1 {
		s = "1 match in " + r.File
	}
	if r.Cursor != "" {
		s += fmt.Sprintf(" so far, up to byte %d of %d", r.End, r.Size)
	}
	return s
}

func (ts *toolset) searchFile(ctx context.Context, c *tools.Call, args searchArgs) (searchResult, error) {
	p, err := newPattern(args.Pattern, args.Regexp, args.IgnoreCase)
	if err != nil {
		return searchResult{}, err
	}
	f, err := ts.openTextFile(ctx, c, args.File)
	if err != nil {
		return searchResult{}, err
	}
	s := &searcher{
		p: p, work: budget{callWork}, limit: valueOr(args.Limit, defaultMatches), context: valueOr(args.Context, 0),
		left: ts.resultBudget(), out: searchResult{File: f.handle, Matches: []searchMatch{}, Size: f.info.Size},
		binding: f.cursorBinding(fmt.Sprintf("search %q %t %t", args.Pattern, args.Regexp, args.IgnoreCase)),
	}
	at := []int64{f.start, 1, 0}
	if args.Cursor != "" {
		if at, err = parseCursor(args.Cursor, s.binding, 3); err != nil {
			return searchResult{}, err
		}
	}
	t, err := f.openText(ctx, at[0], at[0]+ts.maxScan)
	if err != nil {
		return searchResult{}, err
	}
	defer t.Close()
	s.out.Start = t.off
	s.lines = &lineReader{t: t, max: p.pieceLen(), line: at[1], inLine: at[2] != 0}
	if err := s.run(ctx); err != nil {
		return searchResult{}, err
	}
	if s.splitLine > 0 {
		s.out.Notes.add("line %d is longer than %d bytes, so it was searched in pieces: a match longer than %d bytes may be "+
			"missed, and ^ and $ may match at the edges of pieces", s.splitLine, p.pieceLen(), overlap)
	}
	s.out.Notes.addEncoding(f.enc)
	return s.out, nil
}

type searcher struct {
	p         *pattern
	work      budget // of callWork
	left      budget // of the result
	limit     int    // the number of matches
	context   int    // the number of lines before and after a match
	lines     *lineReader
	binding   string
	out       searchResult
	before    [][]byte // the beginnings of the previous lines, at most context; their space is reused
	missing   []int    // for each match, how many lines after it are still to be added
	splitLine int64    // the number of a line that was searched in pieces
}

// endAt ends the search at off and adds a cursor to continue there.
func (s *searcher) endAt(off, line int64, inLine bool) {
	if s.out.End = off; off < s.out.Size {
		s.out.Cursor = encodeCursor(s.binding, off, line, boolNumber(inLine))
	}
}

// run searches piece by piece. After it has stopped, it reads on until the last match has its context.
func (s *searcher) run(ctx context.Context) error {
	l := s.lines
	stopped := false
	for !stopped || s.needsAfter() {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("objecttools: %w", err)
		}
		p, err := l.next()
		switch {
		case (errors.Is(err, io.EOF) || errors.Is(err, errPartEnd)) && stopped:
			return nil
		case errors.Is(err, io.EOF):
			s.out.End = s.out.Size
			return nil
		case errors.Is(err, errPartEnd):
			s.endAt(l.offset(), l.line, l.inLine)
			s.out.Notes.add("searched up to byte %d of %d, which is the most that one call reads: continue with the cursor",
				s.out.End, s.out.Size)
			return nil
		case err != nil:
			return err
		}
		if !p.first || !p.last {
			s.splitLine = p.line
		}
		s.addAfter(p)
		if !stopped {
			if stopped, err = s.searchPiece(ctx, p); err != nil {
				return err
			}
		}
		s.keepBefore(p)
	}
	return nil
}

// keepBefore keeps the beginning of a line as context of the next matches.
func (s *searcher) keepBefore(p linePiece) {
	if s.context == 0 {
		return
	}
	var space []byte
	if len(s.before) == s.context {
		space = s.before[0]
		copy(s.before, s.before[1:])
		s.before = s.before[:s.context-1]
	}
	s.before = append(s.before, append(space[:0], p.b[:min(len(p.b), lineShown)]...))
}

// needsAfter reports whether the last match lacks lines after it.
func (s *searcher) needsAfter() bool {
	n := len(s.missing)
	return n > 0 && s.missing[n-1] > 0
}

// addAfter adds a line as context of the matches before it.
func (s *searcher) addAfter(p linePiece) {
	for i := len(s.missing) - 1; i >= 0 && s.missing[i] > 0; i-- {
		if p.line == s.out.Matches[i].Line {
			continue // another piece of the matching line
		}
		text := s.contextText(p.b[:min(len(p.b), lineShown)])
		if !s.left.take(jsonCost(text)) {
			s.missing[i] = 0
			continue
		}
		s.missing[i]--
		s.out.Matches[i].After = append(s.out.Matches[i].After, text)
	}
}

// contextText returns the beginning b of a line as it is shown next to a match.
func (s *searcher) contextText(b []byte) string {
	text, _ := s.lines.t.enc.toText(b[:len(b)-partialRuneLen(b)])
	return truncateCost(text, contextCost)
}
