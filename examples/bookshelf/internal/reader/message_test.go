package reader

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
)

func TestReadMessageFindsCorrections(t *testing.T) {
	t.Parallel()
	type want map[book.Field]string
	for text, w := range map[string]want{
		"the author is Jane Austen":                                     {book.Author: "Jane Austen"},
		"The author is J. R. R. Tolkien.":                               {book.Author: "J. R. R. Tolkien"},
		"The author's name is Mary Shelley, please":                     {book.Author: "Mary Shelley"},
		"author: Ursula K. Le Guin":                                     {book.Author: "Ursula K. Le Guin"},
		"Author=Kurt Vonnegut Jr.":                                      {book.Author: "Kurt Vonnegut Jr."},
		"the authors are Ada Byron and Mary Somerville":                 {book.Author: "Ada Byron and Mary Somerville"},
		"it was written by Bram Stoker!":                                {book.Author: "Bram Stoker"},
		"It's by Mark Twain, not by Samuel":                             {book.Author: "Mark Twain"},
		"by Mark Twain":                                                 {book.Author: "Mark Twain"},
		"title: Crime and Punishment":                                   {book.Title: "Crime and Punishment"},
		"Please change the title to Emma":                               {book.Title: "Emma"},
		"The title should be “The Author is Dead. A Life”, thanks":      {book.Title: "The Author is Dead. A Life"},
		`the title is "What Is the Year: 1999?"`:                        {book.Title: "What Is the Year: 1999?"},
		"the title is Do Robots Dream?":                                 {book.Title: "Do Robots Dream?"},
		"the title is Help! A Manual. Thank you":                        {book.Title: "Help! A Manual"},
		"it is called Moby-Dick":                                        {book.Title: "Moby-Dick"},
		"it was published in 1999 by Ace Books":                         {book.PublishedYear: "1999", book.Publisher: "Ace Books"},
		"It was published in 1999.":                                     {book.PublishedYear: "1999"},
		"published by Dover Publications in 1995":                       {book.Publisher: "Dover Publications", book.PublishedYear: "1995"},
		"published by Dover Publications":                               {book.Publisher: "Dover Publications"},
		"publisher: Faber & Faber Ltd.":                                 {book.Publisher: "Faber & Faber Ltd."},
		"the year is 2001":                                              {book.PublishedYear: "2001"},
		"the year of publication should be 1818, I think":               {book.PublishedYear: "1818"},
		"published_year: 1818":                                          {book.PublishedYear: "1818"},
		"description: Two lines.\nThe second one. It goes on":           {book.Description: "Two lines.\nThe second one. It goes on"},
		"The author is Jane Austen and the title is Emma.":              {book.Author: "Jane Austen", book.Title: "Emma"},
		"The author is Jane Austen. The title is Emma":                  {book.Author: "Jane Austen", book.Title: "Emma"},
		"title: Emma\nauthor: Jane Austen\nyear: 1815":                  {book.Title: "Emma", book.Author: "Jane Austen", book.PublishedYear: "1815"},
		"the author is Jane Austen, and it was published in 1815 by JM": {book.Author: "Jane Austen", book.PublishedYear: "1815", book.Publisher: "JM"},
		"the author is Ann, no: the author is Anne":                     {book.Author: "Anne"},
		"the author is Jane Austen instead of Emma Woodhouse":           {book.Author: "Jane Austen"},
		"The author is Jane Austen. Thanks for your help":               {book.Author: "Jane Austen"},
		"der Titel ist Emma":                                            {},
		"hello":                                                         {},
		"who is the author?":                                            {},
		"what is the title":                                             {},
		"":                                                              {},
	} {
		got := want{}
		m := readMessage(text)
		for _, v := range m.fields {
			got[v.field] = v.text
			_, err := v.field.Parse(v.text)
			require.NoError(t, err, text)
		}
		require.Equal(t, w, got, text)
		require.False(t, m.reread, text)
	}
}

func TestReadMessageReportsFieldsWithoutAValue(t *testing.T) {
	t.Parallel()
	for text, f := range map[string]book.Field{
		"the title is wrong": book.Title, "the author is not Jane Austen": book.Author, "the author is ???": book.Author,
		"the year is unknown to me": book.PublishedYear, "the author is who?": book.Author, "title:": book.Title,
		"the ISBN is somewhere on the back": book.ISBN,
	} {
		m := readMessage(text)
		require.Empty(t, m.fields, text)
		require.Equal(t, []book.Field{f}, m.unclear, text)
	}
}

func TestReadMessageRecognizesRequestsToRead(t *testing.T) {
	t.Parallel()
	for text, again := range map[string]bool{
		Prompt: true, "read the cover again": true, "Try again please": true, "rescan": true,
		"Extract the metadata of this book": true, "scan the barcode": true,
		"the author is Jane, again": false, "thanks": false, "what can you do": false,
	} {
		require.Equal(t, again, readMessage(text).reread, text)
	}
}

func TestFindISBNsInSentences(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"978-0-486-28473-6":                           {"9780486284736"},
		"the ISBN is 978 0 486 28473 6.":              {"9780486284736"},
		"it is 9780486284736 from 1995":               {"9780486284736"},
		"ISBN 0-8044-2957-x, or 978–0–8044–2957–3":    {"080442957X", "9780804429573"},
		"0486284735 1995":                             {"0486284735"},
		"9780486284737":                               {"9780486284737"}, // wrong digit, to be told
		"isbn: 0486284736":                            {"0486284736"},
		"call me at 0486284736":                       nil, // not announced, and the digit is wrong
		"1234567890123456789":                         nil,
		"pages 300-310, 0-486-28473-5 (1995)":         {"0486284735"},
		"4006381333931":                               nil,
		"9780486284736, I mean 978-0-486-28473-6":     {"9780486284736"},
		"9780486284736 9780486432151 and 97804862847": {"9780486284736", "9780486432151"},
		"":   nil,
		"12": nil,
	} {
		require.Equal(t, want, findISBNs(text), text)
	}
}

func TestGuessTitleAndAuthorFromLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lines         []string
		title, author string
	}{
		{[]string{"THE", "LAMPLIGHTER'S", "ALMANAC", "", "ORLA VANE", "", "ISBN 978-1234567897", "9 ill (|"}, "The Lamplighter's Almanac", "Orla Vane"},
		{[]string{"THE LAMPLIGHTER'S ALMANAC", "ORLA VANE"}, "The Lamplighter's Almanac", "Orla Vane"},
		{[]string{"| A Quiet Room —", "", "by Someone Else", "~= ;"}, "A Quiet Room", "Someone Else"},
		{[]string{"MOBY-DICK"}, "Moby-Dick", ""},
		{[]string{"PRIDE AND", "PREJUDICE"}, "Pride and Prejudice", ""},
		{[]string{"THE ART OF", "QUIET ROOMS"}, "The Art of Quiet Rooms", ""},
		{[]string{"—= 9|", "", "12 34", "i|"}, "", ""},
		{nil, "", ""},
	} {
		require.Equal(t, titleGuess{c.title, c.author}, guessTitle(c.lines), "%q", c.lines)
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add("the author is J. R. R. Tolkien. The title is “Emma”, published in 1815 by x and isbn 978")
	f.Add("title: . ! ? \" “ ” by by by published by in 1999")
	f.Fuzz(func(t *testing.T, text string) {
		for _, v := range readMessage(text).fields {
			require.NotEmpty(t, v.text)
			require.True(t, v.field.Valid())
		}
		guessTitle([]string{text, "", text})
	})
}
