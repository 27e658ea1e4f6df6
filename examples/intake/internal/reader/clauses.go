package reader

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// word is a word, a comparison sign or a quoted text of a question. A quoted text is never a keyword.
type word struct {
	text   string
	quoted bool
}

func (w word) is(words ...string) bool {
	return !w.quoted && slices.Contains(words, strings.ToLower(w.text))
}

var closingQuotes = map[rune]rune{'"': '"', '“': '”', '„': '“', '\'': '\'', '‘': '’'}

const signs = "<>=!"

// splitWords splits a question at spaces, around the comparison signs, and at quotes that are closed.
func splitWords(s string) (list []word) {
	for {
		s = strings.TrimLeft(s, " ")
		if s == "" {
			return list
		}
		first, size := utf8.DecodeRuneInString(s)
		if closing, ok := closingQuotes[first]; ok {
			// An apostrophe within a word does not close a quote.
			if text, rest, ok := cutQuoted(s[size:], closing); ok {
				list, s = append(list, word{text, true}), rest
				continue
			}
		}
		end := strings.IndexAny(s, " "+signs)
		switch {
		case end < 0:
			end = len(s)
		case end == 0: // a sign
			end = len(s) - len(strings.TrimLeft(s, signs))
		}
		if text := strings.TrimSuffix(s[:end], ","); text != "" {
			list = append(list, word{text, false})
		}
		s = s[end:]
	}
}

// cutQuoted returns the text before a closing quote that a space, a comma, a sign or the end follows.
func cutQuoted(s string, closing rune) (text, rest string, ok bool) {
	for i, r := range s {
		if r != closing {
			continue
		}
		after := s[i+utf8.RuneLen(r):]
		if after == "" || strings.ContainsAny(after[:1], " ,"+signs) {
			return s[:i], strings.TrimPrefix(after, ","), true
		}
	}
	return "", "", false
}

// clauses parses the words after the function of a question: its subject, and then the clauses in, by and where in any
// order.
type clauses struct {
	words   []word
	refusal string
}

// startsClause returns the clause that begins at word i, or "", and the number of its keywords.
func (p *clauses) startsClause(i int) (clause string, size int) {
	w := p.words[i]
	switch {
	case w.is("in", "from"):
		return "in", 1
	case w.is("by", "per"):
		return "by", 1
	case w.is("where"):
		return "where", 1
	case w.is("for") && i+1 < len(p.words) && p.words[i+1].is("each"):
		return "by", 2
	}
	return "", 0
}

func (p *clauses) refuse(format string, args ...any) {
	if p.refusal == "" {
		p.refusal = fmt.Sprintf(format, args...)
	}
}

func (p *clauses) parse(q *question) {
	for _, end := range []string{"are there", "do i have", "do we have", "are in there"} {
		parts := strings.Fields(end)
		if n := len(p.words) - len(parts); n >= 0 && strings.EqualFold(joinWords(p.words[n:]), end) {
			p.words = p.words[:n]
		}
	}
	i := p.parseSubject(q)
	for i < len(p.words) {
		clause, size := p.startsClause(i)
		i += size
		if size == 0 { // of, after the subject
			clause, i = "in", i+1
		}
		if clause == "where" {
			i = p.parseConditions(q, i)
			continue
		}
		end := p.endOfName(i)
		name := joinWords(p.words[i:end])
		isQuoted := end == i+1 && p.words[i].quoted
		i = end
		target := &q.in
		if clause == "by" {
			target = &q.by
		}
		switch {
		case name == "":
			p.refuse("A name is missing after “%s”.", clause)
		case *target != "":
			p.refuse("I understand only one name after “%s”, but there are two: “%s” and “%s”.", clause, *target, name)
		case isQuoted:
			*target, q.inQuoted = name, q.inQuoted || clause == "in"
		case clause == "in":
			*target = trimFile(name)
		default:
			*target = strings.TrimPrefix(name, "the ")
		}
	}
	if len(q.where) > maxConditions {
		p.refuse("I understand at most %d conditions.", maxConditions)
	}
	switch {
	case q.function == duplicates && (q.column != "" || q.by != "" || len(q.where) > 0):
		p.refuse("I know only for whole files how many rows repeat an earlier one.")
	case q.function == distinct && q.by != "":
		p.refuse("I do not count different values by group.")
	case q.column == "" && q.function != "count" && q.function != "rows" && q.function != duplicates:
		p.refuse("The name of a column is missing.")
	}
}

// endOfName returns the index of the next clause after word i. The first word is always part of the name.
func (p *clauses) endOfName(i int) int {
	for end := i; end < len(p.words); end++ {
		if _, size := p.startsClause(end); size > 0 && end > i {
			return end
		}
	}
	return len(p.words)
}

// parseSubject reads the column, or the kind, before the first clause and returns the index after it.
func (p *clauses) parseSubject(q *question) int {
	start, end := 0, 0
	for end < len(p.words) {
		_, size := p.startsClause(end)
		isBill := end > 0 && p.words[end-1].is("bill", "bills")
		if size > 0 || end > start && p.words[end].is("of") && !isBill {
			break
		}
		end++
		if end == start+1 && p.words[start].is("of", "the") {
			start++
		}
	}
	words := p.words[start:end]
	subject := trimFiller(joinWords(words))
	if len(words) > 1 && words[0].is("negative", "missing") {
		w := where{joinWords(words[1:]), query.Missing, ""}
		if words[0].is("negative") {
			w.operator, w.value = query.Below, "0"
		}
		if q.function != "count" && q.function != "rows" {
			p.refuse("I understand “%s” only after “how many” or “first rows”.", words[0].text)
		}
		q.where = append(q.where, w)
		return end
	}
	switch {
	case strings.EqualFold(subject, "rows") && (q.function == "count" || q.function == "rows" || q.function == duplicates):
	case kindOf(subject) != "" && (q.function == "count" || q.function == "rows"): // how many shipments
		q.in = subject
	case q.function == "rows" && len(words) == 2 && words[1].is("rows") && isLimit(words[0].text): // first 20 rows
		q.limit, _ = strconv.Atoi(words[0].text)
	case q.function == "rows" && subject != "":
		p.refuse("I do not understand “%s”. The first rows can be 1 to %d.", subject, query.MaxLimit)
	default:
		q.column = subject
	}
	return end
}

// trimFiller returns a subject without the words of a person that do not change it.
func trimFiller(subject string) string {
	for _, filler := range []string{"are there", "do i have", "do we have"} {
		cut := len(subject) - len(filler)
		if cut >= 0 && strings.EqualFold(subject[cut:], filler) && (cut == 0 || subject[cut-1] == ' ') {
			subject = strings.TrimSuffix(subject[:cut], " ")
		}
	}
	return subject
}

// isLimit reports whether a text is a number of rows that a query can return.
func isLimit(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= 1 && n <= query.MaxLimit
}

func joinWords(words []word) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.text
	}
	return strings.Join(texts, " ")
}
