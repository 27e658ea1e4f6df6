package reader_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo/phototest"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/reader"
)

const pride = `{"title":"Pride and Prejudice","author":"Jane Austen","isbn":"9780486284736","publisher":"Dover Publications","published_year":1995,"confidence":0.98,
	"description":"Elizabeth Bennet and Mr. Darcy learn, over five sisters' worth of balls and misjudgements, how wrong a first impression can be."}`

// Not parallel: it changes PATH.
func TestReaderFillsInAKnownBook(t *testing.T) {
	hideTesseract(t)
	for _, f := range []cover.Format{cover.PNG, cover.JPEG} {
		d := newDesk(t, renderCover(t, cover.Samples()[0], f), "")
		require.NoError(t, d.runPrompt(reader.Prompt))
		d.requireMetadata(pride)
		require.Equal(t, []string{"scan_barcode", "read_cover", "check_isbn", "look_up_book"}, d.calls[:4])
		require.Equal(t, slices.Repeat([]string{"set_field"}, 7), d.calls[4:])
		require.Contains(t, d.text, "a program that follows fixed steps, not a language model")
		require.Contains(t, d.text, "tesseract is not installed")
		require.Contains(t, d.text, "“Pride and Prejudice” by Jane Austen")
		require.NotContains(t, d.text, "could not find")
	}
}

// The reader neither forgets nor repeats earlier results about one upload.
func TestReaderAppliesCorrectionsInALongConversation(t *testing.T) {
	t.Parallel()
	d := newDesk(t, renderCover(t, cover.Samples()[0], cover.PNG), installTesseract(t, "PRIDE AND\nPREJUDICE\n\nJANE AUSTEN\n\n"))
	require.NoError(t, d.runPrompt("What is this?"), "the first message reads the cover, whatever it says")
	d.requireMetadata(pride)

	require.NoError(t, d.runPrompt("The author is Miss J. Austen."))
	require.Equal(t, []string{"set_field"}, d.calls)
	require.Equal(t, "The author is now “Miss J. Austen”.", d.text)
	require.Equal(t, "Miss J. Austen", *d.metadata.Author)

	require.NoError(t, d.runPrompt("it was published in 1996 by Dover Thrift and the title is “Pride & Prejudice”"))
	require.Equal(t, []string{"set_field", "set_field", "set_field"}, d.calls)
	require.Equal(t, []any{1996, "Dover Thrift", "Pride & Prejudice"}, []any{*d.metadata.PublishedYear, *d.metadata.Publisher, *d.metadata.Title})

	require.NoError(t, d.runPrompt("lovely weather today"))
	require.Empty(t, d.calls)
	require.Contains(t, d.text, "did not understand")
	require.Contains(t, d.text, "the title “Pride & Prejudice”")

	require.NoError(t, d.runPrompt("No, the ISBN is 0-486-43215-7"))
	require.Equal(t, []string{"check_isbn", "look_up_book"}, d.calls[:2])
	require.Equal(t, []string{"Moby-Dick", "0486432157"}, []string{*d.metadata.Title, *d.metadata.ISBN})

	before := d.metadata.Canonical()
	require.NoError(t, d.runPrompt("sorry, 9780486284737"))
	require.Equal(t, []string{"check_isbn"}, d.calls)
	require.Contains(t, d.text, "has the wrong last digit: after 978048628473 it must be 6")
	require.Equal(t, string(before), string(d.metadata.Canonical()))

	require.NoError(t, d.runPrompt("then 978-1-234-56789-7"))
	require.Equal(t, "9781234567897", *d.metadata.ISBN)
	require.Contains(t, d.text, "The ISBN 9781234567897 is not in the built-in catalogue of 26 books.")
	require.Contains(t, d.text, "I have kept the earlier values of the title, the author, the publisher, the year and the description.")

	require.NoError(t, d.runPrompt("the year is 1066 and the description is "+strings.Repeat("long ", 900)))
	require.Contains(t, d.text, "I could not set the description")
	require.Equal(t, 1066, *d.metadata.PublishedYear)

	require.NoError(t, d.runPrompt("please read the cover again"))
	require.Equal(t, "scan_barcode", d.calls[0])
	require.Contains(t, d.text, "I read the cover again.")
	d.requireMetadata(pride)

	for i := range 20 {
		require.NoError(t, d.runPrompt(fmt.Sprintf("the title is Volume %d", i)))
		require.Equal(t, fmt.Sprintf("Volume %d", i), *d.metadata.Title)
	}
	ids := make(map[string]bool)
	for _, turn := range d.history.Turns {
		for _, m := range turn.Messages {
			for _, p := range m.Parts {
				if p.Use != nil {
					require.False(t, ids[p.Use.ID], "ids are never used twice")
					ids[p.Use.ID] = true
				}
			}
		}
	}
}

func TestReaderReportsWhatItCouldNotFind(t *testing.T) {
	t.Parallel()
	d := newDesk(t, renderCover(t, cover.Samples()[2], cover.PNG), installTesseract(t, "THE\nLAMPLIGHTER'S\nALMANAC\n\nORLA VANE\n\nISBN 978-1234567897\n9 ill (|\n\f"))
	require.NoError(t, d.runPrompt(reader.Prompt))
	d.requireMetadata(`{"title":"The Lamplighter's Almanac","author":"Orla Vane","isbn":"9781234567897","confidence":0.5}`)
	require.Equal(t, []string{"scan_barcode", "read_cover", "check_isbn", "look_up_book", "look_up_book"}, d.calls[:5])
	require.Contains(t, d.text, "a guess from the text on the cover")
	require.Contains(t, d.text, "I could not find the publisher, the year and the description.")
}

// Not parallel: it changes PATH.
func TestReaderWithoutTesseractReportsWhatItCouldNotFind(t *testing.T) {
	hideTesseract(t)
	d := newDesk(t, renderCover(t, cover.Samples()[2], cover.PNG), "")
	require.NoError(t, d.runPrompt(reader.Prompt))
	d.requireMetadata(`{"isbn":"9781234567897","confidence":0.4}`)
	require.Contains(t, d.text, "The ISBN 9781234567897 is not in the built-in catalogue of 26 books")
	require.Contains(t, d.text, "I could not find the title, the author, the publisher, the year and the description.")
}

// Not parallel: it changes PATH.
func TestReaderPrefersATypedISBNToTheBarcode(t *testing.T) {
	hideTesseract(t)
	d := newDesk(t, renderCover(t, cover.Samples()[2], cover.PNG), "")
	require.NoError(t, d.runPrompt("I know that it is 9780486432151, and the publisher is Somebody"))
	require.Equal(t, "Moby-Dick", *d.metadata.Title, "a typed ISBN has priority")
	require.Equal(t, "Somebody", *d.metadata.Publisher)
}

func TestReaderContinuesWithoutABookBarcode(t *testing.T) {
	t.Parallel()
	s := cover.Samples()[1]
	s.ISBN = "4006381333931" // the barcode of something else
	photo := renderCover(t, s, cover.JPEG)
	t.Run("found by its title", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, photo, installTesseract(t, "M0BY-DICK\n\nHERMAN MELVlLLE\n"))
		require.NoError(t, d.runPrompt(reader.Prompt))
		require.Equal(t, "Moby-Dick", *d.metadata.Title)
		require.Nil(t, d.metadata.Publisher, "it may be another edition")
		require.Nil(t, d.metadata.ISBN)
		require.Contains(t, d.text, "it is not an ISBN")
		require.Contains(t, d.text, "another edition")
	})
	t.Run("found by a printed ISBN", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, photo, installTesseract(t, "MOBY-DICK\n\nISBN 978-0-486-43215-1\n"))
		require.NoError(t, d.runPrompt(reader.Prompt))
		require.Equal(t, []any{"9780486432151", 0.95}, []any{*d.metadata.ISBN, *d.metadata.Confidence})
	})
	t.Run("nothing at all", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, photo, installTesseract(t, "|| ~~ 4\n"))
		require.NoError(t, d.runPrompt(reader.Prompt))
		require.True(t, d.metadata.IsZero())
		require.Contains(t, d.text, "I could not find the title, the author, the ISBN")
		require.NoError(t, d.runPrompt("title: Moby-Dick; author: Herman Melville"))
		d.requireMetadata(`{"title":"Moby-Dick","author":"Herman Melville"}`)
	})
}

func TestReaderDoubtsABarcodeThatDisagreesWithTheCover(t *testing.T) {
	t.Parallel()
	d := newDesk(t, renderCover(t, cover.Samples()[0], cover.PNG), installTesseract(t, "A HANDBOOK OF QUIET GARDENS\n\nSOMEBODY ELSE\n"))
	require.NoError(t, d.runPrompt(reader.Prompt))
	require.InDelta(t, 0.6, *d.metadata.Confidence, 1e-9)
	require.Contains(t, d.text, "check whether the barcode belongs to this book")
}

// After the failed run, the conversation continues.
func TestUnreadablePhotoEndsTheRun(t *testing.T) {
	t.Parallel()
	png := renderCover(t, cover.Samples()[0], cover.PNG)
	for _, file := range [][]byte{[]byte("not an image"), png[:len(png)/2], {}} {
		d := newDesk(t, file, "")
		err := d.runPrompt(reader.Prompt)
		var re *agent.RunError
		require.ErrorAs(t, err, &re)
		require.Equal(t, agent.Code("not_an_image"), re.Code)
		require.False(t, re.Retryable)
		require.Regexp(t, `PNG|empty`, re.Message)

		d.history = re.Done.History
		require.Error(t, d.runPrompt("the title is Emma"), "the cover was never read, so it is tried again")
	}
}

// The reader says text that is read without confidence, and never sets it. An ISBN in it has a check digit.
func TestReaderNeverSetsDoubtfulText(t *testing.T) {
	t.Parallel()
	s := cover.Samples()[1]
	s.ISBN = "4006381333931" // the barcode of something else
	photo := renderCover(t, s, cover.JPEG)
	table := phototest.WordTable("THE L4MPIIGHTER5 AIMANAC\n\n0RLA VANF\n", 52)
	d := newDesk(t, photo, installProgram(t, table))
	require.NoError(t, d.runPrompt(reader.Prompt))
	require.True(t, d.metadata.IsZero())
	require.Contains(t, d.text, "I could not read the text with confidence. It may say “THE L4MPIIGHTER5 AIMANAC”, so I do not use it.")
	require.NotContains(t, d.calls, "look_up_book")

	d = newDesk(t, photo, installProgram(t, phototest.WordTable("TBE AIMANAC\nISBN 978-1-234-56789-7\n", 52)))
	require.NoError(t, d.runPrompt(reader.Prompt))
	d.requireMetadata(`{"isbn":"9781234567897","confidence":0.4}`)
}
