package reader

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/catalogue"
)

// reportLastCall describes the result of the run's last call. Before the first call, it introduces the reader.
func (r *run) reportLastCall() string {
	if len(r.calls) == 0 {
		switch {
		case r.uses == 0:
			return "I am the bookshelf's offline reader: a program that follows fixed steps, not a language model."
		case r.readsCover:
			return "I read the cover again."
		}
		return ""
	}
	d := r.calls[len(r.calls)-1]
	switch d.use.Name {
	case booktools.ScanBarcode:
		return r.reportBarcode()
	case booktools.ReadCover:
		return r.reportText()
	case booktools.CheckISBN:
		switch {
		case d.hasFailed():
			return "The check failed (" + d.errorText() + ")."
		case r.isbn == d.stringArg("isbn"):
			return "The digits are right."
		case len(r.wrong) > 0:
			return r.wrong[len(r.wrong)-1]
		}
	case booktools.LookUpBook:
		return r.reportLookup(d)
	}
	return ""
}

func (r *run) reportBarcode() string {
	switch {
	case r.scan.hasFailed():
		return "Scanning for a barcode failed (" + r.scan.errorText() + "), so I continue without it."
	case r.barcode.ISBN != "":
		return "The barcode has the ISBN " + r.barcode.ISBN + "."
	case r.barcode.Found:
		return "There is a barcode, " + r.barcode.Digits + ", but it is not an ISBN."
	}
	return "I could not find a readable barcode."
}

func (r *run) reportText() string {
	switch {
	case r.ocr.hasFailed():
		return "Reading the text failed (" + r.ocr.errorText() + "), so I continue without it."
	case !r.text.Available:
		return joinSentences("I could not read the text.", r.text.Note)
	case r.guess.title == "" && len(r.text.Doubtful) > 0:
		return joinSentences("I could not read the text with confidence.", r.reportDoubtful())
	case r.guess.title == "":
		return "I could not find readable text on the cover."
	}
	turned := ""
	if r.text.Turned != 0 {
		turned = "I turned the photo to read it."
	}
	author := ""
	if r.guess.author != "" {
		author = ", and the author “" + r.guess.author + "”"
	}
	return joinSentences(turned, "The title seems to be “"+r.guess.title+"”"+author+".")
}

// reportDoubtful returns a sentence with the longest doubtful line that looks like text, or "". The reader never sets
// a doubtful line.
func (r *run) reportDoubtful() string {
	longest := ""
	for _, l := range r.text.Doubtful {
		if isText(l) && utf8.RuneCountInString(l) > utf8.RuneCountInString(longest) {
			longest = l
		}
	}
	if longest == "" {
		return ""
	}
	if r := []rune(longest); len(r) > 60 {
		longest = string(r[:60]) + "…"
	}
	return "It may say “" + longest + "”, so I do not use it."
}

func (r *run) reportLookup(d toolCall) string {
	b := r.hit.Book
	switch {
	case d.hasFailed():
		reason, _, _ := strings.Cut(d.errorText(), ". ") // the rest is advice to a model
		return "I could not look the book up (" + reason + ")."
	case b == nil && d.stringArg("isbn") != "":
		return "The ISBN " + d.stringArg("isbn") + " is not in " + r.source + "."
	case b == nil && r.byISBN != nil:
		return "That title is not there either."
	case b == nil:
		return "That title is not in " + r.source + "."
	case r.isDoubted:
		return "The ISBN belongs to " + nameBook(b) + " in " + r.source + ", but the text on the cover does not match."
	case r.hit.MatchedBy != "isbn":
		return "I have found " + nameBook(b) + " in " + r.source + ", which matches."
	}
	return "It is " + nameBook(b) + ", says " + r.source + "."
}

// nameBook returns the title and the author of a found book for use in a sentence.
func nameBook(b *catalogue.Book) string {
	if b.Author == "" {
		return "“" + b.Title + "”"
	}
	return "“" + b.Title + "” by " + b.Author
}

// summarize returns the run's closing text. It lists the fields that were set, the fields that failed or are missing,
// and the fields that a person should check.
func (r *run) summarize(values []fieldValue) string {
	var set, failed, typed, say []string
	for _, d := range r.calls {
		if d.use.Name != booktools.SetField {
			continue
		}
		f := book.Field(d.stringArg("field"))
		switch {
		case d.hasFailed() && strings.Contains(d.errorText(), booktools.IsTyped):
			typed = append(typed, "the "+fieldLabel(f))
		case d.hasFailed():
			failed = append(failed, "the "+fieldLabel(f)+" ("+d.errorText()+")")
		default:
			set = append(set, "the "+fieldLabel(f))
		}
	}
	if len(set) == 1 && len(r.want.fields) == 1 && !r.readsCover {
		v := r.want.fields[0]
		say = append(say, "The "+fieldLabel(v.field)+" is now “"+v.text+"”.")
	} else if len(set) > 0 {
		say = append(say, "I have set "+joinList(set)+".")
	}
	if len(failed) > 0 {
		say = append(say, "I could not set "+joinList(failed)+".")
	}
	if len(typed) > 0 {
		say = append(say, "I have left "+joinList(typed)+" as you typed it.")
	}
	if len(values) > 0 && !r.hasTool(booktools.SetField) {
		say = append(say, "I cannot set fields here.")
	}
	for _, w := range r.wrong {
		if r.reportLastCall() != w {
			say = append(say, w)
		}
	}
	if len(r.wrong) > 0 && r.isbn == "" {
		say = append(say, "Please look at the digits again.")
	}
	say = append(say, r.reportUnclear()...)
	if r.byISBN != nil && !r.byISBN.hasFailed() && r.hit.MatchedBy != "isbn" && len(set) > 0 {
		say = append(say, "The ISBN "+r.isbn+" is not in "+r.source+".")
	}
	if kept := r.keptFields(values); len(kept) > 0 {
		say = append(say, "I have kept the earlier values of "+joinList(kept)+". Please check them.")
	}
	if r.readsCover {
		say = append(say, r.adviseChecks()...)
	}
	return strings.Join(say, " ")
}

// keptFields returns the fields of earlier runs that the catalogue did not replace in this run. They may belong to
// another book. It returns nil if the run has not searched the catalogue.
func (r *run) keptFields(values []fieldValue) []string {
	var out []string
	if r.byISBN == nil && r.byTitle == nil {
		return nil
	}
	for _, f := range book.Fields() {
		_, known := r.known.Get(f)
		if known && f != book.Confidence && !slices.ContainsFunc(values, func(v fieldValue) bool { return v.field == f }) {
			out = append(out, "the "+fieldLabel(f))
		}
	}
	return out
}

// adviseChecks returns sentences that ask a person to check or complete the fields after the cover was read.
func (r *run) adviseChecks() []string {
	var say []string
	switch {
	case r.isDoubted:
		say = append(say, "Please check whether the barcode belongs to this book.")
	case r.hit.MatchedBy == "title":
		say = append(say, "I found the book by its title, so this may be another edition. "+
			"I left out the fields that differ between editions.")
	case r.hit.Book == nil && r.guess.title != "":
		say = append(say, "Title and author are a guess from the text on the cover. Please check them.")
	}
	var missing []string
	for _, f := range book.Fields() {
		if _, known := r.known.Get(f); !known && f != book.Confidence {
			missing = append(missing, "the "+fieldLabel(f))
		}
	}
	if len(missing) == 0 {
		return append(say, "Please check all fields.")
	}
	example := missing[0] + " is …"
	if missing[0] == "the ISBN" {
		example = "the ISBN is 978-…"
	}
	return append(say, "I could not find "+joinList(missing)+".",
		"You can tell me, for example “"+example+"”, or fill it in yourself.")
}

// reportUnclear returns a sentence for each field that the message names without a usable value.
func (r *run) reportUnclear() []string {
	var say []string
	for _, f := range r.want.unclear {
		say = append(say, "You named the "+fieldLabel(f)+", but I could not tell what it should be.")
	}
	return say
}

// helpText returns the answer to a message that the reader does not understand.
func (r *run) helpText() string {
	say := r.reportUnclear()
	if len(say) == 0 {
		say = append(say, "I did not understand that. I am a program that follows fixed steps, not a language model.")
	}
	say = append(say, "I understand “the author is …”, “title: …”, “publisher: …”, "+
		"“description: …”, “it was published in 1999 by …”, an ISBN, and “read the cover again”.")
	var have []string
	for _, f := range book.Fields() {
		if raw, ok := r.known.Get(f); ok && f != book.Description && f != book.Confidence {
			have = append(have, "the "+fieldLabel(f)+" “"+book.Update{Field: f, Value: raw}.Text()+"”")
		}
	}
	if len(have) > 0 {
		say = append(say, "So far I have "+joinList(have)+".")
	}
	return strings.Join(say, " ")
}

// fieldLabel returns the name of a field for use in a sentence.
func fieldLabel(f book.Field) string {
	switch f {
	case book.ISBN:
		return "ISBN"
	case book.PublishedYear:
		return "year"
	}
	return string(f)
}

// joinList joins items with commas and "and".
func joinList(s []string) string {
	if len(s) < 2 {
		return strings.Join(s, "")
	}
	return strings.Join(s[:len(s)-1], ", ") + " and " + s[len(s)-1]
}
