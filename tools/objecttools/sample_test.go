package objecttools

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSampleTakesHeadTailAndSpread(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, "line %d\n", i+1)
	}
	f := c.storeFile("a.txt", b.String())
	texts := func(s sampleResult) (out []string) {
		for _, it := range s.Items {
			out = append(out, it.Text)
			require.True(t, strings.HasPrefix(b.String()[it.Offset:], it.Text+"\n"))
		}
		return out
	}
	require.Equal(t, []string{"line 1", "line 2", "line 3"}, texts(callAs[sampleResult](c, "sample", encodeArgs(t, "file", f, "count", 3, "from", "head"))))
	require.Equal(t, []string{"line 9999", "line 10000"}, texts(callAs[sampleResult](c, "sample", encodeArgs(t, "file", f, "count", 2, "from", "tail"))))
	spread := texts(callAs[sampleResult](c, "sample", encodeArgs(t, "file", f, "count", 11)))
	require.Len(t, spread, 11)
	require.Equal(t, "line 1", spread[0])
	require.Equal(t, "line 10000", spread[10])

	f = c.storeFile("b.txt", "one\n\ntwo\nthree")
	for _, from := range []string{"head", "tail", "spread"} {
		s := callAs[sampleResult](c, "sample", encodeArgs(t, "file", f, "from", from))
		require.Equal(t, []sampleItem{{Offset: 0, Text: "one"}, {Offset: 5, Text: "two"}, {Offset: 9, Text: "three"}}, s.Items, from)
		require.Contains(t, s.Notes[0], "fewer than the requested 10")
	}
	f = c.storeFile("c.csv", "a,b\n1,\"x\n2,y\n\"\n3,4\n")
	for _, from := range []string{"head", "tail", "spread"} {
		s := callAs[sampleResult](c, "sample", encodeArgs(t, "file", f, "from", from))
		require.Equal(t, []sampleItem{{Offset: 4, Row: []string{"1", "x\n2,y\n"}}, {Offset: 15, Row: []string{"3", "4"}}}, s.Items, from)
		require.Equal(t, []string{"a", "b"}, s.Columns)
	}
	// Lines within a quoted field are not taken for rows.
	f = c.storeFile("q.csv", "id,text,n\n"+strings.Repeat("1,\"a paragraph\nof many lines\n\nwithout a comma\n\",2\n", 5000))
	s := callAs[sampleResult](c, "sample", encodeArgs(t, "file", f, "count", 20))
	require.Len(t, s.Items, 20)
	for _, it := range s.Items {
		require.Equal(t, []string{"1", "a paragraph\nof many lines\n\nwithout a comma\n", "2"}, it.Row)
	}
	require.Contains(t, c.correctionOf("sample", encodeArgs(t, "file", f, "from", "middle")), `must be one of "spread", "head", "tail", not "middle"`)
	require.Contains(t, c.correctionOf("sample", encodeArgs(t, "file", f, "count", 51)), "count")
	require.Empty(t, callAs[sampleResult](c, "sample", encodeArgs(t, "file", c.storeFile("d.txt", ""))).Items)
	one := callAs[sampleResult](c, "sample", encodeArgs(t, "file", c.storeFile("e.txt", strings.Repeat("é", 100_000)), "count", 3))
	for _, it := range one.Items {
		require.Empty(t, strings.Trim(it.Text, "é"))
		require.True(t, it.Cut)
	}
	require.Len(t, one.Items, 3)
}

// A sample of a file with fewer items than requested contains each item once.
func TestSampleHasNoDuplicates(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	for name, content := range map[string]string{"a.txt": "a\nb\nc", "b.csv": "x,y\n1,2\n3,4\n5,6\n", "c.jsonl": "{}\n[]\n1\n"} {
		f := c.storeFile(name, content)
		for _, n := range []int{3, 4, 10, 50} {
			for _, from := range []string{"spread", "head", "tail"} {
				s := callAs[sampleResult](c, "sample", encodeArgs(t, "file", f, "count", n, "from", from))
				for i, it := range s.Items[1:] {
					require.Less(t, s.Items[i].Offset, it.Offset, "%s %d %s", name, n, from)
				}
				if from != "spread" || n == 50 { // the positions of a small sample may skip one
					require.Len(t, s.Items, 3, "%s %d %s", name, n, from)
				}
			}
		}
	}
}

// A sample shows the inside of a huge quoted field as a text, not as rows.
func TestSampleWithinAQuotedFieldIsMarked(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	f := c.storeFile("a.csv", "a,b\n1,\""+strings.Repeat(strings.Repeat("w", 1000)+"\n", 200)+"\"\n2,x\n")
	out := callAs[sampleResult](c, "sample", encodeArgs(t, "file", f, "count", 3))
	within := 0
	for _, it := range out.Items {
		if it.Within {
			within++
			require.Empty(t, it.Row)
			require.Contains(t, it.Text, "www")
		}
	}
	require.Equal(t, 1, within)
}
