package carrel_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stilted lists phrases that our pages avoid, each with what to write instead.
var stilted = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{phrase(`^(What|Whoever|Whichever|Nobody|Whatever|Whose|Where)\b[^?]*$`), "start with the subject"},
	{phrase(`\b(whoever|whichever)\b`), "name the subject"},
	{phrase(`\b(is|are|was|has|have|had|knows?|gives?|holds?|takes?|needs?|makes?|finds?|names?) no [a-z]`), "negate the verb, not the noun"},
	{phrase(`\b(is|are|has|have|gives?|knows?|there is|there are) (none|nobody|nothing)\b`), "negate the verb"},
	{phrase(`(^|[,;:(] ?|\b(of|for|from|in|with|to|by|beside|than|and|but|that|on|says?|tells?|is|are|reads?|takes?|gives?|keeps?|drops?) )what (is|are|was|were|has|have|does|comes?|came|cannot|can|could|it|they|the|a|an|nobody|somebody|stands?|lies|lay|belongs?)\b`), "name the thing"},
	{phrase(`^\w+ (gives|tells|says)\b`), "returns, reports"},
	{phrase(`\b(is|are|was|were) told\b`), "receives, is called with"},
	{phrase(`\b(is|are|was|were|has|have) to be\b`), "must be, or an imperative"},
	{phrase(`\b(as|where) (it|they) (stand|stands|came|come)\b`), "unchanged, verbatim"},
	{phrase(`\b(of|on) (its|their|his|her|our) own\b`), "its, separate"},
	{phrase(`\bby then\b|\buntil then\b|\bunder way\b|\bfor good\b|\bat all times\b`), "plain words: in flight, permanently"},
	{phrase(`\bOptions are (a|an|the)\b`), "Options configures"},
	{phrase(`\b(lets go of|puts? (it|them|a \w+) off|goes on|go on|going on|comes? to an end|is over|are over)\b`), "releases, defers, continues, ends"},
	{phrase(`\b(else nobody|no one else's|nobody else)\b`), "name the condition"},
	{phrase(`\bis not to\b|\bare not to\b`), "must not"},
	{phrase(`\bin (its|their) (place|stead)\b.*\bstands?\b`), "replaces"},
	{phrase(`\b(at|to) hand\b`), "available"},
	{phrase(`\bto the letter\b|\bto and fro\b`), "exactly"},
}

func phrase(s string) *regexp.Regexp { return regexp.MustCompile(s) }

// sentence is one sentence of a comment, a page or an error message, and where it begins.
type sentence struct{ at, text string }

var (
	sentenceEnd = regexp.MustCompile(`[.!?]['")\]]*\s+`)
	spaces      = regexp.MustCompile(`\s+`)
	codeSpan    = regexp.MustCompile("`[^`]*`")
)

// splitSentences splits prose into sentences. Text in backquotes and indented lines are code.
func splitSentences(at, text string) []sentence {
	var prose []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "    ") {
			line = "\n"
		}
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "|") || strings.HasPrefix(line, "- ") || strings.HasPrefix(line, "#") {
			line = "\n" + strings.Trim(line, "|#- ") // each row, item and heading by itself
		}
		prose = append(prose, line)
	}
	var out []sentence
	for paragraph := range strings.SplitSeq(strings.Join(prose, "\n"), "\n\n") {
		paragraph = spaces.ReplaceAllString(codeSpan.ReplaceAllString(paragraph, "X"), " ")
		for paragraph != "" {
			end := len(paragraph)
			if loc := sentenceEnd.FindStringIndex(paragraph); loc != nil {
				end = loc[1]
			}
			if s := strings.TrimSpace(paragraph[:end]); s != "" {
				out = append(out, sentence{at, s})
			}
			paragraph = paragraph[end:]
		}
	}
	return out
}

// goSentences returns the comments and the error messages of a Go file.
func goSentences(name string, src []byte) (comments, errors []sentence, err error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.ParseComments)
	if err != nil {
		return nil, nil, err
	}
	at := func(p token.Pos) string { return fmt.Sprintf("%s:%d", name, fset.Position(p).Line) }
	for _, c := range file.Comments {
		comments = append(comments, splitSentences(at(c.Pos()), c.Text())...)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		fn, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || fn.Sel.Name != "New" && fn.Sel.Name != "Errorf" && fn.Sel.Name != "Correct" {
			return true
		}
		if lit, ok := call.Args[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				errors = append(errors, sentence{at(lit.Pos()), s})
			}
		}
		return true
	})
	return comments, errors, nil
}

var fence = regexp.MustCompile("(?ms)^```.*?^```")

func pageSentences(name string, src []byte) []sentence {
	return splitSentences(name, fence.ReplaceAllString(string(src), ""))
}

// TestProse counts stilted phrases in comments, pages and error messages. testdata/prose.txt has the limit of each
// directory, which is 0 for one that is not listed. With -v the test prints each phrase, and with -update it lowers the
// limits to the present numbers.
func TestProse(t *testing.T) {
	t.Parallel()
	const limits = "testdata/prose.txt"
	found := findStilted(t)
	dirs := slices.Sorted(maps.Keys(found))
	for _, dir := range dirs {
		for _, line := range found[dir] {
			t.Log(line)
		}
	}
	text, err := os.ReadFile(limits)
	require.NoError(t, err)
	limit := map[string]int{}
	for line := range strings.Lines(string(text)) {
		var dir string
		var n int
		_, err := fmt.Sscan(line, &dir, &n)
		require.NoError(t, err, line)
		limit[dir] = n
	}
	var lowered strings.Builder
	for _, dir := range dirs {
		n := len(found[dir])
		assert.LessOrEqual(t, n, limit[dir], "%s: %d stilted phrases:\n%s", dir, n, strings.Join(found[dir], "\n"))
		fmt.Fprintf(&lowered, "%s %d\n", dir, min(n, limit[dir]))
	}
	if *update {
		require.NoError(t, os.WriteFile(limits, []byte(lowered.String()), 0o600))
	}
}

// findStilted returns the stilted phrases of both modules by directory.
func findStilted(t *testing.T) map[string][]string {
	found := map[string][]string{}
	total, hits := map[string]int{}, map[string]int{}
	check := func(kind, name string, all []sentence) {
		for _, s := range all {
			total[kind]++
			for _, p := range stilted {
				if m := p.pattern.FindString(s.text); m != "" {
					hits[kind]++
					dir := path.Dir(name)
					found[dir] = append(found[dir], fmt.Sprintf("%s: %q (%s): %s", s.at, m, p.instead, s.text))
					break
				}
			}
		}
	}
	require.NoError(t, fs.WalkDir(os.DirFS("."), ".", func(name string, _ fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.Contains(name, "node_modules"):
			return fs.SkipDir
		case path.Ext(name) != ".go" && path.Ext(name) != ".md":
			return nil
		}
		src, err := os.ReadFile(name)
		require.NoError(t, err)
		if path.Ext(name) == ".md" {
			check("pages", name, pageSentences(name, src))
			return nil
		}
		comments, errors, err := goSentences(name, src)
		require.NoError(t, err)
		tests := ""
		if strings.HasSuffix(name, "_test.go") {
			tests = " of tests"
		}
		check("comments"+tests, name, comments)
		check("errors"+tests, name, errors)
		return nil
	}))
	for _, kind := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%s: %d of %d (%.1f %%)", kind, hits[kind], total[kind], 100*float64(hits[kind])/float64(total[kind]))
	}
	return found
}
