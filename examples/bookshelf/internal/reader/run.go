package reader

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
)

// maxChecks is the largest number of ISBNs checked in one run.
const maxChecks = 4

// The reader's confidence by the source of the facts.
const (
	sureByISBN    = 0.98 // barcode or typed, and in the catalogue
	sureByPrint   = 0.95 // an ISBN in the printed text, and in the catalogue
	sureByTitle   = 0.85 // a title that the catalogue has, times how well it matched
	sureDisagree  = 0.60 // the ISBN's title and the cover disagree
	sureISBNGuess = 0.50 // an ISBN that the catalogue does not have, and a guess at the title
	sureISBNOnly  = 0.40
	sureGuess     = 0.30 // a guess at the title, and nothing else
)

// run is the current run: the person's request, the calls so far (nil if not made), and their results.
type run struct {
	*conversation
	want  message
	cover bool // the cover must be read

	scan, ocr, byISBN, byTitle *done

	barcode   booktools.Barcode
	text      booktools.CoverText
	guess     guess
	unchecked string   // the next ISBN to check, if isbn is not settled
	isbn      string   // valid
	printed   bool     // it was found in the text on the cover
	wrong     []string // one sentence for each invalid ISBN
	hit       booktools.Lookup
	doubt     bool // the catalogue's title and the cover disagree
}

func newRun(c *conversation) *run {
	r := &run{conversation: c, want: readMessage(c.prompt)}
	r.cover = r.want.reread || !c.read
	if r.cover {
		r.scan, r.ocr = c.first(booktools.ScanBarcode), c.first(booktools.ReadCover)
		r.barcode, _ = decode[booktools.Barcode](r.scan)
		r.text, _ = decode[booktools.CoverText](r.ocr)
		r.guess = guessTitle(r.text.Lines)
	}
	r.settleISBN()
	for _, d := range c.calls {
		if d.use.Name != booktools.LookUpBook {
			continue
		}
		hit, ok := decode[booktools.Lookup](&d)
		if d.arg("isbn") != "" {
			r.byISBN = &d
		} else {
			r.byTitle = &d
		}
		if ok && hit.Found && hit.Book != nil {
			r.hit = hit
			r.doubt = hit.MatchedBy == "isbn" && disagrees(hit.Book.Title, r.text.Lines)
		}
	}
	return r
}

// settleISBN takes the ISBNs that were typed, scanned and read, in this order. It settles on the first valid one, or on
// the next one to check.
func (r *run) settleISBN() {
	candidates := slices.Clone(r.want.isbns)
	if r.barcode.ISBN != "" {
		candidates = append(candidates, r.barcode.ISBN)
	}
	candidates = append(candidates, printedISBNs(r.text.Lines)...)
	for _, isbn := range candidates[:min(len(candidates), maxChecks)] {
		i := slices.IndexFunc(r.calls, func(d done) bool {
			return d.use.Name == booktools.CheckISBN && d.arg("isbn") == isbn
		})
		if i < 0 && r.can(booktools.CheckISBN) {
			r.unchecked = isbn
			return
		}
		why := ""
		if i >= 0 {
			if check, ok := decode[booktools.ISBNCheck](&r.calls[i]); ok && !check.Valid {
				why = check.Reason
			}
		}
		if why == "" && book.CheckISBN(isbn) != nil { // if the tool is missing or fails
			why = "does not have the digits of an ISBN"
		}
		if why == "" {
			r.isbn = isbn
			r.printed = !slices.Contains(r.want.isbns, isbn) && isbn != r.barcode.ISBN
			return
		}
		r.wrong = append(r.wrong, "The ISBN "+isbn+" "+why+".")
	}
}

// can reports whether a tool is available.
func (r *run) can(tool string) bool { return r.offered[tool] }

// values returns the fields to set, in reading order. A book that was found by its title may be another edition, so its
// publisher, year and ISBN are left out.
func (r *run) values() []value {
	all := make(map[book.Field]string)
	sure := 0.0
	switch b := r.hit.Book; {
	case b != nil:
		all[book.Title], all[book.Author], all[book.Description] = b.Title, b.Author, b.Description
		if r.hit.MatchedBy != "isbn" {
			sure = math.Round(100*sureByTitle*r.hit.Score) / 100
			break
		}
		all[book.Publisher] = b.Publisher
		if b.Year != 0 {
			all[book.PublishedYear] = strconv.Itoa(b.Year)
		}
		switch {
		case r.doubt:
			sure = sureDisagree
		case r.printed:
			sure = sureByPrint
		default:
			sure = sureByISBN
		}
	case r.guess.title != "":
		all[book.Title], all[book.Author] = r.guess.title, r.guess.author
		sure = sureGuess
		if r.isbn != "" {
			sure = sureISBNGuess
		}
	case r.isbn != "" && r.cover:
		sure = sureISBNOnly
	}
	if r.isbn != "" {
		all[book.ISBN] = r.isbn
	}
	if sure > 0 {
		all[book.Confidence] = strconv.FormatFloat(sure, 'f', -1, 64)
	}
	for _, v := range r.want.fields {
		all[v.field] = v.text
	}
	var out []value
	for _, f := range book.Fields() {
		if all[f] != "" {
			out = append(out, value{f, all[f]})
		}
	}
	return out
}

// disagrees reports whether the cover has enough text to compare and contains no word of the title.
func disagrees(title string, lines []string) bool {
	text := strings.ToLower(strings.Join(lines, " "))
	if len(strings.Fields(text)) < 3 {
		return false
	}
	long := false
	for _, w := range strings.FieldsFunc(strings.ToLower(title), func(r rune) bool { return strings.ContainsRune(" -:,.'’", r) }) {
		if len(w) < 4 {
			continue
		}
		if strings.Contains(text, w) {
			return false
		}
		long = true
	}
	return long // without a long word, nothing can be compared
}
