package objecttools

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// decodeAll decodes a whole file as one piece, another way than the tools do.
func decodeAll(f *file, content string) string {
	b := []byte(content)[f.start:]
	if f.enc != utf8Text {
		b, _ = f.enc.decodeUTF16(nil, b, true)
	}
	s, _ := replaceInvalid(b)
	return s
}

// Whatever a file holds: every tool comes to the end of it, no result is too large, all windows together are the file,
// and the rows of all windows are as many as describe_file counts.
func FuzzWindows(f *testing.F) {
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
		c := desktop(t, &Options{MaxResult: 4 << 10})
		handle := c.file("a"+[]string{".csv", ".jsonl", ".txt", ".json", ""}[name%5], content)
		d := get[description](c, "describe_file", args(t, "file", handle))
		if d.Kind != "text" {
			return
		}
		dk, err := newToolset(c.bucket, nil)
		require.NoError(t, err)
		opened, err := dk.openFile(t.Context(), c.call(), handle)
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
			var all strings.Builder
			rows := 0
			out := get[chunk](c, "read_chunk", args(t, append([]any{"by", by}, call...)...))
			for n := 0; ; n++ {
				require.Less(t, n, 3*len(content)+10, "no end by %s", by)
				all.WriteString(out.Text)
				rows += len(out.Rows) + len(out.Records)
				for _, row := range out.Rows {
					for _, field := range row {
						require.True(t, utf8.ValidString(field))
					}
				}
				if out.Cursor == "" {
					break
				}
				out = get[chunk](c, "read_chunk", args(t, append([]any{"cursor", out.Cursor}, call...)...))
			}
			require.LessOrEqual(t, out.End, int64(len(content)))
			if by != "rows" {
				require.Equal(t, want, all.String(), by)
				require.EqualValues(t, len(content), out.End)
			} else if d.Malformed == 0 { // an open quote is one row for the count, and a line of its own to read
				require.EqualValues(t, *d.Rows, rows)
			}
		}
		for _, from := range []string{"spread", "head", "tail"} {
			get[sampleResult](c, "sample", args(t, "file", handle, "from", from, "count", int(1+count%50)))
		}
		c.all("file", handle, "pattern", "[^x]", "regexp", true, "limit", int(1+count%100), "context", int(count%3))
	})
}
