package reader

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// question is a message that the reader understands.
type question struct {
	wantsList    bool
	wantsProfile bool
	function     string // of query_file, showRows, distinct, or duplicates
	limit        int    // of rows or groups; zero means 5 rows or 10 groups
	isAscending  bool   // the smallest groups first
	column       string // words of a column, or empty
	by           string
	where        []where
	in           string     // words of a file or a kind
	hasNoHeader  bool       // the first row of the files is data
	inQuoted     bool       // in is the name of a file, never a kind
	hasFile      bool       // a clause has named in, and not the subject
	kind         kinds.Kind // of the subject, or empty
	status       string     // of the subject, such as late, or empty
	// refusal names the words that were not understood. It is empty for a question that can be asked.
	refusal string
}

// The functions of a question that are not measures of query_file, and the count of rows, which is.
const (
	countRows  = "count"
	showRows   = "rows"
	distinct   = "distinct"   // how many values a column has
	duplicates = "duplicates" // how many rows repeat an earlier one
)

const (
	maxConditions = 8   // of a call of query_file
	maxMatch      = 200 // bytes of a part of a name in a call of list_files
	maxQuestion   = 300 // bytes of a question
)

var (
	spaces       = regexp.MustCompile(`\s+`)
	listWords    = regexp.MustCompile(`^(?:list|show|which|what|how many)(?: \w+)* (?:files|data|uploads)(?: (?:do (?:i|we) have|have i|are (?:there|shared)))?$`)
	rowsOfWords  = regexp.MustCompile(`(?i)^how many (?:rows|lines|records) (?:does|do) (?:the file )?(\S.*\.\S+) have$`)
	profileWords = regexp.MustCompile(`(?i)^(?:(?:profile|quality|columns|problems|flaws|summary)(?: of| in| with)?|(?:describe|tell me about|what is(?: in)?|what about)) (.+)$`)
)

// functionPhrases are the words of functions. A longer one precedes those that it begins with.
var functionPhrases = []struct{ words, function string }{
	{"how many different", distinct}, {"how many distinct", distinct}, {"how many unique", distinct},
	{"number of different", distinct}, {"number of distinct", distinct}, {"number of unique", distinct},
	{"count of different", distinct}, {"count of distinct", distinct}, {"count of unique", distinct},
	{"how many duplicates", duplicates}, {"how many duplicate", duplicates}, {"how many repeated", duplicates},
	{"number of duplicates", duplicates}, {"number of duplicate", duplicates}, {"number of repeated", duplicates},
	{"count of duplicates", duplicates}, {"count of duplicate", duplicates}, {"count of repeated", duplicates},
	{"how many", countRows}, {"number of", countRows}, {"count of", countRows}, {"count", countRows},
	{"total", "sum"}, {"sum of", "sum"}, {"sum", "sum"}, {"average", "avg"}, {"avg", "avg"}, {"mean", "avg"},
	{"lowest", "min"}, {"smallest", "min"}, {"earliest", "min"}, {"oldest", "min"}, {"minimum", "min"}, {"min", "min"},
	{"highest", "max"}, {"largest", "max"}, {"latest", "max"}, {"newest", "max"}, {"maximum", "max"}, {"max", "max"},
	{"first", showRows}, {"rows", showRows},
}

// openings are the words that a question may begin with, and that do not change it.
var openings = []string{
	"please", "what is", "what was", "what are", "what were", "show me", "show", "give me", "list", "which", "the",
}

// parseQuestion returns the question of a message, or false for a message that does not begin like a question.
func parseQuestion(message string) (q question, ok bool) {
	text := strings.TrimSpace(spaces.ReplaceAllString(message, " "))
	text = strings.TrimRight(text, "?!. ")
	if len(text) >= 7 && strings.EqualFold(text[:7], "please ") {
		text = text[7:]
	}
	if len(text) > maxQuestion {
		return q, false
	}
	text, q.hasNoHeader = cutHeader(text)
	if m := rowsOfWords.FindStringSubmatch(text); m != nil {
		text = "how many rows in " + m[1]
	}
	if listWords.MatchString(strings.ToLower(text)) {
		q.wantsList = true
		return q, true
	}
	p := parser{words: splitWords(text)}
	if !p.parse(&q) {
		return parseProfile(text)
	}
	p.check(&q)
	q.refusal = p.refusal
	return q, true
}

// parseProfile returns the question about the quality of a file, or false.
func parseProfile(text string) (q question, ok bool) {
	m := profileWords.FindStringSubmatch(text)
	if m == nil {
		return q, false
	}
	q.wantsProfile, q.in = true, trimFile(m[1])
	words := splitWords(m[1])
	q.inQuoted = len(words) == 1 && words[0].quoted
	return q, len(q.in) <= maxMatch
}

// parse reads a question. It returns false if the words do not begin like one.
func (p *parser) parse(q *question) bool {
	p.words = trimFillers(p.words)
	if p.parseStock(q) {
		return true
	}
	i := p.skipOpenings(0)
	if p.isAt(i, "top", "bottom") {
		p.parseClauses(q, p.parseRank(q, i))
		return true
	}
	if size := p.readFunction(q, i); size > 0 {
		p.parseClauses(q, p.parseSubject(q, i+size))
		return true
	}
	isShown := p.isAt(0, "show", "give", "list", "which")
	q.function = countRows
	if isShown {
		q.function = showRows
	}
	end := p.endOfSubject(i)
	if end == len(p.words) && !isShown || !p.readKind(q, p.words[i:end]) {
		*q = question{}
		return false
	}
	p.parseClauses(q, end)
	return true
}

// skipOpenings returns the index after the openings from word i on.
func (p *parser) skipOpenings(i int) int {
	for _, opening := range openings {
		if p.isPhraseAt(i, opening) {
			i += len(strings.Fields(opening))
		}
	}
	return i
}

// readFunction reads the function that begins at word i, and returns the number of its words.
func (p *parser) readFunction(q *question, i int) int {
	for _, f := range functionPhrases {
		if p.isPhraseAt(i, f.words) {
			q.function = f.function
			return len(strings.Fields(f.words))
		}
	}
	return 0
}

// check refuses what the words ask for and the reader cannot answer.
func (p *parser) check(q *question) {
	p.refuseRelative(p)
	p.checkCounted(q)
	p.checkRanges(q)
	switch {
	case len(q.in) > maxMatch:
		p.refuse("The name of the file is too long: it must have at most %d bytes.", maxMatch)
	case len(q.where) > maxConditions:
		p.refuse("I understand at most %d conditions.", maxConditions)
	case q.function == duplicates && (q.column != "" || q.by != "" || len(q.where) > 0):
		p.refuse("I know only for whole files how many rows repeat an earlier one.")
	case q.function == distinct && q.by != "":
		p.refuse("I do not count different values by group.")
	case q.function == showRows && q.by != "":
		p.refuse("I show rows or groups, but not rows by group. Ask for example “how many rows by %s”.", q.by)
	case q.column == "" && q.function != countRows && q.function != showRows && q.function != duplicates:
		p.refuse("The name of a column is missing.")
	}
}

// checkRanges refuses a range that ends before it begins.
func (p *parser) checkRanges(q *question) {
	for i := 1; i < len(q.where); i++ {
		from, to := q.where[i-1], q.where[i]
		isRange := from.operator == query.AtLeast && to.operator == query.AtMost && from.column == to.column
		a, b := profile.ReadValue([]byte(from.value), nil), profile.ReadValue([]byte(to.value), nil)
		if isRange && a.IsNumber() == b.IsNumber() && a.Number > b.Number {
			p.refuse("“%s” is after “%s”, so nothing is between them.", from.value, to.value)
		}
	}
}

// checkCounted reads "how many carriers" as the number of different carriers. Amounts in the plural are refused, since
// they may be a total.
func (p *parser) checkCounted(q *question) {
	names := singulars(q.column)
	if q.function != countRows || len(names) < 2 {
		return
	}
	switch roleOf(q.column) {
	case "":
	case kinds.Quantity, kinds.OnHand, kinds.QuantityPer, kinds.Weight, kinds.Amount, kinds.UnitPrice, kinds.LeadTime:
		p.refuse("“How many %s” can be a total or a number of rows. Ask for “total %s”, or for “how many rows”.", q.column,
			q.column)
	default:
		if q.by != "" {
			p.refuse("I do not count different values by group.")
		}
		q.function = distinct
	}
}

var functionNames = map[string]string{
	countRows: "number of rows", "sum": "total", "avg": "average", "min": "lowest", "max": "highest",
	showRows: "first rows", distinct: "number of different values",
	duplicates: "number of rows that repeat an earlier one",
}

// describe returns what was understood, for example: total of “qty” by “supplier” in “a.csv” where “note” is “x”.
func (q question) describe() string {
	var s strings.Builder
	s.WriteString(functionNames[q.function])
	if q.limit > 0 && q.function == showRows {
		fmt.Fprintf(&s, " (%d)", q.limit)
	}
	switch {
	case q.column != "" && q.function == countRows:
		fmt.Fprintf(&s, " with “%s”", q.column)
	case q.column != "":
		fmt.Fprintf(&s, " of “%s”", q.column)
	}
	if q.by != "" {
		fmt.Fprintf(&s, " by “%s”", q.by)
	}
	if q.limit > 0 && q.by != "" {
		fmt.Fprintf(&s, " (the %s %d)", map[bool]string{false: "first", true: "last"}[q.isAscending], q.limit)
	}
	if q.in != "" {
		fmt.Fprintf(&s, " in “%s”", q.in)
	}
	for i, w := range q.where {
		word := " where"
		if i > 0 {
			word = " and"
		}
		s.WriteString(word + " " + w.describe())
	}
	if q.hasNoHeader {
		s.WriteString(" without a header")
	}
	return s.String()
}

func trimFile(s string) string {
	s = strings.Trim(strings.TrimSpace(s), `"“”'`)
	for _, word := range []string{"the file ", "file ", "the ", "my ", "our ", "all "} {
		if len(s) > len(word) && strings.EqualFold(s[:len(word)], word) {
			s = s[len(word):]
		}
	}
	return strings.TrimSpace(s)
}
