package openlibrary

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
)

// maxDescription is the length of the longest description in runes. A longer one is shortened.
const maxDescription = 1500

// cleanText returns text as the value of a field on one line, or "" if the field would reject it.
func cleanText(f book.Field, text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if _, err := f.Parse(text); err != nil {
		return ""
	}
	return text
}

// joinTitle returns the title with its subtitle, as in "Gödel, Escher, Bach: An Eternal Golden Braid", or "" if the
// title is not usable.
func joinTitle(title, subtitle string) string {
	title, subtitle = cleanText(book.Title, title), cleanText(book.Title, subtitle)
	if title == "" || subtitle == "" || strings.Contains(strings.ToLower(title), strings.ToLower(subtitle)) {
		return title
	}
	if whole := cleanText(book.Title, strings.TrimRight(title, " :;,")+": "+subtitle); whole != "" {
		return whole
	}
	return title
}

// joinAuthors returns at most maxAuthors names, separated by commas. isCut states that there are more.
func joinAuthors(names []string, isCut bool) string {
	var out []string
	for _, name := range names {
		name = cleanText(book.Author, name)
		switch {
		case name == "" || slices.Contains(out, name):
		case len(out) == maxAuthors:
			isCut = true
		default:
			out = append(out, name)
		}
	}
	if isCut && len(out) > 0 {
		out = append(out, "et al.")
	}
	return cleanText(book.Author, strings.Join(out, ", "))
}

// cleanDescription returns a description with at most maxDescription runes, or "" if its field would reject it.
func cleanDescription(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", " ").Replace(text)
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) > maxDescription {
		text = shorten(text)
	}
	if _, err := book.Description.Parse(text); err != nil {
		return ""
	}
	return text
}

// shorten cuts a long description at the end of a sentence, or else of a word, and marks the cut.
func shorten(text string) string {
	end := 0
	for range maxDescription - 2 {
		_, n := utf8.DecodeRuneInString(text[end:])
		end += n
	}
	head := text[:end]
	if i := strings.LastIndexAny(head, ".!?"); i > len(head)/2 {
		return head[:i+1] + " …"
	}
	if i := strings.LastIndexFunc(head, unicode.IsSpace); i > len(head)/2 {
		head = head[:i]
	}
	return strings.TrimSpace(head) + " …"
}

var (
	digitRun  = regexp.MustCompile(`[0-9]+`)
	uncertain = regexp.MustCompile(`(?i)[0-9][\]-]*\?|[0-9]-+(?:[^0-9]|$)|\bca\.|\bcirca\b`) // 1995?, 199-, 19--?, ca. 1995
)

// parseYear returns the year in the date of a publication, which is free text such as "June 1995", "c1995" or
// "1995-06-01". It returns 0 if the text does not have exactly one year, or marks it as uncertain.
func parseYear(text string) int {
	if uncertain.MatchString(text) {
		return 0
	}
	year := 0
	for _, run := range digitRun.FindAllString(text, -1) {
		if len(run) != len("1995") {
			continue
		}
		n, err := strconv.Atoi(run)
		if err != nil || n < book.MinYear || n > book.MaxYear {
			continue
		}
		if year != 0 && year != n {
			return 0
		}
		year = n
	}
	return year
}

// queryWords returns the words of a text that was read from a cover, for a search: a limited number, in lower case and
// without the operators of the search's language.
func queryWords(text string) string {
	const most = 12
	isSeparator := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\''
	}
	var out []string
	for _, w := range strings.FieldsFunc(strings.ReplaceAll(text, "’", "'"), isSeparator) {
		if w = strings.Trim(w, "'"); w != "" && utf8.RuneCountInString(w) <= 40 && len(out) < most {
			out = append(out, strings.ToLower(w))
		}
	}
	return strings.Join(out, " ")
}
