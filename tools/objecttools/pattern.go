package objecttools

import (
	"bytes"
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
	// maxProgram is how large the program of a regular expression may be, in instructions or so: what it costs to
	// match grows with it.
	maxProgram = 1000
	// minScan is what a call searches for the largest: at 1 MiB it took a quarter of a minute.
	minScan = 2 * blockLen
)

// pattern is what a search looks for.
type pattern struct {
	literal []byte
	re      *regexp.Regexp // where it is not nil
	size    int            // of re
}

// scan is how many of n bytes a call may search: what an expression costs a byte grows with its size. It is at least
// minScan, two blocks, so that a search comes on.
func (p *pattern) scan(n int64) int64 {
	return max(n/int64(1+p.size/4), min(n, minScan))
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
	cost := size(tree)
	if cost > maxProgram {
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
	return &pattern{re: re, size: cost}, nil
}

// size is about how many instructions an expression takes, before it is compiled.
func size(e *syntax.Regexp) int {
	n := 1
	switch e.Op {
	case syntax.OpLiteral:
		return len(e.Rune)
	case syntax.OpCharClass:
		return 1 + len(e.Rune)/64
	}
	for _, sub := range e.Sub {
		n += size(sub)
	}
	if e.Op == syntax.OpRepeat {
		n *= max(e.Max, e.Min, 1)
	}
	return min(n, maxProgram+1) // no overflow
}

// find gives at most n matches in b, each as its beginning and end.
func (p *pattern) find(b []byte, n int) (found [][]int) {
	if p.re != nil {
		if n == 1 {
			if m := p.re.FindIndex(b); m != nil {
				found = append(found, m)
			}
			return found
		}
		return p.re.FindAllIndex(b, n)
	}
	for from := 0; len(found) < n; {
		i := bytes.Index(b[from:], p.literal)
		if i < 0 {
			break
		}
		found = append(found, []int{from + i, from + i + len(p.literal)})
		from += i + len(p.literal)
	}
	return found
}
