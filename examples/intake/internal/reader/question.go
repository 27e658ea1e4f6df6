package reader

import (
	"regexp"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

// question is a message that the reader understands.
type question struct {
	wantsList    bool
	wantsProfile bool
	function     string // count, sum, avg, min, max, or rows
	column       string // words of a column, or empty
	by           string
	where        []where
	in           string // words of a file or a kind
}

type where struct{ column, operator, value string }

var (
	spacesOrMarks = regexp.MustCompile(`[\s?!]+`)
	listWords     = regexp.MustCompile(`^(list|show|which|what)( \w+)* (files|data|uploads)\b`)
	profileWords  = regexp.MustCompile(`^(?:(?:profile|quality|columns|problems|flaws|summary)(?: of| in| with)?|(?:describe|tell me about|what is(?: in)?|what about)) (.+)$`)
	functionWords = regexp.MustCompile(`^(?:what is |what was |what are |show |give me )?(?:the )?(how many|number of|count of|count|total|sum of|sum|average|avg|mean|lowest|smallest|minimum|min|highest|largest|maximum|max|first|rows)\b ?(.*)$`)
	byWords       = regexp.MustCompile(`\b(?:by|per|for each) (.+?)(?: in | from | of | where | with |$)`)
	inWords       = regexp.MustCompile(`\b(?:in|from) (?:the |my |our )?(.+?)(?: by | per | where |$)`)
	whereWords    = regexp.MustCompile(`\bwhere (.+?)(?: by | per |$)`)
	condition     = regexp.MustCompile(`^(.+?) (?:(is missing)|(is present)|(is not|!=|<>)|(is below|is under|<)|(is above|is over|>)|(contains)|(is|=|equals)) ?(.*)$`)
	specialWords  = regexp.MustCompile(`^(negative|missing) (.+)$`)
)

var functions = map[string]string{
	"how many": "count", "number of": "count", "count of": "count", "count": "count", "total": "sum", "sum of": "sum",
	"sum": "sum", "average": "avg", "avg": "avg", "mean": "avg", "lowest": "min", "smallest": "min", "minimum": "min",
	"min": "min", "highest": "max", "largest": "max", "maximum": "max", "max": "max", "first": "rows", "rows": "rows",
}

// parseQuestion returns the question of a message, or false.
func parseQuestion(message string) (q question, ok bool) {
	text := strings.TrimSpace(spacesOrMarks.ReplaceAllString(strings.ToLower(message), " "))
	text = strings.TrimSuffix(strings.TrimPrefix(text, "please "), ".")
	if len(text) > 300 {
		return q, false
	}
	if listWords.MatchString(text) {
		q.wantsList = true
		return q, true
	}
	m := functionWords.FindStringSubmatch(text)
	if m == nil {
		if m := profileWords.FindStringSubmatch(text); m != nil {
			q.wantsProfile, q.in = true, trimFile(m[1])
			return q, true
		}
		return q, false
	}
	q.function = functions[m[1]]
	rest := m[2]
	if b := byWords.FindStringSubmatch(rest); b != nil {
		q.by = strings.TrimSpace(b[1])
	}
	if w := whereWords.FindStringSubmatch(rest); w != nil {
		c, isCondition := parseCondition(w[1])
		if !isCondition {
			return q, false
		}
		q.where = append(q.where, c)
	}
	if in := inWords.FindStringSubmatch(rest); in != nil {
		q.in = trimFile(in[1])
	}
	subject := rest
	for _, end := range []string{
		" by ", " per ", " for each ", " in ", " from ", " where ", " are there", " do i have", " of ",
	} {
		if i := strings.Index(" "+subject+" ", end); i >= 0 {
			subject = strings.TrimSpace((" " + subject + " ")[:i])
		}
	}
	subject = strings.TrimPrefix(strings.TrimPrefix(subject, "the "), "different ")
	if s := specialWords.FindStringSubmatch(subject); s != nil {
		subject = ""
		operator, value := "missing", ""
		if s[1] == "negative" {
			operator, value = "lt", "0"
		}
		q.where = append(q.where, where{s[2], operator, value})
	}
	q.column = subject
	if q.in == "" && kindOf(subject) != "" { // how many shipments
		q.in, q.column = subject, ""
	}
	return q, true
}

func parseCondition(text string) (where, bool) {
	m := condition.FindStringSubmatch(text)
	if m == nil {
		return where{}, false
	}
	operators := []string{"missing", "present", "ne", "lt", "gt", "contains", "eq"}
	for i, operator := range operators {
		if m[i+2] != "" {
			return where{strings.TrimSpace(m[1]), operator, strings.TrimSpace(m[9])}, true
		}
	}
	return where{}, false
}

func trimFile(s string) string {
	s = strings.Trim(strings.TrimSpace(s), `"“”'`)
	for _, word := range []string{"the file ", "file ", "the ", "my ", "our ", "all "} {
		s = strings.TrimPrefix(s, word)
	}
	return strings.TrimSpace(s)
}

// kindOf returns the kind that words name, such as "purchase orders" or "bom", or "".
func kindOf(words string) kinds.Kind {
	words = strings.ReplaceAll(words, "_", " ")
	for _, k := range kinds.All() {
		name := strings.ReplaceAll(string(k), "_", " ")
		if k != kinds.Unknown && (words == name || words == strings.TrimSuffix(name, "s")) {
			return k
		}
	}
	switch words {
	case "bom", "boms":
		return kinds.BillOfMaterials
	case "orders", "pos":
		return kinds.PurchaseOrders
	case "stock":
		return kinds.Inventory
	case "vendors":
		return kinds.Suppliers
	}
	return ""
}

// findColumn returns the column that words name, or "".
func findColumn(columns []string, words string) string {
	isBetween := func(r rune) bool { return r == '_' || r == ' ' || r == '-' || r == '.' }
	plain := func(s string) string { return strings.Join(strings.FieldsFunc(strings.ToLower(s), isBetween), " ") }
	want := plain(words)
	if want == "" {
		return ""
	}
	for _, c := range columns {
		if plain(c) == want || plain(c) == strings.TrimSuffix(want, "s") {
			return c
		}
	}
	for _, name := range []string{words, strings.TrimSuffix(words, "s")} {
		role := kinds.RoleOf(name)
		for _, c := range columns {
			if role != "" && kinds.RoleOf(c) == role {
				return c
			}
		}
	}
	return ""
}
