package reader

import (
	"fmt"
	"regexp"
	"strings"
)

// question is a message that the reader understands.
type question struct {
	wantsList    bool
	wantsProfile bool
	function     string // count, sum, avg, min, max, rows, distinct, or duplicates
	limit        int    // of rows; zero means 5
	column       string // words of a column, or empty
	by           string
	where        []where
	in           string // words of a file or a kind
	inQuoted     bool   // in is the name of a file, never a kind
	// refusal names the words that were not understood. It is empty for a question that can be asked.
	refusal string
}

// The functions of a question that are not functions of query_file.
const (
	distinct   = "distinct"   // how many values a column has
	duplicates = "duplicates" // how many rows repeat an earlier one
)

const (
	maxConditions = 8   // of a call of query_file
	maxMatch      = 200 // bytes of a part of a name in a call of list_files
)

var (
	spaces        = regexp.MustCompile(`\s+`)
	listWords     = regexp.MustCompile(`^(?:list|show|which|what)(?: \w+)* (?:files|data|uploads)(?: (?:do (?:i|we) have|have i|are (?:there|shared)))?$`)
	profileWords  = regexp.MustCompile(`(?i)^(?:(?:profile|quality|columns|problems|flaws|summary)(?: of| in| with)?|(?:describe|tell me about|what is(?: in)?|what about)) (.+)$`)
	functionWords = regexp.MustCompile(`(?i)^(?:what is |what was |what are |show |give me )?(?:the )?((?:how many|number of|count of) (?:different|distinct|unique|duplicates?|repeated)|how many|number of|count of|count|total|sum of|sum|average|avg|mean|lowest|smallest|earliest|minimum|min|highest|largest|latest|maximum|max|first|rows)\b ?(.*)$`)
)

var functions = map[string]string{
	"how many": "count", "number of": "count", "count of": "count", "count": "count", "total": "sum", "sum of": "sum",
	"sum": "sum", "average": "avg", "avg": "avg", "mean": "avg", "lowest": "min", "smallest": "min", "minimum": "min",
	"min": "min", "earliest": "min", "latest": "max",
	"highest": "max", "largest": "max", "maximum": "max", "max": "max", "first": "rows", "rows": "rows",
}

// parseQuestion returns the question of a message, or false for a message that does not begin like a question.
func parseQuestion(message string) (q question, ok bool) {
	text := strings.TrimSpace(spaces.ReplaceAllString(message, " "))
	text = strings.TrimRight(text, "?!. ")
	if len(text) >= 7 && strings.EqualFold(text[:7], "please ") {
		text = text[7:]
	}
	if len(text) > 300 {
		return q, false
	}
	if listWords.MatchString(strings.ToLower(text)) {
		q.wantsList = true
		return q, true
	}
	m := functionWords.FindStringSubmatch(text)
	if m == nil {
		if m := profileWords.FindStringSubmatch(text); m != nil {
			q.wantsProfile, q.in = true, trimFile(m[1])
			words := splitWords(m[1])
			q.inQuoted = len(words) == 1 && words[0].quoted
			return q, len(q.in) <= maxMatch
		}
		return q, false
	}
	q.function = functionOf(strings.ToLower(m[1]))
	p := clauses{words: splitWords(m[2])}
	p.parse(&q)
	if len(q.in) > maxMatch {
		p.refuse("The name of the file is too long: it must have at most %d bytes.", maxMatch)
	}
	q.refusal = p.refusal
	return q, true
}

// functionOf returns the function that words name.
func functionOf(words string) string {
	if f := functions[words]; f != "" {
		return f
	}
	if strings.Contains(words, "duplicate") || strings.Contains(words, "repeated") {
		return duplicates
	}
	return distinct
}

// describe returns what was understood, for example: total of “qty” by “supplier” in “a.csv” where “note” is “x”.
func (q question) describe() string {
	var s strings.Builder
	names := map[string]string{
		"count": "number of rows", "sum": "total", "avg": "average", "min": "lowest", "max": "highest", "rows": "first rows",
		distinct: "number of different values", duplicates: "number of rows that repeat an earlier one",
	}
	s.WriteString(names[q.function])
	if q.limit > 0 {
		fmt.Fprintf(&s, " (%d)", q.limit)
	}
	switch {
	case q.column != "" && q.function == "count":
		fmt.Fprintf(&s, " with “%s”", q.column)
	case q.column != "":
		fmt.Fprintf(&s, " of “%s”", q.column)
	}
	if q.by != "" {
		fmt.Fprintf(&s, " by “%s”", q.by)
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
