package reader

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
)

// message is a parsed request of a person.
type message struct {
	fields  []fieldValue // corrections, at most one for each field; the last one counts
	isbns   []string     // typed ISBNs, see findISBNs
	reread  bool         // the person asks to read the cover again
	unclear []book.Field // fields that are named without a usable value
}

// fieldValue is a field with its new value.
type fieldValue struct {
	field book.Field
	text  string
}

// marker matches the words that introduce a value in a sentence. A value ends before the next marker or at the end of its
// sentence.
type marker struct {
	re    *regexp.Regexp
	field book.Field // empty if the first group names the field
}

const valueVerb = `(?:\s+(?:is|are|was|were|should\s+be|should\s+read|must\s+be|reads|to)\b\s*:?|\s*[:=])\s*`

var markers = []marker{
	{re: regexp.MustCompile(`(?i)(?:\b(?:the|its)\s+)?(?:\b(?:book's|correct|right|real)\s+)*\b(title|author|writer|publisher|isbn|published[_ ]year|publication[_ ](?:year|date)|year\s+of\s+publication|year|description|summary)s?(?:-?1[03])?(?:'s\s+name|\s+name|\s+number)?(?:\s+of\s+(?:the|this)\s+book)?` + valueVerb)},
	{regexp.MustCompile(`(?i)\b(?:written|authored)\s+by\s+`), book.Author},
	{regexp.MustCompile(`(?i)(?:^|[.;!]\s+|\bit'?s\s+|\bit\s+(?:is|was)\s+)by\s+`), book.Author},
	{regexp.MustCompile(`(?i)\b(?:it|it's|book|this)\s+(?:(?:is|was)\s+)?(?:called|titled|entitled)\s+`), book.Title},
	{regexp.MustCompile(`(?i)\bpublished\s+by\s+`), book.Publisher},
	{regexp.MustCompile(`(?i)\b(?:published|printed)\s+(?:in\s+)?(?:the\s+year\s+)?(?:(\d{4})\b(?:\s*,?\s*by\s+)?)`), book.PublishedYear},
}

var (
	yearPattern      = regexp.MustCompile(`\b(1[0-9]{3}|20[0-9]{2}|2100)\b`)
	trailingYear     = regexp.MustCompile(`(?i)^(.+?),?\s+\(?(?:in\s+)?((?:1[0-9]|20)[0-9]{2})\)?[.!]?$`)
	valueJoint       = regexp.MustCompile(`(?i)[\s,;.]*(?:\b(?:and|but|while|with)\b)?[\s,]*(?:\b(?:it|the\s+book|this\s+book|which)\b)?[\s]*(?:\b(?:was|is|has\s+been)\b)?[\s]*$`)
	politeTail       = regexp.MustCompile(`(?i)(?:,?\s+(?:please|thanks|thank\s+you))+[.!]*$`)
	contrastClause   = regexp.MustCompile(`(?:,\s+(?:and\s+)?not|\s+instead\s+of|\s+rather\s+than)\s.*$`)
	noValue          = regexp.MustCompile(`^(?:not|wrong|incorrect|missing|unknown|false|misspelled|bad|right|correct|fine|ok)\b`)
	rereadRequest    = regexp.MustCompile(`(?i)\b(?:again|once\s+more|re-?read|re-?scan|start\s+over|retry)\b`)
	readCoverRequest = regexp.MustCompile(`(?i)\b(?:read|scan|extract|analy[sz]e|process|identify|look\s+at|fill)\b.*\b(?:cover|barcode|photo|image|picture|book|metadata|upload)`)
)

// readMessage parses a message.
func readMessage(text string) message {
	var m message
	m.isbns = findISBNs(text)

	type found struct {
		start, end int
		field      book.Field
		year       string
	}
	var all []found
	for _, mk := range markers {
		for _, at := range mk.re.FindAllStringSubmatchIndex(text, -1) {
			f := found{start: at[0], end: at[1], field: mk.field}
			group := ""
			if len(at) > 3 && at[2] >= 0 {
				group = text[at[2]:at[3]]
			}
			if f.field == "" {
				f.field = fieldNamed(group)
			} else {
				f.year = group
			}
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b found) int { return a.start - b.start })

	pos := 0
	for i, f := range all {
		if f.start < pos {
			continue // inside a value in quotes, or a part of another marker
		}
		stop := len(text)
		for _, g := range all[i+1:] {
			if g.start >= f.end {
				stop = g.start
				break
			}
		}
		pos = f.end
		if f.year != "" {
			m.setField(book.PublishedYear, f.year)
			if !strings.HasSuffix(strings.ToLower(strings.TrimSpace(text[f.start:f.end])), "by") {
				continue
			}
			f.field = book.Publisher
		}
		v, used, quoted := quotedValue(text[f.end:])
		if quoted {
			pos = f.end + used
		} else {
			v = text[f.end:stop]
			if stop < len(text) {
				v = valueJoint.ReplaceAllString(v, "")
			}
		}
		m.addValue(f.field, v, quoted)
	}
	if len(m.fields) == 0 && len(m.unclear) == 0 {
		m.reread = rereadRequest.MatchString(text) || readCoverRequest.MatchString(text)
	}
	return m
}

// addValue cleans a value and adds it to the corrections. An empty value is unclear.
func (m *message) addValue(f book.Field, v string, quoted bool) {
	if f == book.ISBN {
		if len(m.isbns) == 0 {
			m.unclear = append(m.unclear, f)
		}
		return
	}
	if !quoted {
		v = plainValue(f, v)
	}
	year := ""
	switch f {
	case book.PublishedYear:
		v = yearPattern.FindString(v)
	case book.Publisher:
		if g := trailingYear.FindStringSubmatch(v); g != nil && !quoted {
			v, year = g[1], g[2]
		}
	}
	if v == "" {
		m.unclear = append(m.unclear, f)
		return
	}
	m.setField(f, v)
	if year != "" {
		m.setField(book.PublishedYear, year)
	}
}

func (m *message) setField(f book.Field, v string) {
	m.fields = slices.DeleteFunc(m.fields, func(o fieldValue) bool { return o.field == f })
	m.fields = append(m.fields, fieldValue{f, v})
}

// correction returns the correction of a field, or "".
func (m *message) correction(f book.Field) string {
	for _, v := range m.fields {
		if v.field == f {
			return v.text
		}
	}
	return ""
}

// quotedValue returns the quoted text at the beginning of s and its length in bytes.
func quotedValue(s string) (v string, used int, ok bool) {
	lead := len(s) - len(strings.TrimLeft(s, " "))
	open, size := utf8.DecodeRuneInString(s[lead:])
	closing := map[rune]string{'"': `"`, '“': "”", '„': "“", '«': "»", '‘': "’"}[open]
	if closing == "" {
		return "", 0, false
	}
	inside, _, found := strings.Cut(s[lead+size:], closing)
	if !found || strings.TrimSpace(inside) == "" {
		return "", 0, false
	}
	return strings.TrimSpace(inside), lead + size + len(inside) + len(closing), true
}

// plainValue cuts a value at the end of its sentence and removes polite words and the final stop. It returns "" if the
// text is not a value, for example a question, "not …" or "wrong".
func plainValue(f book.Field, v string) string {
	v = strings.TrimSpace(strings.ReplaceAll(v, "\r\n", "\n"))
	if f != book.Description {
		v, _, _ = strings.Cut(v, "\n")
		v = v[:sentenceEnd(f, v)]
		v = contrastClause.ReplaceAllString(v, "")
	}
	v = politeTail.ReplaceAllString(v, "")
	v = strings.TrimRight(v, " ,;")
	if f != book.Title { // a title may end in an exclamation mark
		v = strings.TrimRight(v, "!")
	}
	if noValue.MatchString(v) || strings.HasSuffix(v, "?") && f != book.Title || !strings.ContainsFunc(v, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		return ""
	}
	if f != book.Description && strings.HasSuffix(v, ".") && !isAbbreviated(v) {
		v = strings.TrimSuffix(v, ".")
	}
	return strings.TrimSpace(v)
}

// sentenceEnd returns the end of the first sentence of v. A sentence ends with a stop that is followed by a space and a
// capital, unless the stop belongs to an initial or an abbreviation. In a title, only a full stop ends a sentence.
func sentenceEnd(f book.Field, v string) int {
	stops := ".!?"
	if f == book.Title {
		stops = "."
	}
	for i := 0; i+2 < len(v); i++ {
		if !strings.ContainsRune(stops, rune(v[i])) || v[i+1] != ' ' {
			continue
		}
		next, _ := utf8.DecodeRuneInString(strings.TrimLeft(v[i+1:], " "))
		if unicode.IsUpper(next) && (v[i] != '.' || !isAbbreviated(v[:i+1])) {
			return i + 1
		}
	}
	return len(v)
}

// isAbbreviated reports whether the stop at the end of v belongs to its last word, as in "J." or "Jr.".
func isAbbreviated(v string) bool {
	v = strings.TrimSuffix(v, ".")
	last := v[strings.LastIndexAny(v, " .-")+1:]
	switch last {
	case "Jr", "Sr", "Dr", "Mr", "Mrs", "Ms", "St", "Co", "Inc", "Ltd", "Vol", "No", "ed", "al", "Bros", "Ph", "Prof":
		return true
	}
	return utf8.RuneCountInString(last) == 1 && unicode.IsUpper([]rune(last)[0])
}

// fieldNamed returns the field that a word names.
func fieldNamed(word string) book.Field {
	switch strings.ToLower(word) {
	case "title":
		return book.Title
	case "author", "writer":
		return book.Author
	case "publisher":
		return book.Publisher
	case "isbn":
		return book.ISBN
	case "description", "summary":
		return book.Description
	}
	return book.PublishedYear
}
