package objecttools

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// latin1 encodes a text as Latin-1. All of its characters must be in Latin-1.
func latin1(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r))
	}
	return b.String()
}

// readFields returns the fields of all rows of a file, and the file.
func readFields(t *testing.T, name, content string) ([][]string, *Rows) {
	t.Helper()
	c := newConversation(t, nil)
	rows, err := OpenRows(t.Context(), c.newCall(), c.bucket, c.storeFile(name, content), nil)
	require.NoError(t, err)
	var all [][]string
	for row, err := range rows.All(t.Context()) {
		require.NoError(t, err)
		line := []string{string(row.Record)}
		for _, f := range row.Fields {
			line = append(line, string(f))
		}
		all = append(all, line)
	}
	return all, rows
}

func TestTextInAnEightBitEncodingLosesNothing(t *testing.T) {
	t.Parallel()
	const text = "Größe;Ort\n5;Zürich\n6;Genève\n7;Málaga\n"
	rows, r := readFields(t, "a.csv", latin1(text))
	require.Equal(t, [][]string{{"", "5", "Zürich"}, {"", "6", "Genève"}, {"", "7", "Málaga"}}, rows)
	require.Equal(t, []string{"Größe", "Ort"}, r.Columns)
	require.Equal(t, "Windows-1252", r.Encoding)
	require.Contains(t, strings.Join(r.Notes, ";"), "assumption")

	c := newConversation(t, nil)
	f := c.storeFile("a.csv", latin1(text))
	sample := callAs[sampleResult](c, "sample", encodeArgs(t, "file", f))
	require.Equal(t, []string{"5", "Zürich"}, sample.Items[0].Row)
	require.Contains(t, strings.Join(sample.Notes, ";"), "Windows-1252")
	d := callAs[description](c, "describe_file", encodeArgs(t, "file", f))
	require.Equal(t, "Windows-1252", d.Encoding)
	found := callAs[searchResult](c, "search", encodeArgs(t, "file", f, "pattern", "Genève"))
	require.Len(t, found.Matches, 1)
	require.EqualValues(t, strings.Index(latin1(text), latin1("Genève")), found.Matches[0].Offset)
	out := callAs[chunk](c, "read_chunk", encodeArgs(t, "file", f, "by", "bytes", "start", 12, "count", 6))
	require.Equal(t, "Zürich", out.Text)

	lines, r := readFields(t, "a.jsonl", latin1("{\"ort\":\"Zürich\"}\n{\"ort\":\"Köln\"}\n"))
	require.Equal(t, [][]string{{`{"ort":"Zürich"}`}, {`{"ort":"Köln"}`}}, lines)
	require.Equal(t, "Windows-1252", r.Encoding)
}

// The offset of each row is that in the file, and long files are decoded in many pieces.
func TestOffsetsOfEightBitTextAreThoseOfTheFile(t *testing.T) {
	t.Parallel()
	const row = "Zürich,\x80\x84\x99ä\n"
	content := "ört,b\n" + strings.Repeat(row, 60_000)
	content = strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(content, "ü", "\xfc"), "ä", "\xe4"), "ö", "\xf6")
	c := newConversation(t, nil)
	rows, err := OpenRows(t.Context(), c.newCall(), c.bucket, c.storeFile("a.csv", content), nil)
	require.NoError(t, err)
	at := int64(len("ort,b\n"))
	for row, err := range rows.All(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, at, row.Offset)
		require.Equal(t, "Zürich|€„™ä", string(row.Fields[0])+"|"+string(row.Fields[1]))
		at = row.End
	}
	require.EqualValues(t, len(content), at)
}

// In a file that is put together from two, each part keeps its characters.
func TestMixedEncodingsKeepTheirCharacters(t *testing.T) {
	t.Parallel()
	content := "ort\nZürich\n" + strings.Repeat("Bern\n", 4000) + latin1("Genève\n") + "Málaga\n\xe2\x82\n"
	rows, r := readFields(t, "a.csv", content)
	n := len(rows)
	require.Equal(t, [][]string{{"", "Genève"}, {"", "Málaga"}, {"", "\ufffd\ufffd"}}, rows[n-3:])
	require.Equal(t, "UTF-8", r.Encoding)
	require.Contains(t, strings.Join(r.Notes, ";"), "3 bytes are not valid UTF-8")

	c := newConversation(t, nil)
	out := callAs[sampleResult](c, "sample", encodeArgs(t, "file", c.storeFile("a.csv", content), "from", "tail", "count", 3))
	require.Equal(t, []string{"Genève"}, out.Items[0].Row)
}

// Text in other encodings is refused rather than read wrongly.
func TestTextOfAnotherAlphabetIsBinary(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	f := c.storeFile("a.csv", strings.Repeat("\xcf\xf0\xe8\xe2\xe5\xf2,\xec\xe8\xf0\n", 20)) // Windows-1251
	_, err := OpenRows(t.Context(), c.newCall(), c.bucket, f, nil)
	var correction *tools.CorrectionError
	require.ErrorAs(t, err, &correction)
}
