package reader

import (
	"strings"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
)

// turn is the reader's next answer: text, then calls. The run ends if it has no calls.
type turn struct {
	text  string
	calls []call
}

type call struct {
	tool string
	args map[string]string
}

// step is an answer with one call.
func (r *run) step(announce, tool string, args map[string]string) turn {
	if args == nil {
		args = map[string]string{} // {}, not null
	}
	return turn{sentences(r.report(), announce) + "\n\n", []call{{tool, args}}}
}

// maxFailures is the number of failed turns in a row after which the reader gives up: one fewer than the agent's.
const maxFailures = 2

// next decides the next step. Every step makes a new call or ends the run. A run makes at most two looks at the photo,
// [maxChecks] checks, two look-ups and one turn that sets fields, so every run ends.
func (c *conversation) next() turn {
	r := newRun(c)
	switch {
	case r.failures() >= maxFailures:
		return turn{text: sentences(r.report(), "Nothing works at the moment, so I stop here. Please try again later.", r.summing(nil))}
	case !r.cover && len(r.want.fields) == 0 && len(r.want.isbns) == 0:
		return turn{text: r.help()}
	case r.cover && r.can(booktools.ScanBarcode) && r.scan == nil:
		return r.step("I look for a barcode first.", booktools.ScanBarcode, nil)
	case r.cover && r.can(booktools.ReadCover) && r.ocr == nil:
		return r.step("Now the text on the cover.", booktools.ReadCover, nil)
	case r.unchecked != "":
		return r.step("I check the digits of "+r.unchecked+".", booktools.CheckISBN, map[string]string{"isbn": r.unchecked})
	case r.isbn != "" && r.can(booktools.LookUpBook) && r.byISBN == nil:
		return r.step("I look the book up in the catalogue.", booktools.LookUpBook, map[string]string{"isbn": r.isbn})
	}
	if title, author := r.query(); title != "" && r.hit.Book == nil && r.can(booktools.LookUpBook) && r.byTitle == nil {
		args := map[string]string{"title": title}
		if author != "" {
			args["author"] = author
		}
		return r.step("I look for “"+title+"” in the catalogue.", booktools.LookUpBook, args)
	}
	values := r.values()
	if r.first(booktools.SetField) != nil || len(values) == 0 || !r.can(booktools.SetField) {
		return turn{text: sentences(r.report(), r.summing(values))}
	}
	var t turn
	if len(r.calls) > 0 {
		t.text = sentences(r.report(), "I fill in what I have.") + "\n\n"
	}
	for _, v := range values {
		t.calls = append(t.calls, call{booktools.SetField, map[string]string{"field": string(v.field), "value": v.text}})
	}
	return t
}

// query returns the title and author to look for if the ISBN leads to nothing: from the person's message, or as the
// cover seems to say. The title is empty if nothing should be looked for.
func (r *run) query() (title, author string) {
	if !r.cover {
		return "", ""
	}
	title, author = r.guess.title, r.guess.author
	if t := r.want.get(book.Title); t != "" {
		title = t
	}
	if a := r.want.get(book.Author); a != "" {
		author = a
	}
	return title, author
}

// sentences joins the non-empty texts.
func sentences(s ...string) string {
	var out []string
	for _, s := range s {
		if s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, " ")
}
