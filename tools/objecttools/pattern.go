package objecttools

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/carrel-go/carrel/tools"
)

// Work is measured in bytes scanned times instructions of the compiled expression, which bounds the cost of a match for
// any text. A unit takes up to about 15 ns.
const (
	// maxPattern is the length of the longest pattern in bytes.
	maxPattern = 256
	// maxProgram is the size of the largest expression in instructions, estimated before it is compiled.
	maxProgram = 1000
	// callWork is the budget of one call: one or two seconds. A search continues with a cursor when it is spent.
	callWork = 1 << 27
	// matchWork is the budget of a single match, which can't be interrupted. It limits the length of a piece.
	matchWork = 1 << 22
	// minPiece is the length of the shortest piece of a long line, so that most of a piece is not overlap.
	minPiece = 4 * overlap
)

// pattern is a compiled search pattern.
type pattern struct {
	literal []byte
	re      *regexp.Regexp // nil for a literal
	next    *regexp.Regexp // one character, then the leftmost match after it as group 1
	size    int            // of re in instructions; 0 for a literal, which costs no more than reading
}

// pieceLen returns the length in bytes of the longest piece of a line that is searched at once.
func (p *pattern) pieceLen() int {
	if p.size == 0 {
		return blockLen
	}
	return min(max(matchWork/p.size, minPiece), blockLen)
}

// newPattern checks and compiles a pattern. Its errors are corrections.
func newPattern(p string, isRegexp, ignoreCase bool) (*pattern, error) {
	switch {
	case p == "":
		return nil, tools.Correct("pattern must not be empty, for example \"total\"")
	case len(p) > maxPattern:
		return nil, tools.Correct(fmt.Sprintf("pattern must be at most %d bytes", maxPattern))
	case !isRegexp && strings.ContainsAny(p, "\r\n"):
		return nil, tools.Correct("pattern must not contain a line end, because the search goes line by line")
	case !isRegexp && !ignoreCase:
		return &pattern{literal: []byte(p)}, nil
	case !isRegexp:
		p = regexp.QuoteMeta(p)
	}
	flags := syntax.Perl
	if ignoreCase {
		flags |= syntax.FoldCase
	}
	tree, err := syntax.Parse(p, flags)
	if err != nil {
		msg := err.Error()
		if e, ok := errors.AsType[*syntax.Error](err); ok {
			msg = fmt.Sprintf("%s: %q", e.Code, e.Expr)
		}
		return nil, tools.Correct("pattern must be a valid RE2 regular expression, for example \"err(or)?s\": " + msg)
	}
	if estimateSize(tree) > maxProgram {
		return nil, tools.Correct("pattern repeats too much and would take too long: simplify it")
	}
	if ignoreCase {
		p = "(?i)" + p
	}
	next := `\A(?s:.)(?s:.*?)(` + p + `)`
	re, err := regexp.Compile(p)
	nextRE, nextErr := regexp.Compile(next)
	tree, treeErr := syntax.Parse(next, syntax.Perl)
	if err := cmp.Or(err, nextErr, treeErr); err != nil {
		return nil, tools.Correct("pattern: " + err.Error())
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, tools.Correct("pattern: " + err.Error())
	}
	if re.MatchString("") {
		return nil, tools.Correct("pattern must not match the empty text: use for example x+ instead of x*")
	}
	return &pattern{re: re, next: nextRE, size: len(program.Inst)}, nil
}

// estimateSize estimates the number of instructions of an expression before it is compiled.
func estimateSize(e *syntax.Regexp) int {
	n := 1
	switch e.Op {
	case syntax.OpLiteral:
		return len(e.Rune)
	case syntax.OpCharClass:
		return 1 + len(e.Rune)/64
	}
	for _, sub := range e.Sub {
		n += estimateSize(sub)
	}
	if e.Op == syntax.OpRepeat {
		n *= max(e.Max, e.Min, 1)
	}
	return min(n, maxProgram+1) // does not overflow
}
