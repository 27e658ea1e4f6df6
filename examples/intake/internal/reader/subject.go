package reader

import (
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// fillers are the words that a question may have after its subject, and that do not change it.
var fillers = []string{
	"are there", "are in there", "were there", "there are", "do i have", "do we have", "have i", "have we", "exist",
}

// parseSubject reads the subject of a question, which begins at word start, and returns the index after it.
func (p *parser) parseSubject(q *question, start int) int {
	for p.isAt(start, "of", "the", "all") {
		start++
	}
	end := p.endOfSubject(start)
	words := trimFillers(p.words[start:end])
	switch isCount := q.function == countRows || q.function == showRows; {
	case len(words) > 1 && words[0].is("negative", "missing"):
		p.readFlawed(q, words)
	case q.function == duplicates && isRows(words), len(words) == 0:
	case isCount && p.readRows(q, words), isCount && p.readKind(q, words):
	case q.function == showRows:
		p.refuse("I do not understand “%s”. The first rows can be 1 to %d.", joinWords(words), query.MaxLimit)
	default:
		q.column = joinWords(words)
	}
	return end
}

// endOfSubject returns the index of the first clause after a subject, or of the "of" before the name of a file. That of
// "bill of materials" is a part of the subject.
func (p *parser) endOfSubject(start int) int {
	for end := start; end < len(p.words); end++ {
		isBill := p.isAt(end-1, "bill", "bills")
		if c, _ := p.clauseAt(end); c != noClause || end > start && p.isAt(end, "of") && !isBill {
			return end
		}
	}
	return len(p.words)
}

// trimFillers returns words without fillers at their end.
func trimFillers(words []word) []word {
	for _, filler := range fillers {
		n := len(words) - len(strings.Fields(filler))
		if n >= 0 && (&parser{words: words}).isPhraseAt(n, filler) {
			return words[:n]
		}
	}
	return words
}

func isRows(words []word) bool {
	return len(words) == 1 && words[0].is("rows", "row", "records", "lines")
}

// readFlawed reads a count of negative or missing values of a column.
func (p *parser) readFlawed(q *question, words []word) {
	w := where{column: joinWords(words[1:]), operator: query.Missing}
	if words[0].is("negative") {
		w.operator, w.value = query.Below, "0"
	}
	if q.function != countRows && q.function != showRows {
		p.refuse("I understand “%s” only after “how many” or “first rows”.", words[0].text)
	}
	q.where = append(q.where, w)
}

// readRows reads "rows" with the number of rows to show before it.
func (p *parser) readRows(q *question, words []word) bool {
	if q.function == showRows && len(words) == 2 && isRows(words[1:]) && isLimit(words[0].text) {
		q.limit = limitOf(words[0].text)
		return true
	}
	return isRows(words)
}

// readKind reads the name of a kind of data, with a number of rows and a status before it or a status after it, such as
// "late orders" or "orders are late".
func (p *parser) readKind(q *question, words []word) bool {
	limit := 0
	if q.function == showRows && len(words) > 1 && isLimit(words[0].text) {
		limit, words = limitOf(words[0].text), words[1:]
	}
	kind, status := splitStatus(words)
	if kind == "" {
		return false
	}
	q.in, q.limit, p.hasSource = kind, limit, true
	q.kind = kindOf(kind)
	if status != "" {
		q.where = append(q.where, where{column: string(kinds.Status), operator: query.Equal, value: status})
		q.status = status
	}
	return true
}

// splitStatus returns the kind that words name, and the status that they name before or after it.
func splitStatus(words []word) (kind, status string) {
	for i := range words {
		if name := joinWords(words[i:]); kindOf(name) != "" {
			return name, joinWords(words[:i])
		}
	}
	for i, w := range words {
		name, rest := joinWords(words[:i]), words[min(i+1, len(words)):]
		if w.is("is", "are", "was", "were") && kindOf(name) != "" && len(rest) > 0 {
			return name, joinWords(rest)
		}
	}
	return "", ""
}

// isLimit reports whether a text is a number of rows that a query can return.
func isLimit(text string) bool {
	n := limitOf(text)
	return n >= 1 && n <= query.MaxLimit
}

// limitOf returns a number in digits or words, or 0.
func limitOf(text string) int {
	n, _ := strconv.Atoi(readNumeral(text))
	return n
}
