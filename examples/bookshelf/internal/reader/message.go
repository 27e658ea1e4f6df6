package reader

import (
	"regexp"
	"slices"
	"strings"

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

// marker matches the words that introduce a value in a sentence. A value ends before the next marker or at the end of
// its sentence.
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
	{regexp.MustCompile(`(?i)\b(?:published|printed)\s+(?:in\s+)?(?:the\s+year\s+)?(?:(\d{4})\b(?:\s*,?\s*by\s+)?)`),
		book.PublishedYear},
}

var (
	yearPattern      = regexp.MustCompile(`\b(1[0-9]{3}|20[0-9]{2}|2100)\b`)
	trailingYear     = regexp.MustCompile(`(?i)^(.+?),?\s+\(?(?:in\s+)?((?:1[0-9]|20)[0-9]{2})\)?[.!]?$`)
	valueJoint       = regexp.MustCompile(`(?i)[\s,;.]*(?:\b(?:and|but|while|with)\b)?[\s,]*(?:\b(?:it|the\s+book|this\s+book|which)\b)?[\s]*(?:\b(?:was|is|has\s+been)\b)?[\s]*$`)
	rereadRequest    = regexp.MustCompile(`(?i)\b(?:again|once\s+more|re-?read|re-?scan|start\s+over|retry)\b`)
	readCoverRequest = regexp.MustCompile(`(?i)\b(?:read|scan|extract|analy[sz]e|process|identify|look\s+at|fill)\b.*\b(?:cover|barcode|photo|image|picture|book|metadata|upload)`)
)

// readMessage parses a message.
func readMessage(text string) message {
	var m message
	m.isbns = findISBNs(text)

	all := findMarkers(text)
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

// markerMatch is a marker in a text.
type markerMatch struct {
	start, end int
	field      book.Field
	year       string // the year in the marker, or ""
}

// findMarkers returns the markers in a text, in order.
func findMarkers(text string) []markerMatch {
	var all []markerMatch
	for _, mk := range markers {
		for _, at := range mk.re.FindAllStringSubmatchIndex(text, -1) {
			f := markerMatch{start: at[0], end: at[1], field: mk.field}
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
	slices.SortStableFunc(all, func(a, b markerMatch) int { return a.start - b.start })
	return all
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
