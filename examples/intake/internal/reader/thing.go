package reader

import (
	"path"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// thingAt returns the condition of words such as "supplier S-001", "SKU X" or "SKU-00012" that begin at word i. Its
// column is empty if they are not such words.
func (p *parser) thingAt(i int) where {
	return readThing(p.words[min(i, len(p.words)):p.endOfThing(i)])
}

// readThing returns the condition of words that name a column and its value, or a code that shows its column.
func readThing(words []word) where {
	for len(words) > 0 && words[0].is("the") {
		words = words[1:]
	}
	for size := len(words) - 1; size > 0; size-- {
		role, value := kinds.RoleOf(joinWords(words[:size])), joinWords(words[size:])
		isFile := path.Ext(value) != "" && !isMeasured(value)
		if role != "" && !isFile {
			return where{joinWords(words[:size]), query.Equal, value}
		}
	}
	if len(words) == 1 {
		return where{string(kinds.RoleOfValue(words[0].text)), query.Equal, words[0].text}
	}
	return where{}
}

// endOfThing returns the index after the words that may name a thing.
func (p *parser) endOfThing(i int) int {
	end := i
	for end < len(p.words) && !p.isAt(end, "in", "from", "by", "per", "where", "for", "of", "and", "after", "before",
		"since", "until", "on", "between", "during") {
		end++
	}
	return min(end, len(p.words))
}
