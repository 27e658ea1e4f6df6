package book_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
)

func TestPrintedISBNsAreAccepted(t *testing.T) {
	t.Parallel()
	for printed, want := range map[string]string{
		"9780486284736":                                   "9780486284736",
		"978-0-486-28473-6":                               "9780486284736",
		"978 0 486 28473 6":                               "9780486284736",
		"978\u20130\u2011486\u00ad28473\u00a06":           "9780486284736",
		"ISBN 978-0-486-28473-6":                          "9780486284736",
		"ISBN: 978-0-486-28473-6":                         "9780486284736",
		"ISBN-13: 978-0-486-28473-6":                      "9780486284736",
		"isbn-13 9780486284736":                           "9780486284736",
		"ISBN0-486-28473-5":                               "0486284735",
		"ISBN 0-8044-2957-X":                              "080442957X",
		"ISBN-10: 0-8044-2957-x":                          "080442957X",
		"  0 8044 2957 X  ":                               "080442957X",
		"\u00a0978-0-486-28473-6\t":                       "9780486284736",
		"ISBN-10 0-8044-2957-X " + strings.Repeat(" ", 9): "080442957X",
	} {
		got, err := book.ParseISBN(printed)
		require.NoError(t, err, "%q", printed)
		require.Equal(t, want, got, "%q", printed)
		require.True(t, book.LooksLikeISBN(printed))

		u, err := book.ISBN.Parse(printed)
		require.NoError(t, err)
		require.Equal(t, want, u.Text())

		form, err := json.Marshal(map[string]string{"isbn": printed})
		require.NoError(t, err)
		m, err := book.Decode(form)
		require.NoError(t, err)
		require.Equal(t, want, *m.ISBN)
	}
}

func TestOtherTextIsNotAnISBN(t *testing.T) {
	t.Parallel()
	const form = "must be 10 or 13 digits, with or without hyphens, for example 978-0-486-28473-6 (the last of ten may be X)"
	for text, reason := range map[string]string{
		"":                           form,
		"ISBN":                       form,
		"Emma":                       form,
		"978-0-486-28473":            form,
		"978-0-486-28473-66":         form,
		"978--0-486-28473-6":         form,
		"-978-0-486-28473-6":         form,
		"978-0-486-28473-6-":         form,
		"978_0_486_28473_6":          form,
		"978.0.486.28473.6":          form,
		"978-0-486-28473-X":          form,
		"0-X044-2957-0":              form,
		"ISBN-12: 978-0-486-28473-6": form,
		"ISBN-139780486284736":       form, // of which number is the 13?
		"ISSN 978-0-486-28473-6":     form,
		"978-0-486-28473-6 978-0":    form,
		"９７８０４８６２８４７３６":               form,
		"978-0-486-28473-7":           "has the wrong last digit: after 978048628473 it must be 6",
		"ISBN 0-8044-2957-1":          "has the wrong last digit: after 080442957 it must be X",
		"080442957X1":                 form,
		"ISBN-13: 123-0-486-28473-6":  "of 13 digits must start with 978 or 979",
		strings.Repeat("978-", 10000): form,
	} {
		_, err := book.ParseISBN(text)
		failed, ok := errors.AsType[*book.FieldError](err)
		require.True(t, ok, "%.40q", text)
		require.Equal(t, book.ISBN, failed.Field)
		require.Equal(t, reason, failed.Reason, "%.40q", text)
		require.Equal(t, reason != form, book.LooksLikeISBN(text), "%.40q", text)
	}
}

// A book that was stored before its ISBN was checked can still be read.
func TestStoredMetadataMayHaveAWrongCheckDigit(t *testing.T) {
	t.Parallel()
	stored := `{"isbn":"9780486284737","title":"Emma"}`
	m, err := book.DecodeStored([]byte(stored))
	require.NoError(t, err)
	require.Equal(t, stored, string(m.Canonical()))
	_, err = book.Decode([]byte(stored))
	require.ErrorContains(t, err, "it must be 6")
	for _, form := range []string{`{"isbn":"978-0486284736"}`, `{"published_year":"1999"}`, `{"title":""}`, `{}`} {
		_, err = book.DecodeStored([]byte(form))
		require.Error(t, err, form)
	}
}

func FuzzParseISBN(f *testing.F) {
	for _, s := range []string{"ISBN-13: 978-0-486-28473-6", "0-8044-2957-x", "\u00a0978\u20110486284736"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		digits, err := book.ParseISBN(text)
		if err != nil {
			return
		}
		require.NoError(t, book.CheckISBN(digits))
		again, err := book.ParseISBN("ISBN: " + digits)
		require.NoError(t, err)
		require.Equal(t, digits, again)
	})
}
