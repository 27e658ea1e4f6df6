package objecttools

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFormatIsDetected(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct{ content, form, by, sep, ends string }{
		"a.csv":       {"a;b;c\r\n1,5;2;3\r\n4;5;6\r\n", "csv", "name", ";", "CRLF"},
		"b.tsv":       {"a\tb\n1\t2\n", "csv", "name", "\t", "LF"},
		"c.csv":       {"name|x\n\"a,b,c,d\"|1\n", "csv", "name", "|", "LF"},
		"d.csv":       {"only\none\n", "csv", "name", ",", "LF"},
		"e":           {"a,b\n1,2\n3,4\n5,6\n", "csv", "content", ",", "LF"},
		"f.txt":       {"Dear reader, hello.\nThis is prose, with commas, not rows.\nThe end.\n", "text", "content", "", "LF"},
		"g":           {"{\"a\":1}\n{\"a\":2}\n", "jsonl", "content", "", "LF"},
		"h":           {"{\n  \"a\": 1\n}\n", "json", "content", "", "LF"},
		"h2":          {"[\n {\"a\": 1}\n]\n", "json", "content", "", "LF"},
		"i.json":      {"[1,2]", "json", "name", "", ""},
		"j.ndjson":    {"1\n2\n", "jsonl", "name", "", "LF"},
		"k":           {"[section]\nx = 1\n", "text", "content", "", "LF"},
		"l.csv":       {"a,b\r1,2\r3,4\r", "csv", "name", ",", "CR"},
		"m.txt":       {"a\nb\r\nc\r", "text", "content", "", "mixed"},
		"BM.csv":      {"BM,b\n1,2\n", "csv", "name", ",", "LF"},
		"n.CSV":       {encode16("ä;b\n1;2\n", true), "csv", "name", ";", "LF"},
		"o.text.json": {"\xef\xbb\xbf{\"a\":null}", "json", "name", "", ""},
	} {
		c := newConversation(t, nil)
		d := callAs[description](c, "describe_file", encodeArgs(t, "file", c.storeFile(name, x.content)))
		require.Equal(t, "text", d.Kind, name)
		require.Equal(t, x.form, d.Format, name)
		require.Equal(t, x.by, d.FormatBy, name)
		require.Equal(t, x.sep, d.Separator, name)
		require.Equal(t, x.ends, d.LineEnds, name)
		require.True(t, d.Complete, name)
		require.EqualValues(t, len(x.content), d.Counted, name)
		require.Empty(t, d.Problems, name)
		if x.form == "csv" && name != "d.csv" {
			require.Greater(t, len(d.Columns), 1, name)
			require.Zero(t, d.Ragged, name)
			require.EqualValues(t, strings.Count(strings.NewReplacer("\x00", "", "\r\n", "\n", "\r", "\n").Replace(x.content), "\n")-1, *d.Rows, name)
		}
	}
}

func TestDescribeReportsTheStructureOfJSON(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	d := callAs[description](c, "describe_file", encodeArgs(t, "file", c.storeFile("a.json",
		`{"books":[{"title":"a","year":1871},{"title":"b","year":null,"a b":[[]]}],"n":2,"\u00e9":{}}`)))
	require.Equal(t, []jsonPlace{
		{"$", []string{"object"}, 1},
		{"$.books", []string{"array"}, 1},
		{"$.books[]", []string{"object"}, 2},
		{"$.books[].title", []string{"string"}, 2},
		{"$.books[].year", []string{"number", "null"}, 2},
		{`$.books[]["a b"]`, []string{"array"}, 1},
		{`$.books[]["a b"][]`, []string{"array"}, 1},
		{"$.n", []string{"number"}, 1},
		{`$["é"]`, []string{"object"}, 1},
	}, d.Structure)

	for content, want := range map[string]string{
		`{"a":1,}`:                  "'}' instead of a name at byte 7",
		`[1,2`:                      "the file ends within a value at byte 4",
		`{"a":1}{"b":2}`:            "more text after the value; perhaps the file is JSON Lines at byte 7",
		`  `:                        "invalid JSON: the file contains only white space at byte 0",
		strings.Repeat("[", 100000): "nested deeper than 200 levels at byte 201",
		"{\"a\n\":1}":               "a line end within a string at byte 3",
	} {
		d := callAs[description](c, "describe_file", encodeArgs(t, "file", c.storeFile("b.json", content)))
		require.Len(t, d.Problems, 1, content)
		require.Contains(t, fmt.Sprintf("%s at byte %d", d.Problems[0].What, d.Problems[0].Offset), want)
	}

	d = callAs[description](c, "describe_file", encodeArgs(t, "file", c.storeFile("c.jsonl", "{\"a\":1}\n\n{\"a\":\n\"x\"}\n[1] 2\n{\"a\":\"x\"}")))
	require.EqualValues(t, 5, *d.Rows)
	require.EqualValues(t, 3, d.Malformed)
	require.Equal(t, []int64{2, 3, 4}, []int64{d.Problems[0].Row, d.Problems[1].Row, d.Problems[2].Row})
	require.True(t, d.Complete)

	// A structure that is too wide or too deep is shortened, with a note.
	var b strings.Builder
	b.WriteString("{")
	for i := range 1000 {
		fmt.Fprintf(&b, "%q:%d,", strings.Repeat("name\u2028", 30)+fmt.Sprint(i), i)
	}
	b.WriteString(`"z":[[[[[[[[1]]]]]]]]}`)
	d = callAs[description](c, "describe_file", encodeArgs(t, "file", c.storeFile("d.json", b.String())))
	require.NotEmpty(t, d.Structure)
	require.Less(t, len(d.Structure), shapeWidth+10)
	require.Contains(t, strings.Join(d.Notes, ";"), "the structure is incomplete")
	require.Empty(t, d.Problems)
	require.True(t, d.Complete)
}

// Counting with cursors returns the same counts as one call.
func TestDescribeContinuesWithTheCursor(t *testing.T) {
	t.Parallel()
	var csv, jsonl, text strings.Builder
	csv.WriteString("a,b\n")
	for i := range 80_000 {
		fmt.Fprintf(&csv, "%d,\"x\n%d\"\n", i, i)
		fmt.Fprintf(&jsonl, "{\"i\":%d,\"s\":\"some text\"}\n", i)
		fmt.Fprintf(&text, "line %d, \xff which is long enough\r\n", i)
		if i%1000 == 0 {
			csv.WriteString("1,2,3\nx\"y\n")
			jsonl.WriteString("{\n\n")
		}
	}
	for name, content := range map[string]string{"a.csv": csv.String(), "a.jsonl": jsonl.String(), "a.txt": text.String()} {
		whole := newConversation(t, nil)
		want := callAs[description](whole, "describe_file", encodeArgs(t, "file", whole.storeFile(name, content)))
		require.True(t, want.Complete)
		c := newConversation(t, &Options{MaxScan: 1 << 20})
		f := c.storeFile(name, content)
		out := callAs[description](c, "describe_file", encodeArgs(t, "file", f))
		calls := 1
		for ; out.Cursor != ""; calls++ {
			require.False(t, out.Complete)
			require.Contains(t, strings.Join(out.Notes, ";"), "continue with the cursor")
			out = callAs[description](c, "describe_file", encodeArgs(t, "file", f, "cursor", out.Cursor))
		}
		require.Greater(t, calls, 1)
		require.Equal(t, want.Rows, out.Rows)
		require.Equal(t, want.Lines, out.Lines)
		require.Equal(t, want.Ragged, out.Ragged)
		require.Equal(t, want.Malformed, out.Malformed)
		require.Equal(t, want.Invalid, out.Invalid)
		require.Equal(t, want.Counted, out.Counted)
	}
}

func TestMalformedRowsAreReportedAndSkipped(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	f := c.storeFile("a.csv", "a,b\n1,2\nx\"y,3\n4,5,6\n\"p\"q,7\n8\n9,10\n")
	out := callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f))
	require.Equal(t, [][]string{{"1", "2"}, {}, {"4", "5", "6"}, {}, {"8"}, {"9", "10"}}, out.Rows)
	require.Equal(t, []rowProblem{
		{2, 9, "a quote within a field that does not begin with a quote", "x\"y,3"},
		{3, 14, "3 fields, but 2 columns", ""},
		{4, 23, "a closing quote that is not followed by a separator", "\"p\"q,7"},
		{5, 27, "1 fields, but 2 columns", ""},
	}, out.Problems)
	d := callAs[description](c, "describe_file", encodeArgs(t, "file", f))
	require.EqualValues(t, 6, *d.Rows)
	require.EqualValues(t, 2, d.Ragged)
	require.EqualValues(t, 2, d.Malformed)

	// Reading continues after the first line of a quote that is never closed, with a note.
	f = c.storeFile("b.csv", "a,b\n1,2\n3,\"4\n5,6\n7,8\n")
	out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f))
	require.Equal(t, [][]string{{"1", "2"}, {}}, out.Rows)
	require.Equal(t, []rowProblem{{2, 10, "a quote that is never closed", "3,\"4\n5,6\n7,8\n"}}, out.Problems)
	require.Contains(t, strings.Join(out.Notes, ";"), "includes the rest of the file")
	out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "cursor", out.Cursor))
	require.Equal(t, [][]string{{"5", "6"}, {"7", "8"}}, out.Rows)
	require.EqualValues(t, 3, out.First)
	require.Empty(t, out.Cursor)

	d = callAs[description](c, "describe_file", encodeArgs(t, "file", f))
	require.EqualValues(t, 2, *d.Rows)
	require.False(t, d.Complete)
	require.Contains(t, strings.Join(d.Notes, ";"), "includes the rest of the file")
	d = callAs[description](c, "describe_file", encodeArgs(t, "file", f, "cursor", d.Cursor))
	require.EqualValues(t, 4, *d.Rows, "as many as read_chunk returns")
	require.EqualValues(t, 1, d.Malformed)
	require.True(t, d.Complete)

	// The same if the rest of the file is more than one call reads.
	c = newConversation(t, &Options{MaxScan: 1 << 20})
	f = c.storeFile("c.csv", "a,b\n1,\"2\n"+strings.Repeat("3,4\n", 1<<19))
	out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "count", 1))
	require.Empty(t, out.Rows)
	require.Contains(t, strings.Join(out.Notes, ";"), "does not end within 1048576 bytes")
	out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "count", 1, "cursor", out.Cursor))
	require.Equal(t, [][]string{{"3", "4"}}, out.Rows)
	require.EqualValues(t, 2, out.First)

	f = c.storeFile("d.csv", "a,\"b\n"+strings.Repeat("3,4\n", 1<<19))
	for _, x := range []string{"read_chunk", "describe_file", "sample"} {
		require.Contains(t, c.correctionOf(x, encodeArgs(t, "file", f)), "the first row of")
	}
	f = c.storeFile("d2.csv", "a,\"b\n3,4\n")
	out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f))
	require.Equal(t, []rowProblem{{0, 2, "a quote that is never closed", "a,\"b\n3,4\n"}}, out.Problems)
	require.Equal(t, [][]string{{"3", "4"}}, out.Rows)
	f = c.storeFile("e.csv", "a\"b,c\n1,2\n")
	out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f))
	require.Empty(t, out.Columns)
	require.EqualValues(t, 0, out.Problems[0].Row)
	require.Equal(t, [][]string{{"1", "2"}}, out.Rows)
}

// A row or a record that is too large is truncated, and the next chunk continues after it.
func TestLargeRowsAreTruncated(t *testing.T) {
	t.Parallel()
	c := newConversation(t, &Options{MaxResult: 4 << 10})
	big := strings.Repeat("é\"", 200_000)
	f := c.storeFile("a.csv", "a,b\n1,2\n\""+strings.ReplaceAll(big, "\"", "\"\"")+"\",3\n4,5\n")
	out := callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f))
	require.Equal(t, [][]string{{"1", "2"}}, out.Rows)
	require.Contains(t, out.Notes[0], "row 2 did not fit")
	out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "cursor", out.Cursor))
	require.EqualValues(t, 2, out.First)
	require.Equal(t, []string{"4", "5"}, out.Rows[1], "what comes behind it is whole")
	require.True(t, strings.HasPrefix(big, out.Rows[0][0]))
	require.Greater(t, len(out.Rows[0][0]), 100)
	require.Contains(t, out.Problems[0].What, "it is truncated: read it by bytes from this offset")
	require.Empty(t, out.Cursor)
	rest := callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "by", "bytes", "start", out.Problems[0].Offset))
	require.True(t, strings.HasPrefix(rest.Text, `"é""é""`), "the row from its beginning")

	f = c.storeFile("a.jsonl", "1\n{\"a\":\""+strings.Repeat("é", 200_000)+"\"}\n2\n")
	out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f))
	require.Equal(t, []string{"1"}, out.Records)
	out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "cursor", out.Cursor))
	require.Len(t, out.Records, 2)
	require.EqualValues(t, 2, out.First)
	require.True(t, strings.HasPrefix(out.Records[0], `{"a":"éééé`))
	require.Equal(t, "2", out.Records[1])
	require.Contains(t, out.Problems[0].What, "it is truncated")

	// A record that is longer than a call reads is skipped with cursors.
	c = newConversation(t, &Options{MaxScan: 1 << 20})
	f = c.storeFile("b.jsonl", "1\n\""+strings.Repeat("é", 2_000_000)+"\"\n2\n")
	var got []string
	calls := 0
	for out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f)); ; calls++ {
		for _, r := range out.Records {
			got = append(got, r[:1])
		}
		if out.Cursor == "" {
			break
		}
		out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "cursor", out.Cursor))
	}
	require.Equal(t, []string{"1", "\"", "2"}, got)
	require.EqualValues(t, 3, out.First)
	require.GreaterOrEqual(t, calls, 3)
	c = newConversation(t, &Options{MaxResult: 4 << 10})

	// Only the first fields of a row with very many fields are kept.
	f = c.storeFile("b.csv", "a,b\n"+strings.Repeat(",", 1_000_000)+"\n4,5\n")
	out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f))
	require.Contains(t, out.Problems[0].What, "1000001 fields")
	require.Equal(t, []string{"4", "5"}, out.Rows[len(out.Rows)-1])
	f = c.storeFile("c.csv", strings.Repeat("name,", 100_000)+"\n4,5\n")
	d := callAs[description](c, "describe_file", encodeArgs(t, "file", f))
	require.Contains(t, d.Notes[0], "of 100001 column names fit")
	d = callAs[description](c, "describe_file", encodeArgs(t, "file", c.storeFile("c2.csv", strings.Repeat("é", 5000)+"\n4\n")))
	require.Contains(t, d.Notes[0], "only 1 of 1 column names fit")
}

// No content makes a result larger than MaxResult.
func TestResultsNeverExceedTheLimit(t *testing.T) {
	t.Parallel()
	skipIfShort(t)
	for _, unit := range map[string]string{
		"controls":  "ab\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b,\n",
		"quotes":    "\"\"\"\"\"\"\"\"\"\"\"\",\"\\\\\\\\\\\\\"\n",
		"bad":       "abc,\xff\xfe\xfd\xfc",
		"line ends": "\r\n\n\r",
		"seps":      "\u2028\u2029,",
		"wide":      "😀😀😀😀,😀\n",
		"malformed": "x\"\x1b\x1b\x1b\x1b\x1b\x1b\x1b\n",
		"json":      "{\"a\":}\n",
		"commas":    ",,,,,,,,,\n",
	} {
		for _, name := range []string{"a.txt", "a.csv", "a.json", "a.jsonl", strings.Repeat("\"", 200) + ".csv"} {
			c := newConversation(t, &Options{MaxResult: 4 << 10})
			f := c.storeFile(name, strings.Repeat("plain text first\n", 500)+strings.Repeat(unit, 20_000))
			off := 8500
			callAs[description](c, "describe_file", encodeArgs(t, "file", f))
			callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "by", "bytes", "start", off))
			callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "by", "lines", "start", 501))
			if strings.HasSuffix(name, "csv") || strings.HasSuffix(name, "jsonl") {
				callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "start", 500))
			}
			for _, from := range []string{"spread", "head", "tail"} {
				callAs[sampleResult](c, "sample", encodeArgs(t, "file", f, "count", 50, "from", from))
			}
			for _, p := range []string{".", "[^a-z ]", "text"} {
				callAs[searchResult](c, "search", encodeArgs(t, "file", f, "pattern", p, "regexp", true, "limit", 100, "context", 5))
			}
		}
	}
}

// A long line is counted in pieces that overlap, but each byte counts once.
func TestInvalidBytesOfALongLineCountOnce(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	f := c.storeFile("a.txt", strings.Repeat("abé\xff", 100_000))
	d := callAs[description](c, "describe_file", encodeArgs(t, "file", f))
	require.EqualValues(t, 100_000, d.Invalid)
	require.EqualValues(t, 1, *d.Lines)
}

// Counting makes progress past a row that does not end within the bytes that one call reads.
func TestDescribeSkipsARowThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	const size = 5 << 20
	c, _ := newSyntheticConversation(t, size, &Options{MaxScan: 1 << 20})
	for _, f := range callAs[fileList](c, "list_files", `{}`).Files {
		call := []any{"file", f.File}
		out := callAs[description](c, "describe_file", encodeArgs(t, call...))
		for n := 0; out.Cursor != ""; n++ {
			require.Less(t, n, 10, f.Name)
			at := out.Counted
			out = callAs[description](c, "describe_file", encodeArgs(t, append(call, "cursor", out.Cursor)...))
			require.Greater(t, out.Counted, at, f.Name)
		}
		require.Equal(t, out.Format != formatJSON, out.Complete, f.Name)
	}
}

// A line end CRLF counts once, also if the part that one call reads ends within it.
func TestLineEndAcrossPartsCountsOnce(t *testing.T) {
	t.Parallel()
	const scan = 1 << 20
	c := newConversation(t, &Options{MaxScan: scan})
	before := "xx\n" + strings.Repeat("x\n", (scan-4)/2)
	require.Len(t, before, scan-1)
	f := c.storeFile("a.txt", before+"\r\nend\n")
	d := callAs[description](c, "describe_file", encodeArgs(t, "file", f))
	require.False(t, d.Complete)
	d = callAs[description](c, "describe_file", encodeArgs(t, "file", f, "cursor", d.Cursor))
	require.True(t, d.Complete)
	require.EqualValues(t, strings.Count(before, "\n")+2, *d.Lines)
}
