package reader

import (
	"strings"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
)

// turn is the reader's next answer: text, then calls. A turn without calls ends the run.
type turn struct {
	text    string
	calls   []callRequest
	thought string // before the text; may be empty
}

type callRequest struct {
	tool string
	args any // a map
}

// newStep returns an answer with one call.
func (r *run) newStep(announce, tool string, args map[string]string) turn {
	if args == nil {
		args = map[string]string{} // {}, not null
	}
	return turn{text: joinSentences(r.reportLastCall(), announce) + "\n\n", calls: []callRequest{{tool, args}}}
}

// maxFailures is the number of failed turns in a row after which the reader ends the run. It is one less than the
// limit of the agent.
const maxFailures = 2

// nextTurn returns the next answer. Each answer makes a new call or ends the run. A run reads the photo at most twice,
// checks at most [maxChecks] ISBNs, searches the catalogue at most twice and sets fields in one turn, so every run
// ends.
func (c *conversation) nextTurn() turn {
	r := newRun(c)
	switch {
	case r.countFailures() >= maxFailures:
		const stop = "Nothing works at the moment, so I stop here. Please try again later."
		return turn{text: joinSentences(r.reportLastCall(), stop, r.summarize(nil))}
	case !r.readsCover && len(r.want.fields) == 0 && len(r.want.isbns) == 0:
		return turn{text: r.helpText()}
	case r.readsCover && r.hasTool(booktools.ScanBarcode) && r.scan == nil:
		return r.newStep("I look for a barcode first.", booktools.ScanBarcode, nil)
	case r.readsCover && r.hasTool(booktools.ReadCover) && r.ocr == nil:
		return r.newStep("Now I read the text on the cover.", booktools.ReadCover, nil)
	case r.unchecked != "":
		args := map[string]string{"isbn": r.unchecked}
		return r.newStep("I check the digits of "+r.unchecked+".", booktools.CheckISBN, args)
	case r.isbn != "" && r.hasTool(booktools.LookUpBook) && r.byISBN == nil:
		return r.newStep("I look the book up.", booktools.LookUpBook, map[string]string{"isbn": r.isbn})
	}
	isDown := r.byISBN != nil && r.byISBN.hasFailed()
	canSearch := r.hit.Book == nil && r.byTitle == nil && !isDown && r.hasTool(booktools.LookUpBook)
	if title, author := r.titleQuery(); title != "" && canSearch {
		args := map[string]string{"title": title}
		if author != "" {
			args["author"] = author
		}
		return r.newStep("I look for “"+title+"”.", booktools.LookUpBook, args)
	}
	values := r.listValues()
	if r.firstCall(booktools.SetField) != nil || len(values) == 0 || !r.hasTool(booktools.SetField) {
		return turn{text: joinSentences(r.reportLastCall(), r.summarize(values))}
	}
	var t turn
	if len(r.calls) > 0 {
		t.text = joinSentences(r.reportLastCall(), "I fill in the fields that I know.") + "\n\n"
	}
	for _, v := range values {
		args := map[string]string{"field": string(v.field), "value": v.text}
		t.calls = append(t.calls, callRequest{booktools.SetField, args})
	}
	return t
}

// titleQuery returns the title and author to search for if the ISBN does not lead to a book. They are from the person's
// message, otherwise from the text on the cover. The title is empty if the run must not search for one.
func (r *run) titleQuery() (title, author string) {
	if !r.readsCover {
		return "", ""
	}
	title, author = r.guess.title, r.guess.author
	if t := r.want.correction(book.Title); t != "" {
		title = t
	}
	if a := r.want.correction(book.Author); a != "" {
		author = a
	}
	return title, author
}

// joinSentences joins the non-empty texts.
func joinSentences(s ...string) string {
	var out []string
	for _, s := range s {
		if s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, " ")
}
