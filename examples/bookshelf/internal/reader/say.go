package reader

import (
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
)

// report describes the result of the run's last call. At the beginning, it introduces the reader.
func (r *run) report() string {
	if len(r.calls) == 0 {
		switch {
		case r.uses == 0:
			return "I am the bookshelf's offline reader: a program that follows fixed steps, not a language model."
		case r.cover:
			return "I read the cover again."
		}
		return ""
	}
	d := r.calls[len(r.calls)-1]
	switch d.use.Name {
	case booktools.ScanBarcode:
		return r.sawBarcode()
	case booktools.ReadCover:
		return r.sawText()
	case booktools.CheckISBN:
		switch {
		case d.failed():
			return "The check failed (" + d.said() + ")."
		case r.isbn == d.arg("isbn"):
			return "They are right."
		case len(r.wrong) > 0:
			return r.wrong[len(r.wrong)-1]
		}
	case booktools.LookUpBook:
		return r.lookedUp(d)
	}
	return ""
}

func (r *run) sawBarcode() string {
	switch {
	case r.scan.failed():
		return "Scanning for a barcode failed (" + r.scan.said() + "), so I go on without it."
	case r.barcode.ISBN != "":
		return "The barcode says ISBN " + r.barcode.ISBN + "."
	case r.barcode.Found:
		return "There is a barcode, " + r.barcode.Digits + ", but it is not a book's number."
	}
	return "I find no barcode that I can read."
}

func (r *run) sawText() string {
	switch {
	case r.ocr.failed():
		return "Reading the text failed (" + r.ocr.said() + "), so I go on without it."
	case !r.text.Available:
		return sentences("I could not read the text.", r.text.Note)
	case r.guess.title == "":
		return "I find no text that makes sense to me."
	case r.guess.author == "":
		return "The title seems to be “" + r.guess.title + "”."
	}
	return "The title seems to be “" + r.guess.title + "”, and the author “" + r.guess.author + "”."
}

func (r *run) lookedUp(d done) string {
	b := r.hit.Book
	switch {
	case d.failed():
		return "Asking the catalogue failed (" + d.said() + ")."
	case b == nil && d.arg("isbn") != "":
		return "The catalogue does not have the ISBN " + d.arg("isbn") + "."
	case b == nil:
		return "The catalogue does not have that title either."
	case r.doubt:
		return "The catalogue says “" + b.Title + "” by " + b.Author + ", and that is not what the cover seems to say."
	case r.hit.MatchedBy != "isbn":
		return "It has “" + b.Title + "” by " + b.Author + ", which fits."
	}
	return "It is “" + b.Title + "” by " + b.Author + "."
}

// summing returns the run's closing text: set, failed and missing fields, and those to check.
func (r *run) summing(values []value) string {
	var set, failed, say []string
	for _, d := range r.calls {
		if d.use.Name != booktools.SetField {
			continue
		}
		f := book.Field(d.arg("field"))
		if d.failed() {
			failed = append(failed, "the "+label(f)+" ("+d.said()+")")
		} else {
			set = append(set, "the "+label(f))
		}
	}
	if len(set) == 1 && len(r.want.fields) == 1 && !r.cover {
		v := r.want.fields[0]
		say = append(say, "The "+label(v.field)+" is now “"+v.text+"”.")
	} else if len(set) > 0 {
		say = append(say, "I have set "+list(set)+".")
	}
	if len(failed) > 0 {
		say = append(say, "I could not set "+list(failed)+".")
	}
	if len(values) > 0 && !r.can(booktools.SetField) {
		say = append(say, "I cannot set fields here.")
	}
	for _, w := range r.wrong {
		if r.report() != w {
			say = append(say, w)
		}
	}
	if len(r.wrong) > 0 && r.isbn == "" {
		say = append(say, "Please look at the digits again.")
	}
	say = append(say, r.misread()...)
	if r.byISBN != nil && !r.byISBN.failed() && r.hit.MatchedBy != "isbn" && len(set) > 0 {
		say = append(say, "The catalogue does not have the ISBN "+r.isbn+".")
	}
	if kept := r.kept(values); len(kept) > 0 {
		say = append(say, "What I knew before stays as it was: "+list(kept)+". Please check that.")
	}
	if r.cover {
		say = append(say, r.advice()...)
	}
	return strings.Join(say, " ")
}

// kept returns the earlier fields that a run which looked for the whole book did not find. They may belong to another
// book.
func (r *run) kept(values []value) []string {
	var out []string
	if r.byISBN == nil && r.byTitle == nil {
		return nil
	}
	for _, f := range book.Fields() {
		_, known := r.known.Get(f)
		if known && f != book.Confidence && !slices.ContainsFunc(values, func(v value) bool { return v.field == f }) {
			out = append(out, "the "+label(f))
		}
	}
	return out
}

// advice returns what a person should check after the cover was read.
func (r *run) advice() []string {
	var say []string
	switch {
	case r.doubt:
		say = append(say, "Please check whether the barcode belongs to this book.")
	case r.hit.MatchedBy == "title":
		say = append(say, "I found the book by its title, so this may be another edition, and I left what differs between editions open.")
	case r.hit.Book == nil && r.guess.title != "":
		say = append(say, "Title and author are a guess from the text on the cover: please check them.")
	}
	var missing []string
	for _, f := range book.Fields() {
		if _, known := r.known.Get(f); !known && f != book.Confidence {
			missing = append(missing, "the "+label(f))
		}
	}
	if len(missing) == 0 {
		return append(say, "Please look it over.")
	}
	example := missing[0] + " is …"
	if missing[0] == "the ISBN" {
		example = "the ISBN is 978-…"
	}
	return append(say, "I could not find "+list(missing)+".", "You can tell me, for example “"+example+"”, or fill it in yourself.")
}

// misread reports fields that were named without a usable value.
func (r *run) misread() []string {
	var say []string
	for _, f := range r.want.unclear {
		say = append(say, "You named the "+label(f)+", but I could not tell what it should be.")
	}
	return say
}

// help answers a message that was not understood.
func (r *run) help() string {
	say := r.misread()
	if len(say) == 0 {
		say = append(say, "I did not understand that: I am a program that follows fixed steps, not a language model.")
	}
	say = append(say, "I understand “the author is …”, “title: …”, “publisher: …”, “description: …”, “it was published in 1999 by …”, an ISBN, and “read the cover again”.")
	var have []string
	for _, f := range book.Fields() {
		if raw, ok := r.known.Get(f); ok && f != book.Description && f != book.Confidence {
			have = append(have, "the "+label(f)+" “"+book.Update{Field: f, Value: raw}.Text()+"”")
		}
	}
	if len(have) > 0 {
		say = append(say, "So far I have "+list(have)+".")
	}
	return strings.Join(say, " ")
}

// label returns a field's name in a sentence.
func label(f book.Field) string {
	switch f {
	case book.ISBN:
		return "ISBN"
	case book.PublishedYear:
		return "year"
	}
	return string(f)
}

// list joins words into an enumeration.
func list(s []string) string {
	if len(s) < 2 {
		return strings.Join(s, "")
	}
	return strings.Join(s[:len(s)-1], ", ") + " and " + s[len(s)-1]
}
