package reader

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
)

// maxChecks is the largest number of ISBNs that one run checks.
const maxChecks = 4

// The reader's confidence by the source of the facts.
const (
	sureByISBN    = 0.98 // a typed or scanned ISBN that is in the catalogue
	sureByPrint   = 0.95 // an ISBN in the printed text that is in the catalogue
	sureByTitle   = 0.85 // a title that is in the catalogue; multiplied by the quality of the match
	sureDisagree  = 0.60 // the title in the catalogue and the cover disagree
	sureISBNGuess = 0.50 // an ISBN that is not in the catalogue, and a guess at the title
	sureISBNOnly  = 0.40 // an ISBN that is not in the catalogue
	sureGuess     = 0.30 // a guess at the title
)

// run is the state of the current run: the person's request, the calls so far (nil if not made), and their results.
type run struct {
	*conversation
	want       message
	readsCover bool // the run must read the cover

	scan, ocr, byISBN, byTitle *toolCall

	barcode   booktools.Barcode
	text      booktools.CoverText
	guess     titleGuess
	unchecked string   // the next ISBN to check, or ""
	isbn      string   // the first valid ISBN, or ""
	isPrinted bool     // isbn is from the text on the cover
	wrong     []string // one sentence for each invalid ISBN
	hit       booktools.Lookup
	source    string // the name of what look_up_book searches
	isDoubted bool   // the title in the catalogue and the cover disagree
}

func newRun(c *conversation) *run {
	r := &run{conversation: c, want: readMessage(c.prompt), source: "the catalogue"}
	r.readsCover = r.want.reread || !c.isRead
	if r.readsCover {
		r.scan, r.ocr = c.firstCall(booktools.ScanBarcode), c.firstCall(booktools.ReadCover)
		r.barcode, _ = decodeResult[booktools.Barcode](r.scan)
		r.text, _ = decodeResult[booktools.CoverText](r.ocr)
		r.guess = guessTitle(r.text.Lines)
	}
	r.settleISBN()
	for _, d := range c.calls {
		if d.use.Name != booktools.LookUpBook {
			continue
		}
		hit, ok := decodeResult[booktools.Lookup](&d)
		r.source = cmp.Or(hit.Source, r.source)
		if d.stringArg("isbn") != "" {
			r.byISBN = &d
		} else {
			r.byTitle = &d
		}
		if ok && hit.Found && hit.Book != nil {
			r.hit = hit
			r.isDoubted = hit.MatchedBy == "isbn" && isOtherTitle(hit.Book.Title, r.text.Lines)
		}
	}
	return r
}

// settleISBN goes through the ISBNs that were typed, scanned and read, in this order. It sets isbn to the first valid
// one, or unchecked to the first one that has not been checked.
func (r *run) settleISBN() {
	candidates := slices.Clone(r.want.isbns)
	if r.barcode.ISBN != "" {
		candidates = append(candidates, r.barcode.ISBN)
	}
	// The check digit detects a misread ISBN, so it may be in a doubtful line.
	candidates = append(candidates, printedISBNs(append(slices.Clone(r.text.Lines), r.text.Doubtful...))...)
	for _, isbn := range candidates[:min(len(candidates), maxChecks)] {
		i := slices.IndexFunc(r.calls, func(d toolCall) bool {
			return d.use.Name == booktools.CheckISBN && d.stringArg("isbn") == isbn
		})
		if i < 0 && r.hasTool(booktools.CheckISBN) {
			r.unchecked = isbn
			return
		}
		why := ""
		if i >= 0 {
			if check, ok := decodeResult[booktools.ISBNCheck](&r.calls[i]); ok && !check.Valid {
				why = check.Reason
			}
		}
		if why == "" && book.CheckISBN(isbn) != nil { // the tool is missing or has failed
			why = "does not have the digits of an ISBN"
		}
		if why == "" {
			r.isbn = isbn
			r.isPrinted = !slices.Contains(r.want.isbns, isbn) && isbn != r.barcode.ISBN
			return
		}
		r.wrong = append(r.wrong, "The ISBN "+isbn+" "+why+".")
	}
}

// hasTool reports whether a tool is available.
func (r *run) hasTool(tool string) bool { return r.offered[tool] }

// listValues returns the fields to set, in reading order. A book that was found by its title may be another edition, so
// listValues omits its publisher, year and ISBN.
func (r *run) listValues() []fieldValue {
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
		case r.isDoubted:
			sure = sureDisagree
		case r.isPrinted:
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
	case r.isbn != "" && r.readsCover:
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
	var out []fieldValue
	for _, f := range book.Fields() {
		if all[f] != "" {
			out = append(out, fieldValue{f, all[f]})
		}
	}
	return out
}

// isOtherTitle reports whether the cover has enough text to compare and contains no word of the title.
func isOtherTitle(title string, lines []string) bool {
	text := strings.ToLower(strings.Join(lines, " "))
	if len(strings.Fields(text)) < 3 {
		return false
	}
	long := false
	isSeparator := func(r rune) bool { return strings.ContainsRune(" -:,.'’", r) }
	for _, w := range strings.FieldsFunc(strings.ToLower(title), isSeparator) {
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
