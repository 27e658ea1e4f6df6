package objecttools

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// searchAll searches the whole file with cursors.
func (c *conversation) searchAll(pairs ...any) (found []searchMatch, calls int) {
	c.t.Helper()
	out := callAs[searchResult](c, "search", encodeArgs(c.t, pairs...))
	for {
		calls++
		found = append(found, out.Matches...)
		if out.Cursor == "" {
			return found, calls
		}
		require.NotEmpty(c.t, out.Notes)
		require.Less(c.t, calls, 10_000)
		out = callAs[searchResult](c, "search", encodeArgs(c.t, append([]any{"cursor", out.Cursor}, pairs...)...))
	}
}

// With any limits, a search finds what a search of each line finds.
func TestSearchFindsEveryMatch(t *testing.T) {
	t.Parallel()
	skipIfShort(t)
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 60 {
		text := "begin\n" + strings.NewReplacer("\x00", "0", "\x01", "1").Replace(randomText(r, 4000))
		stored, enc := text, utf8Text
		if i%3 == 0 {
			stored, enc = encode16(text, i%2 == 0), utf16LE
		}
		x := []struct {
			pattern string
			re      string
			opt     []any
		}{
			{"a", "a", nil},
			{"AB", "(?i)ab", []any{"ignore_case", true}},
			{"[aß]+ ?[bä€]", "[aß]+ ?[bä€]", []any{"regexp", true}},
			{"^.{0,3}$", "^.{1,3}$", []any{"regexp", true}},
		}[i%4]
		if i%4 == 3 {
			x.pattern = x.re
		}
		c := newConversation(t, &Options{MaxResult: 4<<10 + r.IntN(4000)})
		f := c.storeFile("a.txt", stored)
		pairs := append([]any{"file", f, "pattern", x.pattern, "limit", 1 + r.IntN(30), "context", r.IntN(3)}, x.opt...)
		got, _ := c.searchAll(pairs...)
		re := regexp.MustCompile(x.re)
		n, off := 0, int64(0)
		if enc != utf8Text {
			off = 2
		}
		lines := regexp.MustCompile(`([^\r\n]*)(\r\n|\n|\r|$)`).FindAllStringSubmatch(text, -1)
		for j, line := range lines {
			m := re.FindStringIndex(line[1])
			require.LessOrEqual(t, len(line[1]), longLine, "each line is told once")
			if m != nil {
				require.Less(t, n, len(got))
				require.EqualValues(t, j+1, got[n].Line)
				require.Equal(t, off+enc.storedLen([]byte(line[1][:m[0]])), got[n].Offset)
				require.True(t, got[n].Clipped || got[n].Text == line[1])
				require.Regexp(t, re, got[n].Text)
				n++
			}
			off += enc.storedLen([]byte(line[0]))
		}
		require.Len(t, got, n)
	}
}

func TestSearchShowsContext(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, "line %d\n", i+1)
	}
	f := c.storeFile("a.txt", b.String())
	out := callAs[searchResult](c, "search", encodeArgs(t, "file", f, "pattern", "line 50", "context", 2))
	require.Equal(t, []searchMatch{{Line: 50, Offset: 9*7 + 40*8, Text: "line 50", Before: []string{"line 48", "line 49"}, After: []string{"line 51", "line 52"}}}, out.Matches)
	require.Empty(t, out.Cursor)
	require.EqualValues(t, len(b.String()), out.End)

	// The limit applies to matches, not to the context of the last one.
	out = callAs[searchResult](c, "search", encodeArgs(t, "file", f, "pattern", "line", "limit", 2, "context", 1))
	require.Equal(t, []string{"line 3"}, out.Matches[1].After)
	require.Contains(t, out.Notes[0], "stopped after 2 matches")
	out = callAs[searchResult](c, "search", encodeArgs(t, "file", f, "pattern", "line", "limit", 2, "context", 1, "cursor", out.Cursor))
	require.EqualValues(t, 3, out.Matches[0].Line)

	out = callAs[searchResult](c, "search", encodeArgs(t, "file", f, "pattern", "e 10", "context", 1))
	require.Equal(t, []string{"line 11"}, out.Matches[0].After)
	require.Empty(t, out.Matches[1].After, "the file ends there")
	f = c.storeFile("b.txt", "a b a a\n")
	require.Equal(t, 3, callAs[searchResult](c, "search", encodeArgs(t, "file", f, "pattern", "a")).Matches[0].Times)
}

// A line that is longer than a block is searched in pieces, and each match is found once, even across two pieces.
func TestSearchFindsMatchesAcrossPieces(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	var want []int64
	r := rand.New(rand.NewPCG(7, 8))
	b.WriteString("first line\n")
	for b.Len() < 2<<20 {
		b.WriteString(strings.Repeat("€uro ", 1+r.IntN(5000)))
		want = append(want, int64(b.Len()))
		b.WriteString("needle")
	}
	b.WriteString("\nlast needle")
	for _, o := range []*Options{nil, {MaxScan: 1 << 20}} {
		c := newConversation(t, o)
		f := c.storeFile("a.txt", b.String())
		for _, limit := range []int{5, 100} {
			got, _ := c.searchAll("file", f, "pattern", "needle", "limit", limit)
			require.Len(t, got, len(want)+1)
			for i, off := range want {
				require.Equal(t, off, got[i].Offset)
				require.EqualValues(t, 2, got[i].Line)
				require.Contains(t, got[i].Text, "needle")
				require.True(t, utf8.ValidString(got[i].Text))
				require.NotContains(t, got[i].Text, "\ufffd", "clipped at characters' edges")
				require.True(t, got[i].Clipped)
			}
			require.EqualValues(t, 3, got[len(want)].Line)
		}
		got, _ := c.searchAll("file", f, "pattern", `ne+dle`, "regexp", true)
		require.Len(t, got, len(want)+1)
	}
	// Matches around the end of the first piece and around the beginning of the second.
	for n := range 32 {
		i := blockLen - 8 + n
		if n >= 16 {
			i -= overlap + 16
		}
		c := newConversation(t, nil)
		f := c.storeFile("a.txt", strings.Repeat("x", i)+"needle"+strings.Repeat("y", blockLen))
		got, _ := c.searchAll("file", f, "pattern", "needle")
		require.Len(t, got, 1, "%d", i)
		require.EqualValues(t, i, got[0].Offset)
	}
}

func TestSearchChecksPatterns(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	f := c.storeFile("a.txt", "Größe (a+b)\nGRÖSSE\n")
	found := func(pairs ...any) int {
		return len(callAs[searchResult](c, "search", encodeArgs(t, append([]any{"file", f}, pairs...)...)).Matches)
	}
	require.Equal(t, 1, found("pattern", "(a+b)"))
	require.Equal(t, 0, found("pattern", "größe"))
	require.Equal(t, 1, found("pattern", "größe", "ignore_case", true))
	require.Equal(t, 2, found("pattern", "^gr", "ignore_case", true, "regexp", true))
	for call, want := range map[string]string{
		encodeArgs(t, "file", f, "pattern", ""):                                                                                      "must not be empty",
		encodeArgs(t, "file", f, "pattern", strings.Repeat("x", 257)):                                                                "must be at most 256 bytes",
		encodeArgs(t, "file", f, "pattern", "a\nb"):                                                                                  "line by line",
		encodeArgs(t, "file", f, "pattern", "(", "regexp", true):                                                                     "regular expression, for example \"err(or)?s\": missing closing )",
		encodeArgs(t, "file", f, "pattern", "x*", "regexp", true):                                                                    "must not match the empty text",
		encodeArgs(t, "file", f, "pattern", "(?:a{900})(?:b{900})", "regexp", true):                                                  "repeats too much",
		encodeArgs(t, "file", f, "pattern", strings.Repeat(`\pL{99}`, 30), "regexp", true):                                           "repeats too much",
		encodeArgs(t, "file", f, "pattern", strings.Repeat("(", 120)+strings.Repeat(")", 120)+"(((a{9}){9}){9}){9}", "regexp", true): "pattern",
		encodeArgs(t, "file", f, "pattern", "x", "limit", 101):                                                                       "limit",
		encodeArgs(t, "file", f, "pattern", "x", "context", 6):                                                                       "context",
		encodeArgs(t, "file", f, "pattern", "x", "context", -1):                                                                      "context",
	} {
		require.Contains(t, c.correctionOf("search", call), want, call)
	}
}

// The larger an expression is, the less one call searches. The search reaches the end with cursors.
func TestLargeExpressionsSearchLess(t *testing.T) {
	t.Parallel()
	c := newConversation(t, &Options{MaxScan: 2 << 20})
	const size = 3 << 20
	f := c.storeFile("a.txt", strings.Repeat(strings.Repeat("x", 1023)+"\n", size>>10))
	ends := func(pattern string) (ends []int64) {
		call := []any{"file", f, "pattern", pattern, "regexp", true}
		out := callAs[searchResult](c, "search", encodeArgs(t, call...))
		for out.Cursor != "" {
			ends = append(ends, out.End)
			out = callAs[searchResult](c, "search", encodeArgs(t, append(call, "cursor", out.Cursor)...))
		}
		return append(ends, out.End)
	}
	require.Equal(t, []int64{2 << 20, size}, ends("y"))
	const large = "z(?:.{0,30}){0,15}y" // it begins with a literal that is searched fast
	p, err := newPattern(large, true, false)
	require.NoError(t, err)
	perCall := float64(callWork) / float64(p.size)
	got := ends(large)
	require.InDelta(t, perCall, got[0], 1024)
	require.InDelta(t, size/perCall, len(got), 1)
	require.EqualValues(t, size, got[len(got)-1])
}

// endsAfter is a context that is canceled after most calls of Err.
type endsAfter struct {
	context.Context
	asked, most int
}

func (c *endsAfter) Err() error {
	if c.asked++; c.asked > c.most {
		return context.Canceled
	}
	return nil
}

// costlyPatterns are large, or read all following text for each match.
var costlyPatterns = []string{`a(?:(?:[^b]{0,60})+b)?`, `a(?:.{0,30}){0,15}`, `\ba|a(?:[^b]*b)?`}

// A call does a bounded amount of work, checks its context between two matches, and returns a cursor to continue.
func TestSearchWorkIsBounded(t *testing.T) {
	t.Parallel()
	const size = 256 << 10
	for _, pattern := range costlyPatterns {
		p, err := newPattern(pattern, true, false)
		require.NoError(t, err, pattern)
		one := max(matchWork, minPiece*p.size) // a match can't be interrupted
		require.LessOrEqual(t, p.pieceLen()*p.size, one)
		for name, text := range map[string]string{
			"one line": strings.Repeat("a", size), "lines": strings.Repeat(strings.Repeat("a", 999)+"\n", size/1000),
			"long lines": strings.Repeat(strings.Repeat("a", 9_999)+"\n", size/10_000),
		} {
			search := func(ctx context.Context, work int) (*searcher, error) {
				store := make([]byte, 0, blockLen)
				tx := newTextReader(text, false)
				tx.store, tx.buf = store, store
				s := &searcher{p: p, work: budget{work}, limit: 1 << 30, left: budget{1 << 40}, out: searchResult{Size: int64(len(text))}}
				s.lines = &lineReader{t: tx, max: p.pieceLen(), line: 1}
				return s, s.run(ctx)
			}
			s, err := search(t.Context(), one)
			require.NoError(t, err)
			require.Greater(t, s.work.left, -one, "%s: %s", pattern, name)
			require.Positive(t, s.out.End, "it comes on")
			require.True(t, s.out.Cursor == "" || s.work.isSpent(), "%s: %s: it stopped with %d", pattern, name, s.work.left)

			ctx := &endsAfter{t.Context(), 0, 2}
			s, err = search(ctx, 1<<40)
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, ctx.most+1, ctx.asked, "it goes on after the context has ended")
			require.LessOrEqual(t, 1<<40-s.work.left, 2*one)
		}
	}
}

// A costly expression stops soon after its context ends. It once took 11 to 107 s for each MiB and ignored the context.
// A match takes about 50 ms, and some 20 times that under the race detector, also on a busy machine far from a minute.
func TestSearchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	f := c.storeFile("a.txt", strings.Repeat("a", 16<<20))
	tool, ok := c.tools.Lookup("search")
	require.True(t, ok)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := tool.Call(ctx, tools.NewCall(tools.CallOptions{Scope: c.scope, State: c.state,
		Args: []byte(encodeArgs(t, "file", f, "pattern", costlyPatterns[0], "regexp", true, "limit", 100))}))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(begin), time.Minute)
}

// A search with cursors finds every match, even if each call has work for only one or two.
func TestCostlySearchFindsEverything(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	f := c.storeFile("a.txt", strings.Repeat("a"+strings.Repeat("x", 499), 80))
	// The expression is fast here, but the budget counts its worst case.
	got, calls := c.searchAll("file", f, "pattern", `a(?:z.{0,30}){0,15}`, "regexp", true, "limit", 100)
	require.Len(t, got, 80)
	require.Greater(t, calls, 2)
	for i, m := range got {
		require.EqualValues(t, 500*i, m.Offset)
	}
}

// A finder finds the same matches as FindAllIndex.
func TestFinderFindsAll(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(19, 1))
	parts := []string{"a", "b", "ab", "[ab]", ".", `\b`, `\B`, "^", "$", "(?:a|ab)", "b*", "a+?", "é", `\W`, "(?i)A", "\ufffd", `(?m)^`, "(b)"}
	alphabet := []string{"a", "b", "a", "b", " ", "é", "\xff", "\xe2\x82", "日", "\n"}
	compared := 0
	for range 6_000 {
		var expr, text strings.Builder
		for range 1 + rnd.IntN(4) {
			expr.WriteString(parts[rnd.IntN(len(parts))])
		}
		for range rnd.IntN(12) {
			text.WriteString(alphabet[rnd.IntN(len(alphabet))])
		}
		p, err := newPattern(expr.String(), true, rnd.IntN(4) == 0)
		if err != nil {
			continue
		}
		var want, got [][]int
		want = p.re.FindAllIndex([]byte(text.String()), -1)
		for f := newFinder(p, []byte(text.String())); ; {
			m, ok := f.next()
			if !ok {
				break
			}
			got = append(got, m[:])
		}
		require.Equal(t, want, got, "%q in %q", expr.String(), text.String())
		compared++
	}
	require.Greater(t, compared, 1_500)
}

// The rest of a line that is searched in pieces is not context of a match in it.
func TestContextSkipsTheRestOfALongLine(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	f := c.storeFile("a.txt", "first\nneedle"+strings.Repeat("x", 3*blockLen)+"\nnext\n")
	out := callAs[searchResult](c, "search", encodeArgs(t, "file", f, "pattern", "needle", "context", 1))
	require.Len(t, out.Matches, 1)
	require.Equal(t, []string{"first"}, out.Matches[0].Before)
	require.Equal(t, []string{"next"}, out.Matches[0].After)
}
