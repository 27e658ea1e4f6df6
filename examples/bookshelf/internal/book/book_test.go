package book_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
)

const completeJSON = `{"author":"Jane Austen","confidence":0.98,"description":"Five sisters & <one> ball.\nAnd a lake.","isbn":"9780486284736","published_year":1995,"publisher":"Dover Publications","title":"Pride and Prejudice"}`

func TestDecodeReadsCanonicalEncoding(t *testing.T) {
	t.Parallel()
	m, err := book.Decode([]byte(completeJSON))
	require.NoError(t, err)
	require.Equal(t, completeJSON, string(m.Canonical()))

	// The bytes do not depend on order, spaces, escapes, nulls and the notation of numbers.
	other := ` {"title": "Pride\u0020and Prejudice", "publisher": "Dover Publications", "published_year": 1995,
		"isbn": "9780486284736", "description": "Five sisters \u0026 <one> ball.\nAnd a lake.",
		"confidence": 9.80e-1, "author": "Jane Austen"}` + "\n"
	again, err := book.Decode([]byte(other))
	require.NoError(t, err)
	require.Equal(t, completeJSON, string(again.Canonical()))

	a, err := book.Decode([]byte(`{"title":"Emma","confidence":-0.0,"isbn":null}`))
	require.NoError(t, err)
	require.Equal(t, `{"confidence":0,"title":"Emma"}`, string(a.Canonical()))
}

// A form sends every field as text.
func TestDecodeReadsForms(t *testing.T) {
	t.Parallel()
	m, err := book.Decode([]byte(`{"title":"Emma","author":"","isbn":"","published_year":"1815","confidence":"0.9","description":""}`))
	require.NoError(t, err)
	require.Equal(t, `{"confidence":0.9,"published_year":1815,"title":"Emma"}`, string(m.Canonical()))
	m, err = book.Decode([]byte(`{"confidence":"1e-1"}`))
	require.NoError(t, err)
	require.Equal(t, `{"confidence":0.1}`, string(m.Canonical()))
}

func TestDecodeRejectsInvalidMetadata(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"nothing":                ``,
		"no JSON":                `{`,
		"a list":                 `[]`,
		"null":                   `null`,
		"no field":               `{}`,
		"only nulls":             `{"title":null,"confidence":null}`,
		"an unknown field":       `{"title":"Emma","pages":3}`,
		"a name in other case":   `{"Title":"Emma"}`,
		"a repeated field":       `{"title":"Emma","title":"Emma"}`,
		"a repeated escape":      `{"title":"Emma","\u0074itle":"Emma"}`,
		"a second value":         `{"title":"Emma"}{}`,
		"rubbish after it":       `{"title":"Emma"}x`,
		"a trailing comma":       `{"title":"Emma",}`,
		"bytes that are no text": "{\"title\":\"Em\xffma\"}",
		"half a surrogate":       `{"title":"\ud800"}`,
		"a NUL":                  `{"title":"Em\u0000ma"}`,
		"a newline in a title":   `{"title":"Em\nma"}`,
		"a C1 control":           `{"author":"J\u0085A"}`,
		"a tab in description":   `{"description":"a\tb"}`,
		"a blank title":          `{"title":"  "}`,
		"a number as title":      `{"title":1984}`,
		"a list as author":       `{"author":["A","B"]}`,
		"a year in words":        `{"published_year":"soon"}`,
		"a year with spaces":     `{"published_year":" 1999"}`,
		"a year with a plus":     `{"published_year":"+1999"}`,
		"a quoted null":          `{"published_year":"null"}`,
		"a quoted null again":    `{"title":"Emma","confidence":"null"}`,
		"a quoted bool":          `{"confidence":"true"}`,
		"infinite confidence":    `{"confidence":"Inf"}`,
		"hexadecimal confidence": `{"confidence":"0x1p-2"}`,
		"only empty texts":       `{"title":"","published_year":"","confidence":""}`,
		"a year with a point":    `{"published_year":1999.5}`,
		"a year out of range":    `{"published_year":99999}`,
		"a huge year":            `{"published_year":1e400}`,
		"confidence above one":   `{"confidence":1.01}`,
		"confidence below zero":  `{"confidence":-0.1}`,
		"confidence as text":     `{"confidence":"high"}`,
		"two hyphens in a row":   `{"isbn":"978--0486284736"}`,
		"a wrong check digit":    `{"isbn":"978-0486284737"}`,
		"a number as isbn":       `{"isbn":9780486284736}`,
		"eleven digits":          `{"isbn":"97804862847"}`,
		"text turned around":     "{\"author\":\"\u202eabc\"}",
		"an x in the middle":     `{"isbn":"08044x2957"}`,
		"other digits":           `{"isbn":"٩٧٨٠٤٨٦٢٨٤٧٣٦"}`,
		"a title without end":    `{"title":"` + strings.Repeat("ä", book.MaxText+1) + `"}`,
		"a novel":                `{"description":"` + strings.Repeat("a", book.MaxDescription+1) + `"}`,
		"too many bytes":         `{"title":"Emma"` + strings.Repeat(" ", book.MaxBytes) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := book.Decode([]byte(in))
			require.Error(t, err)
			_, syntax := errors.AsType[*book.FormError](err)
			_, field := errors.AsType[*book.FieldError](err)
			require.True(t, syntax || field || errors.Is(err, book.ErrEmpty), "%v may not be shown", err)
			require.Less(t, len(err.Error()), 300, "the message must not carry the input")
		})
	}
	_, err := book.Decode([]byte(`{}`))
	require.ErrorIs(t, err, book.ErrEmpty)
	var fe *book.FieldError
	_, err = book.Decode([]byte(`{"published_year":"in 1999"}`))
	require.ErrorAs(t, err, &fe)
	require.Equal(t, book.PublishedYear, fe.Field)
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(completeJSON))
	f.Add([]byte(`{"title":"\ud83d\ude00","confidence":1e-9}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := book.Decode(in)
		if err != nil {
			return
		}
		again, err := book.Decode(m.Canonical())
		require.NoError(t, err)
		require.Equal(t, m, again)
		require.Equal(t, string(m.Canonical()), string(again.Canonical()))
	})
}

func TestApplySetsAndClearsFields(t *testing.T) {
	t.Parallel()
	var m book.Metadata
	for _, step := range [][2]string{
		{"title", "Emma"}, {"author", "Jane Austen"}, {"isbn", "080442957X"}, {"publisher", "John Murray"},
		{"published_year", "1815"}, {"description", "One.\nTwo."}, {"confidence", "0.75"}, {"title", "Emma, a novel"},
	} {
		u, err := book.Field(step[0]).Parse(step[1])
		require.NoError(t, err, step[0])
		wire, err := json.Marshal(u)
		require.NoError(t, err)
		var back book.Update
		require.NoError(t, json.Unmarshal(wire, &back))
		require.Equal(t, step[1], back.Text())
		require.NoError(t, m.Apply(back))
		raw, ok := m.Get(back.Field)
		require.True(t, ok)
		require.JSONEq(t, string(u.Value), string(raw))
	}
	require.Equal(t, `{"author":"Jane Austen","confidence":0.75,"description":"One.\nTwo.","isbn":"080442957X","published_year":1815,"publisher":"John Murray","title":"Emma, a novel"}`, string(m.Canonical()))

	before := m.Canonical()
	require.Error(t, m.Apply(book.Update{Field: book.PublishedYear, Value: []byte(`"x"`)}))
	require.Error(t, m.Apply(book.Update{Field: "pages", Value: []byte(`1`)}))
	require.Error(t, m.Apply(book.Update{Field: book.Title}))
	require.Equal(t, before, m.Canonical(), "an invalid update changes nothing")

	for _, f := range book.Fields() {
		require.NoError(t, m.Apply(book.Update{Field: f, Value: []byte("null")}))
	}
	require.True(t, m.IsZero())
}

func TestParseRejectsInvalidText(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"published_year", "soon"}, {"published_year", "1999 "}, {"published_year", "12"}, {"published_year", ""},
		{"confidence", "NaN"}, {"confidence", "+Inf"}, {"confidence", "2"},
		{"isbn", "9780486284737"}, {"isbn", "978_0486284736"}, {"isbn", "1230486284736"}, {"isbn", "0804429571"},
		{"title", ""}, {"title", "\xff"}, {"title", "a\x00b"}, {"pages", "3"}, {"", "x"},
	} {
		_, err := book.Field(c[0]).Parse(c[1])
		var fe *book.FieldError
		require.ErrorAs(t, err, &fe, "%q", c)
	}
}

func TestISBNsConvertToThirteenDigits(t *testing.T) {
	t.Parallel()
	for ten, thirteen := range map[string]string{
		"0131103628": "9780131103627", "080442957X": "9780804429573", "0486284735": "9780486284736", "0486432157": "9780486432151",
	} {
		require.True(t, book.ValidISBN10(ten))
		require.True(t, book.ValidISBN13(thirteen))
		got, err := book.To13(ten)
		require.NoError(t, err)
		require.Equal(t, thirteen, got)
		same, err := book.To13(thirteen)
		require.NoError(t, err)
		require.Equal(t, thirteen, same)
	}
	require.False(t, book.ValidISBN13("4006381333931"), "an EAN-13 of something else")
	require.ErrorContains(t, book.CheckISBN("9780486284737"), "after 978048628473 it must be 6")
	require.Equal(t, "080442957X", book.Compact("0-8044-2957-x"))
	require.Equal(t, "9780131103627", book.Compact("978 0–13‑110362 7"))
}

// A check digit detects each wrong digit. That of an ISBN-10 also detects each swap of neighbours.
func TestCheckDigitsDetectWrongAndSwappedDigits(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var nine strings.Builder
		for range 9 {
			nine.WriteByte(byte('0' + r.IntN(10)))
		}
		ten := nine.String() + string(book.Check10(nine.String()))
		thirteen, err := book.To13(ten)
		require.NoError(t, err)
		for i := range 13 {
			slip := []byte(thirteen)
			slip[i] = '0' + (slip[i]-'0'+byte(1+r.IntN(9)))%10
			require.False(t, book.ValidISBN13(string(slip)), "%s for %s", slip, thirteen)
		}
		for i := range 8 {
			swap := []byte(ten)
			swap[i], swap[i+1] = swap[i+1], swap[i]
			require.Equal(t, swap[i] == swap[i+1], book.ValidISBN10(string(swap)), "%s for %s", swap, ten)
		}
	}
}
