package objecttools

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// encode16 encodes s as UTF-16 with a byte order mark.
func encode16(s string, big bool) string {
	var b strings.Builder
	for _, u := range append([]uint16{0xfeff}, utf16.Encode([]rune(s))...) {
		if big {
			b.Write([]byte{byte(u >> 8), byte(u)})
		} else {
			b.Write([]byte{byte(u), byte(u >> 8)})
		}
	}
	return b.String()
}

var alphabets = [][]rune{
	[]rune("ab \n"),
	[]rune("a\r\n"),
	[]rune("äß€😀\u2028 x\n"),
	[]rune("\x00\"\\\x1b\t\u0001é\n"),
	[]rune("abcdefghij klmnopqrst uvwxyz ABCDEFGHIJ\n"),
}

func randomText(r *rand.Rand, n int) string {
	abc := alphabets[r.IntN(len(alphabets))]
	var b strings.Builder
	for range n {
		b.WriteRune(abc[r.IntN(len(abc))])
	}
	return b.String()
}

// All chunks together are the file, by bytes and by lines, for any content and any size of chunk.
func TestChunksTogetherAreTheFile(t *testing.T) {
	t.Parallel()
	skipIfShort(t)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 150 {
		want := "begin " + randomText(r, r.IntN(6000))
		stored := want
		switch i % 5 {
		case 0:
			stored = encode16(want, i%2 == 0)
		case 1:
			stored = "\xef\xbb\xbf" + want
		}
		if i%5 != 0 {
			text := strings.NewReplacer("\x00", "0", "\x01", "1") // NUL or many controls near the beginning make it binary
			want, stored = text.Replace(want), text.Replace(stored)
		}
		c := newConversation(t, &Options{MaxResult: 4<<10 + r.IntN(4000)})
		f := c.storeFile("a.txt", stored)
		by := []string{"bytes", "lines"}[i%2]
		first := []any{"file", f, "by", by}
		var count int
		if r.IntN(3) > 0 {
			count = 1 + r.IntN(500)
			first = append(first, "count", count)
		}
		out := callAs[chunk](c, "read_chunk", encodeArgs(t, first...))
		all, at, line := "", out.Start, int64(1)
		for {
			require.Equal(t, at, out.Start)
			if by == "lines" {
				require.Equal(t, line, out.First)
			}
			require.True(t, utf8.ValidString(out.Text))
			require.NotContains(t, out.Text, "\ufffd")
			all += out.Text
			at = out.End
			line = int64(1 + countLineEnds(all))
			if out.Cursor == "" {
				break
			}
			require.NotEmpty(t, out.Text, "no progress")
			next := []any{"file", f, "cursor", out.Cursor}
			if count > 0 {
				next = append(next, "count", count)
				switch by {
				case "bytes":
					require.LessOrEqual(t, out.End-out.Start, int64(max(count, 4)))
				case "lines":
					require.LessOrEqual(t, countLineEnds(out.Text), count)
				}
			}
			out = callAs[chunk](c, "read_chunk", encodeArgs(t, next...))
		}
		require.EqualValues(t, len(stored), at)
		require.Equal(t, want, all, "%d", i)
	}
}

// countLineEnds counts LF, CRLF and lone CR.
func countLineEnds(s string) int {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Count(s, "\n") + strings.Count(s, "\r")
}

// A chunk that starts within a character begins with that character.
func TestStartWithinACharacterReadsTheWholeCharacter(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	f := c.storeFile("a.txt", "aé€😀z")
	for start, want := range []struct {
		text string
		at   int64
	}{{"aé€😀z", 0}, {"é€😀z", 1}, {"é€😀z", 1}, {"€😀z", 3}, {"€😀z", 3}, {"€😀z", 3}, {"😀z", 6}, {"😀z", 6}, {"😀z", 6}, {"😀z", 6}, {"z", 10}, {"", 11}} {
		out := callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "by", "bytes", "start", start))
		require.Equal(t, want.text, out.Text, "%d", start)
		require.Equal(t, want.at, out.Start, "%d", start)
		if want.text != "" {
			one := callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "by", "bytes", "start", start, "count", 1))
			require.Equal(t, string([]rune(want.text)[:1]), one.Text)
		}
	}
	require.Contains(t, c.correctionOf("read_chunk", encodeArgs(t, "file", f, "by", "bytes", "start", 12)), "within the file's 11 bytes, not 12")
	require.Contains(t, c.correctionOf("read_chunk", encodeArgs(t, "file", f, "by", "bytes", "start", -1)), "within the file's 11 bytes, not -1")

	f = c.storeFile("b.txt", encode16("a😀z", false)) // mark, a, pair, z: at 0, 2, 4, 8
	for start, want := range []string{"a😀z", "a😀z", "a😀z", "a😀z", "😀z", "😀z", "😀z", "😀z", "z", "z"} {
		out := callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "by", "bytes", "start", start))
		require.Equal(t, want, out.Text, "%d", start)
	}
}

func TestInvalidAndUnusualTextIsRead(t *testing.T) {
	t.Parallel()
	for what, x := range map[string]struct {
		content, text string
		invalid       int
		lines         int64
	}{
		"empty":             {"", "", 0, 0},
		"only a mark":       {"\xef\xbb\xbf", "", 0, 0},
		"only a line end":   {"\n", "\n", 0, 1},
		"no last line end":  {"a\nb", "a\nb", 0, 2},
		"CRLF":              {"a\r\nb\r\n", "a\r\nb\r\n", 0, 2},
		"CR":                {"a\rb\r", "a\rb\r", 0, 2},
		"mixed":             {"a\r\rb\n\r\nc", "a\r\rb\n\r\nc", 0, 5},
		"Latin-1":           {"caf\xe9 und \xfcber\n", "café und über\n", 0, 1},
		"Windows-1252":      {"\x80 5 \x84ab\x93\n", "€ 5 „ab“\n", 0, 1},
		"without character": {"caf\xe9 \x81b \xfc", "café \ufffdb ü", 1, 1},
		"a cut character":   {"abc \xe2\x82", "abc \ufffd\ufffd", 2, 1},
		"overlong":          {"abcdef \xc0\xaf", "abcdef \ufffd\ufffd", 2, 1},
		"a surrogate":       {"abcdefgh \xed\xa0\x80", "abcdefgh \ufffd\ufffd\ufffd", 3, 1},
		"a real U+FFFD":     {"a\ufffdb", "a\ufffdb", 0, 1},
		"half a unit":       {"\xff\xfea\x00b", "a\ufffd", 1, 1},
		"a lone surrogate":  {"\xfe\xff\xd8\x00\x00a", "\ufffda", 1, 1},
		"two high ones":     {"\xfe\xff\xd8\x00\xd8\x00\xdc\x00", "\ufffd\U00010000", 1, 1},
		"a surrogate last":  {"\xfe\xff\x00a\xd8\x00", "a\ufffd", 1, 1},
		"NUL in UTF-16":     {encode16("a\x00b", true), "a\x00b", 0, 1},
		"NUL far behind":    {strings.Repeat("text\n", 2000) + "\x00", strings.Repeat("text\n", 2000) + "\x00", 0, 2001},
		"lines of U+2028":   {"a\u2028b", "a\u2028b", 0, 1},
		"a mark in between": {"a\ufeffb", "a\ufeffb", 0, 1},
	} {
		t.Run(what, func(t *testing.T) {
			c := newConversation(t, nil)
			f := c.storeFile("a.txt", x.content)
			for _, by := range []string{"bytes", "lines"} {
				out := callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "by", by))
				require.Equal(t, x.text, out.Text)
				require.Equal(t, x.invalid, out.Invalid)
				require.Equal(t, x.invalid > 0, strings.Contains(strings.Join(out.Notes, ";"), "U+FFFD"))
				require.Empty(t, out.Cursor)
				require.EqualValues(t, len(x.content), out.End)
			}
			if d := callAs[description](c, "describe_file", encodeArgs(t, "file", f)); len(x.content) > 0 {
				require.Equal(t, "text", d.Kind)
				require.EqualValues(t, x.invalid, d.Invalid)
				require.Equal(t, x.lines, *d.Lines)
				require.True(t, d.Complete)
			}
			callAs[sampleResult](c, "sample", encodeArgs(t, "file", f))
			callAs[searchResult](c, "search", encodeArgs(t, "file", f, "pattern", "a"))
		})
	}
}

func TestBinaryFilesAreNotRead(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct{ content, what string }{
		"a.png":  {"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"},
		"a.csv":  {"PK\x03\x04\x14\x00\x00\x00", "application/zip"},
		"a.txt":  {"text\x00and NUL", "application/octet-stream"},
		"a.json": {"%PDF-1.7\n", "application/pdf"},
		"a.jpg":  {"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"},
		"utf32":  {"\xff\xfe\x00\x00a\x00\x00\x00", "text/plain; charset=utf-16le"},
		"noise":  {"\x01\x02\x03\x04\x05\x06\x07", "application/octet-stream"},
		"koi8":   {"\xf0\xd2\xc9\xd7\xc5\xd4 \xcd\xc9\xd2", "text/plain; charset=utf-8"},
	} {
		c := newConversation(t, nil)
		f := c.storeFile(name, x.content)
		d := callAs[description](c, "describe_file", encodeArgs(t, "file", f))
		require.Equal(t, "binary", d.Kind, name)
		if name != "utf32" && name != "koi8" {
			require.Equal(t, x.what, d.Type, name)
		}
		for _, tool := range []string{"read_chunk", "sample"} {
			require.Contains(t, c.correctionOf(tool, encodeArgs(t, "file", f)), "is not text")
		}
		require.Contains(t, c.correctionOf("search", encodeArgs(t, "file", f, "pattern", "x")), "is not text")
	}
}

func TestReadStartsAtALine(t *testing.T) {
	t.Parallel()
	c := newConversation(t, &Options{MaxScan: 1 << 20})
	var b strings.Builder
	for i := range 300_000 {
		fmt.Fprintf(&b, "line %d\r\n", i+1)
	}
	f := c.storeFile("a.log", b.String())
	out := callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "start", 1000, "count", 2))
	require.Equal(t, "line 1000\r\nline 1001\r\n", out.Text)
	require.EqualValues(t, 1000, out.First)
	next := callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "cursor", out.Cursor, "count", 1))
	require.Equal(t, "line 1002\r\n", next.Text)
	require.EqualValues(t, 1002, next.First)

	// The line is farther away than one call may read.
	calls := 0
	out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "start", 299_999, "count", 1))
	for out.Text == "" {
		calls++
		require.Contains(t, strings.Join(out.Notes, ";"), "line 299999 was not reached")
		out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "cursor", out.Cursor, "count", 1))
	}
	require.Equal(t, "line 299999\r\n", out.Text)
	require.Equal(t, 3, calls)
	c = newConversation(t, nil)
	f = c.storeFile("a.log", b.String())
	require.Contains(t, c.correctionOf("read_chunk", encodeArgs(t, "file", f, "start", 300_001)), "only 300000 lines")
}

func TestReadChunkChecksItsArguments(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	f := c.storeFile("a.txt", "a\nb\n")
	out := callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "count", 1))
	for _, by := range []string{"bytes", "lines"} {
		require.Equal(t, "a\nb\n", callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "by", by, "count", int64(math.MaxInt64))).Text)
	}
	for call, want := range map[string]string{
		encodeArgs(t, "file", f, "by", "pages"):                           `must be one of "bytes", "lines", "rows", not "pages"`,
		encodeArgs(t, "file", f, "by", "rows"):                            "only CSV and JSON Lines have rows",
		encodeArgs(t, "file", f, "start", 0):                              "counted from 1",
		encodeArgs(t, "file", f, "count", 0):                              "count",
		encodeArgs(t, "file", f, "count", -3):                             "count",
		encodeArgs(t, "file", f, "cursor", out.Cursor, "start", 1):        "exclude each other",
		encodeArgs(t, "file", f, "cursor", out.Cursor, "by", "bytes"):     "by must be lines with this cursor, not bytes",
		encodeArgs(t, "file", f, "cursor", out.Cursor+"A"):                "cursor is not valid",
		encodeArgs(t, "file", f, "cursor", "x"):                           "cursor is not valid",
		encodeArgs(t, "file", "f2"):                                       "unknown file",
		encodeArgs(t, "file", "f01"):                                      "unknown file",
		encodeArgs(t, "file", "f+1"):                                      "unknown file",
		encodeArgs(t, "file", "F1"):                                       "unknown file",
		encodeArgs(t, "file", ""):                                         "unknown file",
		encodeArgs(t, "file", "a.txt"):                                    "unknown file",
		encodeArgs(t, "file", "../f1"):                                    "unknown file",
		encodeArgs(t, "file", strings.Repeat("f", 5000)):                  "unknown file",
		encodeArgs(t, "file", f, "key", "tenant=globex/shared/a.txt"):     "is not known here",
		encodeArgs(t, "file", f, "tenant", "globex", "bucket", "another"): "is not known here",
	} {
		require.Contains(t, c.correctionOf("read_chunk", call), want, call)
		require.Less(t, len(c.correctionOf("read_chunk", call)), 600)
	}
}

// A part of a file does not end within a character.
func TestPartsEndBetweenCharacters(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	for name, x := range map[string]struct {
		content string
		to      []string // the text up to each offset
	}{
		"a.txt": {"a€😀", []string{"", "a", "a", "a", "a€", "a€", "a€", "a€", "a€😀"}},
		"b.txt": {encode16("a😀", true), []string{"", "", "", "", "a", "a", "a", "a", "a😀"}},
	} {
		d, err := newToolset(c.bucket, nil)
		require.NoError(t, err)
		h := c.storeFile(name, x.content)
		f, err := d.openFile(t.Context(), c.newCall(), h)
		require.NoError(t, err)
		for to, want := range x.to {
			part, err := f.openText(t.Context(), 0, int64(to))
			require.NoError(t, err)
			require.NoError(t, part.loadBlock())
			part.Close()
			require.Equal(t, want, string(part.buf), "%s up to %d", name, to)
		}
	}
}
