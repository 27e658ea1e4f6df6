package reader

import (
	"slices"
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
		if isCount {
			p.refuseRest(words)
		}
		q.column = joinWords(words)
	}
	return end
}

// endOfSubject returns the index of the first clause after a subject, or of the "of" before the name of a file. That of
// "bill of materials" is a part of the subject.
func (p *parser) endOfSubject(start int) int {
	for end := start; end < len(p.words); end++ {
		isBill := p.isAt(end-1, "bill", "bills")
		p.hasSource = p.hasSource || kindOf(joinWords(p.words[start:end])) != ""
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
// "late orders" or "orders are not late".
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
	w := where{column: string(kinds.Status), operator: query.Equal, value: joinWords(status)}
	switch {
	case len(status) == 0:
		return true
	case status[0].is("not") && len(status) > 1:
		w.operator, w.value = query.NotEqual, joinWords(status[1:])
	default:
		q.status = w.value
	}
	q.where = append(q.where, w)
	return true
}

// maxStatus is the number of words of a status.
const maxStatus = 3

// splitStatus returns the kind that words name, and the status that they name before or after it.
func splitStatus(words []word) (kind string, status []word) {
	for i := range words {
		if name := joinWords(words[i:]); kindOf(name) != "" && (i == 0 || isStatus(words[:i])) {
			return name, words[:i]
		}
	}
	for i, w := range words {
		name, rest := words[:i], words[min(i+1, len(words)):]
		if i > 0 && name[i-1].is("that", "which", "who") {
			name = name[:i-1]
		}
		if w.is("is", "are", "was", "were") && kindOf(joinWords(name)) != "" && isStatus(rest) {
			return joinWords(name), rest
		}
	}
	return "", nil
}

// isStatus reports whether words may be the status of a row: they are few, and do not join other words.
func isStatus(words []word) bool {
	isJoining := func(w word) bool {
		return w.is("and", "or", "have", "has", "had", "with", "without", "that", "which", "than", "to", "for",
			"of", "are", "is")
	}
	return len(words) > 0 && len(words) <= maxStatus && !slices.ContainsFunc(words, isJoining)
}

// refuseRest refuses the words after the name of a kind that a subject begins with.
func (p *parser) refuseRest(words []word) {
	for i := len(words) - 1; i > 0; i-- {
		if name := joinWords(words[:i]); kindOf(name) != "" {
			p.refuseRelative(&parser{words: words[i:]})
			p.refuse("I do not understand “%s” after “%s”. Say it for example with “where status is late”, “after 2026-06-30” "+
				"or “for supplier S-001”.", joinWords(words[i:]), name)
			return
		}
	}
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
