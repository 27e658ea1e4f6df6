package openlibrary

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
)

func TestParseYearReadsFreeText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"1995": 1995, "June 1995": 1995, "c1995": 1995, "©1995": 1995, "[1995]": 1995, "1995.": 1995, "1995-06-01": 1995,
		"Jun 01, 1995": 1995, "01/06/1995": 1995, "1995, ©1995": 1995, "November 10, 1994": 1994, "1995 printing": 1995,
		"1995?": 0, "[1995?]": 0, "[1995]?": 0, "199-": 0, "199-?": 0, "[19--?]": 0, "1995-": 0, "ca. 1995": 0, "circa 1995": 0,
		"1995-1997": 0, "1995, c1990": 0, "1813 (reprint 1995)": 0, "": 0, "MCMXCV": 0, "19950601": 0, "0095": 0, "9999": 0,
		"95": 0, "n.d.": 0, "١٩٩٥": 0, "1995 1996 1995": 0,
	} {
		require.Equal(t, want, parseYear(text), text)
	}
}

func TestTextsAreReadLeniently(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`"a text"`: "a text", `{"type":"/type/text","value":"a text"}`: "a text",
		`7`: "", `null`: "", `["a text"]`: "", `{"value":7}`: "", `{"value":{"value":"x"}}`: "", `{}`: "", ``: "",
	} {
		require.Equal(t, want, readText(json.RawMessage(raw)), raw)
	}
	require.Equal(t, []string{"a", "b"}, readTexts(json.RawMessage(`["a", 7, null, " ", {"value":"b"}, ["c"]]`)))
	require.Nil(t, readTexts(json.RawMessage(`"a"`)))
	require.Equal(t, []string{"/authors/OL1A", "/authors/OL2A", "/authors/OL3A"}, readKeys(json.RawMessage(`[
		{"key":"/authors/OL1A"}, {"author":{"key":"/authors/OL2A"}}, {"author":"/authors/OL3A"}, {"key":"/works/OL4W"},
		{"key":"/authors/../OL5A"}, {"key":"/authors/OL6A?x"}, {"key":"/authors/OL07A"}, 8, null, {"author":9}]`), "/authors/"))
}

func TestTextsThatAFieldRejectsAreLeftOut(t *testing.T) {
	t.Parallel()
	require.Equal(t, "<script>alert(1)</script> & more", cleanText(book.Title, " <script>alert(1)</script>\n& more "))
	for _, text := range []string{"", " ", "a\x00b", "a\u202eb", "a\xffb", "a\ufffdb", strings.Repeat("x", book.MaxText+1)} {
		require.Empty(t, cleanText(book.Publisher, text), "%q", text)
		if len(text) < book.MaxText {
			require.Empty(t, cleanDescription(text), "%q", text)
		}
	}
	require.Equal(t, "The Hobbit: or There and Back Again", joinTitle("The Hobbit :", "or There and Back Again"))
	require.Equal(t, "Emma: a novel", joinTitle("Emma: a novel", "A Novel"))
	require.Equal(t, "Emma", joinTitle("Emma", strings.Repeat("x", 499)))
	require.Empty(t, joinTitle("", "a novel"))
	require.Equal(t, "A, B, C, D, et al.", joinAuthors([]string{"A", "B", "A", "\x00", "C", "D", "E"}, false))
	require.Empty(t, joinAuthors([]string{" "}, true))
}

func TestLongDescriptionsAreShortened(t *testing.T) {
	t.Parallel()
	sentence := "It is a truth universally acknowledged. "
	for _, text := range []string{
		strings.Repeat(sentence, 40_000), strings.Repeat("länger ", 500), strings.Repeat("é", 1<<20), "x" + strings.Repeat(" ", 1<<20) + "y",
	} {
		got := cleanDescription(text)
		require.LessOrEqual(t, utf8.RuneCountInString(got), maxDescription)
		require.True(t, strings.HasSuffix(got, " …"))
		require.True(t, utf8.ValidString(got))
	}
	require.True(t, strings.HasSuffix(cleanDescription(strings.Repeat(sentence, 99)), "acknowledged. …"))
	whole := strings.Repeat("é", maxDescription)
	require.Equal(t, whole, cleanDescription(whole))
	require.Equal(t, "a\nb  c", cleanDescription(" a\r\nb \tc\r"))
}

func TestQueriesAreFewPlainWords(t *testing.T) {
	t.Parallel()
	require.Equal(t, "the hitchhiker's guide", queryWords("The\nHitchhiker’s  GUIDE!"))
	require.Equal(t, "a b 2 and or not", queryWords(`a* b~2 AND (OR) "NOT" `+strings.Repeat("x", 41)))
	require.Len(t, strings.Fields(queryWords(strings.Repeat("word ", 500))), 12)
	require.Equal(t, "преступление и наказание", queryWords("Преступление и наказание"))
	require.Empty(t, queryWords("'' — \u202e"))
}
