package objecttools

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/carrel-go/carrel/tools"
)

const (
	// maxPattern is how long a pattern may be, in bytes.
	maxPattern = 256
	// maxProgram is how large the program of a regular expression may be, in instructions, estimated before it is
	// compiled.
	maxProgram = 1000

	// Work is counted in bytes scanned times instructions of the program: what a match costs at most, whatever the text.
	// A unit takes up to 15 ns or so.

	// callWork is the budget of one call, a second or two at most. A search that has spent it goes on with a cursor.
	callWork = 1 << 27
	// matchWork bounds a single match, which cannot be interrupted, by the length of the piece that it searches.
	matchWork = 1 << 22
	// minPiece is the shortest piece of a long line, so that each repeats only a part of the one before.
	minPiece = 4 * overlap
)

// pattern is what a search looks for.
type pattern struct {
	literal []byte
	re      *regexp.Regexp // nil for a literal
	next    *regexp.Regexp // one character, and then the leftmost match behind it, as its group
	size    int            // of re, in instructions; 0 for a literal, which costs no more than reading
}

// pieceLen is the longest piece of a line that is searched at once, in bytes.
func (p *pattern) pieceLen() int {
	if p.size == 0 {
		return blockLen
	}
	return min(max(matchWork/p.size, minPiece), blockLen)
}

// newPattern checks and compiles. Its errors are corrections.
func newPattern(p string, isRegexp, fold bool) (*pattern, error) {
	switch {
	case p == "":
		return nil, tools.Correct("pattern: is empty")
	case len(p) > maxPattern:
		return nil, tools.Correct(fmt.Sprintf("pattern: is longer than %d bytes", maxPattern))
	case !isRegexp && strings.ContainsAny(p, "\r\n"):
		return nil, tools.Correct("pattern: holds a line end, and the search goes line by line")
	case !isRegexp && !fold:
		return &pattern{literal: []byte(p)}, nil
	case !isRegexp:
		p = regexp.QuoteMeta(p)
	}
	flags := syntax.Perl
	if fold {
		flags |= syntax.FoldCase
	}
	tree, err := syntax.Parse(p, flags)
	if err != nil {
		msg := err.Error()
		if e, ok := errors.AsType[*syntax.Error](err); ok {
			msg = fmt.Sprintf("%s: %q", e.Code, e.Expr)
		}
		return nil, tools.Correct("pattern: is no RE2 regular expression: " + msg)
	}
	if estimate(tree) > maxProgram {
		return nil, tools.Correct("pattern: repeats too much, so it would take too long: make it simpler")
	}
	if fold {
		p = "(?i)" + p
	}
	re, err := regexp.Compile(p)
	if err != nil {
		return nil, tools.Correct("pattern: " + err.Error())
	}
	if re.MatchString("") {
		return nil, tools.Correct("pattern: matches the empty text, so it would be found everywhere")
	}
	next := `\A(?s:.)(?s:.*?)(` + p + `)`
	tree, err = syntax.Parse(next, syntax.Perl)
	if err != nil {
		return nil, tools.Correct("pattern: " + err.Error())
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, tools.Correct("pattern: " + err.Error())
	}
	nextRE, err := regexp.Compile(next)
	if err != nil {
		return nil, tools.Correct("pattern: " + err.Error())
	}
	return &pattern{re: re, next: nextRE, size: len(program.Inst)}, nil
}

// estimate is about how many instructions an expression takes, before it is compiled.
func estimate(e *syntax.Regexp) int {
	n := 1
	switch e.Op {
	case syntax.OpLiteral:
		return len(e.Rune)
	case syntax.OpCharClass:
		return 1 + len(e.Rune)/64
	}
	for _, sub := range e.Sub {
		n += estimate(sub)
	}
	if e.Op == syntax.OpRepeat {
		n *= max(e.Max, e.Min, 1)
	}
	return min(n, maxProgram+1) // no overflow
}
