package objecttools

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// decodeAll decodes a whole file at once, independently of the tools.
func decodeAll(f *file, content string) string {
	b := []byte(content)[f.start:]
	if f.enc != utf8Text {
		b, _ = f.enc.decode(nil, b, true)
	}
	s, _ := f.enc.toText(b)
	return s
}

// For any content, every tool reaches the end of the file, no result exceeds the limit, all chunks together are the
// file, and all chunks have as many rows as describe_file counts.
func FuzzChunks(f *testing.F) {
	f.Add("a,b\n1,\"2\n3\"\n\n4,5,6\nx\"y\n\"open\n7,8\n", byte(0), byte(1))
	f.Add("a\tb\r1\t2\r", byte(0), byte(2))
	f.Add("{\"a\":1}\n\n[\r\n{\"b\":2}", byte(1), byte(1))
	f.Add("\xff\xfea\x00,\x00b\x00\n\x00\x00\xd8\n\x00x", byte(0), byte(1))
	f.Add("\xfe\xff\x00a\xd8", byte(2), byte(3))
	f.Add("\xef\xbb\xbf\r\r\n\xe2\x82", byte(2), byte(1))
	f.Add("[{\"a\":[1,2,{\"b\":null}]},", byte(3), byte(0))
	f.Fuzz(func(t *testing.T, content string, name, count byte) {
		if len(content) > 2000 {
			return
		}
		c := newConversation(t, &Options{MaxResult: 4 << 10})
		handle := c.storeFile("a"+[]string{".csv", ".jsonl", ".txt", ".json", ""}[name%5], content)
		d := callAs[description](c, "describe_file", encodeArgs(t, "file", handle))
		if d.Kind != "text" {
			return
		}
		dk, err := newToolset(c.bucket, nil)
		require.NoError(t, err)
		opened, err := dk.openFile(t.Context(), c.newCall(), handle)
		require.NoError(t, err)
		want := decodeAll(opened, content)

		call := []any{"file", handle}
		if count > 0 {
			call = append(call, "count", int(count))
		}
		bys := []string{"bytes", "lines"}
		if d.Rows != nil {
			bys = append(bys, "rows")
		}
		for _, by := range bys {
			text, rows, end := readAllChunks(c, 3*len(content)+10, append([]any{"by", by}, call...), call)
			require.LessOrEqual(t, end, int64(len(content)))
			if by != "rows" {
				require.Equal(t, want, text, by)
				require.EqualValues(t, len(content), end)
			} else if d.Malformed == 0 { // describe_file counts an open quote as one row; read_chunk continues on its second line
				require.EqualValues(t, *d.Rows, rows)
			}
		}
		for _, from := range []string{"spread", "head", "tail"} {
			callAs[sampleResult](c, "sample", encodeArgs(t, "file", handle, "from", from, "count", int(1+count%50)))
		}
		c.searchAll("file", handle, "pattern", "[^x]", "regexp", true, "limit", int(1+count%100), "context", int(count%3))
	})
}

// readAllChunks reads a file in at most limit chunks with cursors.
func readAllChunks(c *conversation, limit int, first, next []any) (text string, rows int, end int64) {
	c.t.Helper()
	var all strings.Builder
	out := callAs[chunk](c, "read_chunk", encodeArgs(c.t, first...))
	for n := 0; ; n++ {
		require.Less(c.t, n, limit, "%v: no end", first)
		all.WriteString(out.Text)
		rows += len(out.Rows) + len(out.Records)
		for _, row := range out.Rows {
			for _, field := range row {
				require.True(c.t, utf8.ValidString(field))
			}
		}
		if out.Cursor == "" {
			return all.String(), rows, out.End
		}
		out = callAs[chunk](c, "read_chunk", encodeArgs(c.t, append([]any{"cursor", out.Cursor}, next...)...))
	}
}
