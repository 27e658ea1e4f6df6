package objecttools

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// randomTable returns rows of random text. The first row contains column names without separators, because the separator
// is detected from it.
func randomTable(r *rand.Rand) (rows [][]string) {
	width := 1 + r.IntN(6)
	for range 1 + r.IntN(200) {
		row := make([]string, width)
		for j := range row {
			row[j] = strings.NewReplacer("\r", "", "\x00", "0", "\x01", "1").Replace(randomText(r, r.IntN(30)))
		}
		if width == 1 && row[0] == "" {
			row[0] = "x"
		}
		rows = append(rows, row)
	}
	rows[0][0] = "first"
	for j := 1; j < width; j++ {
		rows[0][j] = fmt.Sprintf("c%d", j)
	}
	return rows
}

// readAllRows reads the rows of a CSV file with cursors.
func readAllRows(c *conversation, columns []string, call ...any) (rows [][]string) {
	c.t.Helper()
	out := callAs[chunk](c, "read_chunk", encodeArgs(c.t, call...))
	for {
		require.Equal(c.t, columns, out.Columns)
		require.Empty(c.t, out.Problems)
		if len(out.Rows) > 0 {
			require.EqualValues(c.t, len(rows)+1, out.First)
		}
		rows = append(rows, out.Rows...)
		if out.Cursor == "" {
			return rows
		}
		require.NotEmpty(c.t, out.Rows)
		out = callAs[chunk](c, "read_chunk", encodeArgs(c.t, append([]any{"cursor", out.Cursor}, call...)...))
	}
}

// The columns and the rows of all chunks are what encoding/csv wrote.
func TestRowsTogetherAreTheFile(t *testing.T) {
	t.Parallel()
	skipIfShort(t)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 80 {
		want := randomTable(r)
		var b strings.Builder
		w := csv.NewWriter(&b)
		if len(want[0]) > 1 {
			w.Comma = []rune(",;\t|")[i%4]
		}
		require.NoError(t, w.WriteAll(want))
		stored := b.String()
		if i%7 == 0 {
			stored = strings.TrimSuffix(stored, "\n")
		}
		if i%3 == 0 {
			stored = encode16(stored, i%2 == 0)
		}
		c := newConversation(t, &Options{MaxResult: 4<<10 + r.IntN(4000)})
		f := c.storeFile("a.csv", stored)
		call := []any{"file", f}
		if r.IntN(2) == 0 {
			call = append(call, "count", 1+r.IntN(40))
		}
		got := readAllRows(c, want[0], call...)
		if len(want) == 1 {
			require.Empty(t, got)
			continue
		}
		require.Equal(t, want[1:], got, "%d", i)
		n := 1 + r.IntN(len(want)-1)
		at := callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "start", n, "count", 1))
		require.Equal(t, want[n:n+1], at.Rows)
		require.EqualValues(t, n, at.First)
		require.Contains(t, c.correctionOf("read_chunk", encodeArgs(t, "file", f, "start", len(want))), fmt.Sprintf("only %d rows", len(want)-1))
	}
}

func TestJSONLinesRecordsAreReturnedVerbatim(t *testing.T) {
	t.Parallel()
	c := newConversation(t, &Options{MaxResult: 4 << 10})
	var want []string
	var b strings.Builder
	for i := range 200 {
		rec := fmt.Sprintf(`{"n":%d,"id":12345678901234567890,"s":%q}`, i, strings.Repeat("é\"", i%20))
		want = append(want, rec)
		b.WriteString(rec + "\r\n")
		if i%9 == 0 {
			b.WriteString("\n")
		}
	}
	f := c.storeFile("a.jsonl", strings.TrimSuffix(b.String(), "\r\n"))
	var got []string
	out := callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f))
	for {
		require.EqualValues(t, len(got)+1, out.First)
		got = append(got, out.Records...)
		if out.Cursor == "" {
			break
		}
		out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "cursor", out.Cursor))
	}
	require.Equal(t, want, got)

	out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "start", 100, "count", 2))
	require.Equal(t, want[99:101], out.Records)

	f = c.storeFile("b.jsonl", "{\"a\":1}\n{\"a\":}\n{\"a\":3}\n")
	out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f))
	require.Equal(t, []string{`{"a":1}`, `{"a":}`, `{"a":3}`}, out.Records, "a malformed record is given as it stands")
	require.Len(t, out.Problems, 1)
	require.EqualValues(t, 2, out.Problems[0].Row)
	require.EqualValues(t, 8, out.Problems[0].Offset)
	require.Contains(t, out.Problems[0].What, "at byte 6 of the record")
}

// A row beyond the part that one call reads is reached with the cursor. It is not missing.
func TestRowsBeyondAScanAreReachedWithTheCursor(t *testing.T) {
	t.Parallel()
	c := newConversation(t, &Options{MaxScan: 1 << 20})
	const rows = 300_000
	f := c.storeFile("a.csv", "n,x\n"+strings.Repeat("1,a\n", rows-1)+"9,z\n")
	out := callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "start", rows))
	require.Empty(t, out.Rows)
	require.Contains(t, out.Notes[0], "row 300000 was not reached")
	out = callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "cursor", out.Cursor))
	require.Equal(t, [][]string{{"9", "z"}}, out.Rows)
	require.EqualValues(t, rows, out.First)
	require.Contains(t, c.correctionOf("read_chunk", encodeArgs(t, "file", c.storeFile("b.csv", "n,x\n1,a\n"), "start", 2)), "only 1 rows")
}
