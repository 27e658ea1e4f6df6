package objecttools

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Text counts as CSV if at least three lines that are not blank agree on a separator, and no line disagrees.
func TestThreeLinesMustAgreeOnASeparator(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		head  string
		comma byte
		sure  bool
	}{
		"empty":                        {"", ',', false},
		"one line":                     {"a;b\n", ';', false},
		"two lines":                    {"a;b\nc;d\n", ';', false},
		"two lines and an open one":    {"a;b\nc;d\ne;f", ';', false},
		"two lines and blank ones":     {"\na;b\n\nc;d\n\n\n", ';', false},
		"three lines":                  {"a;b\nc;d\ne;f\n", ';', true},
		"three lines with CRLF":        {"a;b\r\nc;d\r\ne;f\r\n", ';', true},
		"three lines without any":      {"a\nb\nc\n", ',', false},
		"the third differs":            {"a;b\nc;d\ne\n", ';', false},
		"the twentieth differs":        {strings.Repeat("a;b\n", 19) + "c\n", ';', false},
		"the twenty-first differs":     {strings.Repeat("a;b\n", 20) + "c\n", ';', true},
		"within quotes":                {"\"a,b\";c\n\"d,\n,e\";f\n\"g\";h\n", ';', true},
		"the one that agrees is taken": {"a,b,c;d\ne,f;g\nh;i\n", ';', true},
		"else the most frequent":       {"a|b|c;d\ne\n", '|', false},
	} {
		comma, sure := sniffSeparator([]byte(x.head))
		require.Equal(t, string(x.comma), string(comma), name)
		require.Equal(t, x.sure, sure, name)
	}
	require.Equal(t, formatText, sniffFormat([]byte("a,b\n1,2\n")))
	require.Equal(t, formatCSV, sniffFormat([]byte("a,b\n1,2\n3,4\n")))
}

// Text counts as JSON Lines if its first line is JSON and the next one begins like it.
func TestJSONLinesAreSniffed(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]string{
		"{\"a\":1}\n{\"a\":": formatJSONLines, "[1]\n\n [2]": formatJSONLines, "{\"a\":1}\n[2]": formatJSON, "[1]\nand then": formatText, "[1]\n": formatJSON,
	} {
		require.Equal(t, want, sniffFormat([]byte(head)), head)
	}
}
