package reader

import (
	"fmt"
	"strings"
)

// parser reads the words of a question by this grammar. Words in quotes are never keywords; articles and words such as
// "do we have" are left out.
//
//	question  = function subject { clause } | rank { clause } | stock { clause } | KIND { clause }
//	function  = "how many" | "total" | "average" | "lowest" | "highest" | "first" | …
//	subject   = [ NUMBER ] [ STATUS ] KIND [ "are" STATUS ] | [ NUMBER ] "rows" | [ "different" ] COLUMN |
//	            ( "negative" | "missing" ) COLUMN
//	rank      = ( "top" | "bottom" ) [ NUMBER ] COLUMN "by" [ function ] ( COLUMN | KIND )
//	stock     = ( "what is" | "how much" ) … "in stock" [ "for" thing ]
//	clause    = group | file | ( "where" | "with" ) condition { "and" condition } | period | "for" thing
//	group     = ( "by" | "per" | "for each" ) COLUMN
//	file      = ( "in" | "from" | "of" ) NAME
//	condition = COLUMN comparison [ VALUE ] | COLUMN "between" VALUE "and" VALUE | COLUMN "in" SPAN
//	period    = ( "after" | "before" | "since" | "until" | "on" ) DAY | ( "between" | "from" ) DAY ( "and" | "to" ) DAY |
//	            "in" SPAN
//	thing     = COLUMN VALUE | CODE
//
// A SPAN is a month, a quarter or a year. A period is about the day of the kind of data, see [where].
type parser struct {
	words   []word
	refusal string // of the first words that are not understood
	// hasSource reports that a file or a kind is named, so that a year after "in" is not the name of another one.
	hasSource bool
}

// clause is a kind of clause.
type clause int

const (
	noClause clause = iota
	groupClause
	fileClause
	whereClause
	periodClause
	thingClause
)

func (p *parser) refuse(format string, args ...any) {
	if p.refusal == "" {
		p.refusal = fmt.Sprintf(format, args...)
	}
}

func (p *parser) isAt(i int, words ...string) bool {
	return i >= 0 && i < len(p.words) && p.words[i].is(words...)
}

// isPhraseAt reports whether the words of a phrase begin at word i.
func (p *parser) isPhraseAt(i int, phrase string) bool {
	for part := range strings.FieldsSeq(phrase) {
		if !p.isAt(i, part) {
			return false
		}
		i++
	}
	return true
}

// clauseAt returns the clause that begins at word i, and the number of its keywords.
func (p *parser) clauseAt(i int) (c clause, size int) {
	if size := p.periodAt(i).size; size > 0 {
		return periodClause, 0
	}
	switch {
	case p.isAt(i, "in", "from"):
		return fileClause, 1
	case p.isAt(i, "by", "per"):
		return groupClause, 1
	case p.isPhraseAt(i, "for each"), p.isPhraseAt(i, "for every"):
		return groupClause, 2
	case p.isAt(i, "where"):
		return whereClause, 1
	case p.isAt(i, "with", "whose", "having") && p.hasComparison(i+1):
		return whereClause, 1
	case p.isAt(i, "for", "of") && p.thingAt(i+1).column != "":
		return thingClause, 1
	}
	return noClause, 0
}

// parseClauses reads the clauses from word i on, which may be in any order.
func (p *parser) parseClauses(q *question, i int) {
	for i < len(p.words) {
		c, size := p.clauseAt(i)
		i += size
		switch c {
		case whereClause:
			i = p.parseConditions(q, i)
		case periodClause:
			found := p.periodAt(i)
			q.where = append(q.where, found.conditions...)
			i += found.size
		case thingClause:
			q.where = append(q.where, p.thingAt(i))
			i = p.endOfThing(i)
		case groupClause:
			if p.isAt(i, "the") {
				i++
			}
			i = p.parseName(&q.by, "by", i)
		case fileClause:
			i = p.parseFile(q, i)
		case noClause: // of, after the subject
			i = p.parseFile(q, i+1)
		}
	}
}

// parseFile reads the name of a file or a kind. It takes the place of the kind that the subject has named.
func (p *parser) parseFile(q *question, i int) int {
	if q.kind != "" && !q.hasFile {
		q.in = ""
	}
	end := p.parseName(&q.in, "in", i)
	if end == i+1 && q.kind != "" && !q.hasFile && !p.words[i].quoted && monthOf(strings.ToLower(q.in)) != 0 {
		p.refuse("“%s” may be a month or a file. Say “in %s 2026”, or put the name of the file in quotes.", q.in, q.in)
	}
	q.hasFile, p.hasSource = true, true
	if end == i+1 && p.words[i].quoted {
		q.inQuoted = true
	} else {
		q.in = trimFile(q.in)
	}
	return end
}

// parseName reads the name after the keyword of a clause, and returns the index after it.
func (p *parser) parseName(target *string, keyword string, i int) int {
	end := p.endOfName(i)
	name := joinWords(p.words[i:end])
	switch {
	case name == "":
		p.refuse("A name is missing after “%s”.", keyword)
	case *target != "":
		p.refuse("I understand only one name after “%s”, but there are two: “%s” and “%s”.", keyword, *target, name)
	default:
		*target = name
	}
	return end
}

// endOfName returns the index of the next clause after word i. The first word is always part of the name.
func (p *parser) endOfName(i int) int {
	for end := i + 1; end < len(p.words); end++ {
		if c, _ := p.clauseAt(end); c != noClause {
			return end
		}
	}
	return len(p.words)
}
