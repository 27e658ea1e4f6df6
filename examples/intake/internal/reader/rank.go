package reader

import (
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

const defaultRank = 5 // groups

// parseRank reads a question such as "top 5 suppliers by quantity" up to its clauses, and returns the index after it.
func (p *parser) parseRank(q *question, i int) int {
	q.function, q.isAscending, q.limit = "sum", p.isAt(i, "bottom"), defaultRank
	i++
	if i < len(p.words) {
		if n := readNumeral(p.words[i].text); isMeasured(n) {
			if q.limit = limitOf(n); !isLimit(n) {
				p.refuse("I list 1 to %d groups.", query.MaxLimit)
			}
			i++
		}
	}
	by := slices.IndexFunc(p.words[min(i, len(p.words)):], func(w word) bool { return w.is("by") })
	if by <= 0 {
		p.refuse("I do not know by what to sort. Ask for example “top 5 suppliers by quantity”.")
		return len(p.words)
	}
	q.by = joinWords(p.words[i : i+by])
	i += by + 1
	i += p.readFunction(q, i)
	for p.isAt(i, "of", "the") {
		i++
	}
	end := min(p.endOfName(i), len(p.words))
	words := p.words[i:end]
	switch name := joinWords(words); {
	case len(words) == 0:
		p.refuse("A name is missing after “by”.")
	case isRows(words), kindOf(name) != "" && roleOf(name) != kinds.OnHand:
		q.function = countRows
		if !isRows(words) {
			q.in, q.kind, p.hasSource = name, kindOf(name), true
		}
	default:
		q.column = name
	}
	return end
}

// parseStock reads a question such as "what is in stock for SKU X" or "how much of SKU-00012 is in stock".
func (p *parser) parseStock(q *question) bool {
	at := -1
	for i := range p.words {
		if p.isPhraseAt(i, "in stock") || p.isPhraseAt(i, "on hand") {
			at = i
			break
		}
	}
	isAsked := p.isAt(0, "what") || p.isAt(0, "how") && p.isAt(1, "much", "many")
	if at < 0 || !isAsked || slices.ContainsFunc(p.words[:at], func(w word) bool { return w.is("where") }) {
		return false
	}
	var words []word
	for _, w := range p.words[:at] {
		if !w.is("what", "how", "much", "many", "of", "the", "is", "are", "do", "i", "we", "have") {
			words = append(words, w)
		}
	}
	thing := readThing(words)
	if len(words) > 0 && thing.column == "" {
		return false // such as how many rows in stock
	}
	*q = question{function: "sum", column: string(kinds.OnHand), in: "inventory", kind: kinds.Inventory}
	p.hasSource = true
	if len(words) > 0 {
		q.where = append(q.where, thing)
	}
	p.words = p.words[at+len(strings.Fields("in stock")):]
	p.parseStockClauses(q)
	return true
}

// parseStockClauses reads the clauses after "in stock". Without any, the stock is that of each article.
func (p *parser) parseStockClauses(q *question) {
	if c, _ := p.clauseAt(0); len(p.words) > 0 && c == noClause {
		p.refuse("I do not know what “%s” is. Name its column and its value, for example “what is in stock for SKU "+
			"SKU-00012”.", strings.TrimPrefix(joinWords(p.words), "for "))
		return
	}
	p.parseClauses(q, 0)
	if q.by == "" && len(q.where) == 0 {
		q.by = string(kinds.Article)
	}
}
