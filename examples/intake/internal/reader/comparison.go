package reader

import (
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// where is a condition: a column, an operator of query_file, and a value. An empty column is that of the day of the
// kind of data, such as the ship date of shipments.
type where struct {
	column, operator, value string
}

// hasValue reports whether the operator compares with a value.
func hasValue(operator string) bool { return operator != query.Missing && operator != query.Present }

// comparison is the words of a question that compare, such as "is not above".
type comparison struct {
	operator string
	size     int // the number of words
	// isOrder reports that the words need a number or a date after them.
	isOrder bool
}

// phrase is the words of an operator. isOrder is as in a comparison.
type phrase struct {
	words, operator string
	isOrder         bool
}

// phrases are the words of operators that may follow "is" and "is not". A longer one precedes those that it begins
// with.
var phrases = []phrase{
	{"greater than or equal to", query.AtLeast, true}, {"more than or equal to", query.AtLeast, true},
	{"less than or equal to", query.AtMost, true}, {"on or after", query.AtLeast, true},
	{"on or before", query.AtMost, true}, {"at least", query.AtLeast, true}, {"at most", query.AtMost, true},
	{"up to", query.AtMost, true}, {"less than", query.Below, true}, {"fewer than", query.Below, true},
	{"lower than", query.Below, true}, {"smaller than", query.Below, true}, {"earlier than", query.Below, true},
	{"more than", query.Above, true}, {"greater than", query.Above, true}, {"higher than", query.Above, true},
	{"larger than", query.Above, true}, {"later than", query.Above, true}, {"equal to", query.Equal, false},
	{"below", query.Below, true}, {"under", query.Below, true}, {"before", query.Below, true},
	{"until", query.AtMost, true}, {"above", query.Above, true}, {"over", query.Above, true},
	{"after", query.Above, true}, {"since", query.AtLeast, true}, {"from", query.AtLeast, true},
	{"exactly", query.Equal, false}, {"missing", query.Missing, false}, {"empty", query.Missing, false},
	{"present", query.Present, false},
}

// signPhrases are the comparisons without a verb.
var signPhrases = []phrase{
	{"=", query.Equal, false}, {"==", query.Equal, false}, {"!=", query.NotEqual, false}, {"<>", query.NotEqual, false},
	{"<=", query.AtMost, true}, {">=", query.AtLeast, true}, {"<", query.Below, true}, {">", query.Above, true},
}

// negations are the operators for "not".
var negations = map[string]string{
	query.Equal: query.NotEqual, query.NotEqual: query.Equal, query.Below: query.AtLeast, query.AtLeast: query.Below,
	query.Above: query.AtMost, query.AtMost: query.Above, query.Missing: query.Present, query.Present: query.Missing,
}

// accepted names the comparisons in a refusal.
const accepted = "I understand “is”, “is not”, “is above”, “is at least”, “is below”, “is at most”, “is after”, “is " +
	"since”, “is before”, “is until”, “is missing”, “is present”, “is between … and …”, “contains”, and the " +
	"signs =, !=, <, <=, > and >="

// phraseAt returns the phrase that begins at word i, or one without words.
func (p *parser) phraseAt(i int, list []phrase) (found phrase, size int) {
	for _, f := range list {
		parts := strings.Fields(f.words)
		isHere := i+len(parts) <= len(p.words)
		for n := 0; isHere && n < len(parts); n++ {
			isHere = p.words[i+n].is(parts[n])
		}
		if isHere {
			return f, len(parts)
		}
	}
	return phrase{}, 0
}

// comparisonAt returns the comparison with a sign or a verb that begins at word i, or one of size 0.
func (p *parser) comparisonAt(i int) comparison {
	if f, n := p.phraseAt(i, signPhrases); n > 0 {
		return comparison{f.operator, n, f.isOrder}
	}
	switch {
	case p.isAt(i, "contains"):
		return comparison{query.Contains, 1, false}
	case p.isAt(i, "equals"):
		return comparison{query.Equal, 1, false}
	case p.isAt(i, "isn't", "isn’t", "aren't", "aren’t"):
		return p.afterVerb(i, 1, true)
	case !p.isAt(i, "is", "are", "was", "were"):
		return comparison{}
	case p.isAt(i+1, "not"):
		return p.afterVerb(i, 2, true)
	case p.isAt(i+1, "no"): // no more than; no alone is a value
		if c := p.afterVerb(i, 2, true); c.size > 2 {
			return c
		}
	}
	return p.afterVerb(i, 1, false)
}

// afterVerb returns the comparison of a verb at word i, whose words with "not" are size.
func (p *parser) afterVerb(i, size int, isNegated bool) comparison {
	f, n := p.phraseAt(i+size, phrases)
	if n == 0 {
		f, n = p.phraseAt(i+size, signPhrases)
	}
	switch {
	case n > 0:
	case p.isAt(i+size, "on") && p.isMeasured(i+size+1): // on hold is a value
		f, n = phrase{"on", query.Equal, false}, 1
	default:
		f = phrase{"", query.Equal, false}
	}
	if isNegated {
		f.operator = negations[f.operator]
	}
	return comparison{f.operator, size + n, f.isOrder}
}

// isMeasured reports whether word i is a number or a date, or begins one such as 2 January 2026.
func (p *parser) isMeasured(i int) bool {
	return i < len(p.words) && isMeasured(readNumeral(p.words[i].text))
}

// findComparison returns the first comparison from word i, and where it begins. A verb may be missing
// before a phrase such as "after" if a number or a date follows.
func (p *parser) findComparison(i int) (at int, c comparison) {
	for at = i; at < len(p.words); at++ {
		if c = p.comparisonAt(at); c.size > 0 {
			return at, c
		}
		if f, n := p.phraseAt(at, phrases); f.isOrder && at > i && p.isMeasured(at+n) {
			return at, comparison{f.operator, n, true}
		}
	}
	return at, comparison{}
}

// hasComparison reports whether the words from word i on have a comparison before the next clause with a keyword.
func (p *parser) hasComparison(i int) bool {
	for at := i + 1; at < len(p.words) && !p.isAt(at, "where", "by", "per", "in", "from"); at++ {
		f, n := p.phraseAt(at, phrases)
		if p.comparisonAt(at).size > 0 || f.isOrder && p.isMeasured(at+n) {
			return true
		}
	}
	return false
}

// parseConditions reads conditions that are joined by "and" and returns the index after them.
func (p *parser) parseConditions(q *question, i int) int {
	for {
		found, next := p.parseRange(i)
		if len(found) == 0 {
			found, next = p.parseCondition(i)
		}
		if i = next; len(found) == 0 {
			return i
		}
		q.where = append(q.where, found...)
		if !p.isAt(i, "and") {
			return i
		}
		i++
	}
}

// parseRange reads a column that is between two values, or in a month, a quarter or a year, and returns the index after
// it. It returns nothing if the words from word i on are another condition.
func (p *parser) parseRange(i int) ([]where, int) {
	for at := i + 1; at < len(p.words) && !p.isAt(at, "and"); at++ {
		verb := at
		if p.isAt(at, "is", "are", "was", "were") {
			verb++
		}
		from, to, size := "", "", 0
		switch {
		case p.isAt(verb, "between"):
			from, to, size = p.rangeAt(verb + 1)
		case p.isAt(verb, "in", "during"):
			from, to, size = p.spanAt(verb + 1)
		}
		if size > 0 {
			return between(joinWords(p.words[i:at]), from, to), verb + 1 + size
		}
		if verb > at || p.comparisonAt(at).size > 0 {
			return nil, i
		}
	}
	return nil, i
}

// parseCondition reads the condition that begins at word i and returns the index after it. It returns nothing for one
// that it refuses.
func (p *parser) parseCondition(i int) ([]where, int) {
	at, c := p.findComparison(i)
	if c.size == 0 {
		p.refuse("I do not find a comparison in “%s”. %s.", joinWords(p.words[i:]), accepted)
		return nil, len(p.words)
	}
	w := where{column: joinWords(p.words[i:at]), operator: c.operator}
	first, end := at+c.size, p.endOfValue(at+c.size, c)
	words := p.words[first:end]
	w.value = joinWords(words)
	isQuoted := len(words) == 1 && words[0].quoted
	if c.isOrder && !isQuoted {
		w.value = readNumeral(w.value)
	}
	said := joinWords(p.words[at:first])
	switch {
	case w.column == "":
		p.refuse("The name of a column is missing before “%s”.", said)
		return nil, end
	case hasValue(c.operator) && len(words) == 0:
		p.refuse("A value is missing after “%s %s”.", w.column, said)
	case !hasValue(c.operator) && len(words) > 0:
		p.refuse("I do not understand “%s” after “%s %s”.", w.value, w.column, said)
	case c.isOrder && !isQuoted && !isMeasured(w.value):
		p.refuse("“%s” is not a number or a date, but “%s %s” needs one. If it is a column: I cannot "+
			"compare a column with another one.", w.value, w.column, said)
	case isVague(words):
		p.refuse("I do not understand “%s” in “%s %s %s”. %s.", words[0].text, w.column, said, w.value, accepted)
	}
	return []where{w}, end
}

// endOfValue returns the index after the value that begins at word first.
func (p *parser) endOfValue(first int, c comparison) int {
	i := first
	for ; i < len(p.words) && !p.words[i].is("and"); i++ {
		if starts, _ := p.clauseAt(i); starts != noClause && (i > first || !hasValue(c.operator)) {
			break
		}
		if p.words[i].is("or") || p.comparisonAt(i).size > 0 {
			p.refuse("I do not understand “%s” as one value.", joinWords(p.words[first:]))
		}
	}
	return i
}

// isVague reports whether the words of a value begin with a comparison that the reader does not know.
func isVague(words []word) bool {
	switch {
	case len(words) < 2:
		return false
	case words[1].is("than") || words[0].is("not"):
		return true
	}
	return words[0].is("about", "above", "after", "almost", "any", "approximately", "around", "before", "below",
		"beginning", "between", "beyond", "close", "either", "ending", "from", "less", "like", "more", "nearly", "near",
		"neither", "outside", "over", "roughly", "same", "since", "starting", "under", "until", "within")
}

// describe returns the condition in words.
func (w where) describe() string {
	names := map[string]string{
		query.Equal: "is", query.NotEqual: "is not", query.Below: "is below", query.AtMost: "is at most",
		query.Above: "is above", query.AtLeast: "is at least", query.Contains: "contains", query.Missing: "is missing",
		query.Present: "is present",
	}
	if profile.ReadValue([]byte(w.value), nil).Type == profile.Date {
		names[query.Below], names[query.AtMost] = "is before", "is on or before"
		names[query.Above], names[query.AtLeast] = "is after", "is on or after"
	}
	s := "“" + w.column + "” " + names[w.operator]
	if w.column == "" {
		s = "the day " + names[w.operator]
	}
	if hasValue(w.operator) {
		s += " “" + w.value + "”"
	}
	return s
}
