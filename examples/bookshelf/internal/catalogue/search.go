package catalogue

import (
	"cmp"
	"slices"
	"strings"
)

// Threshold is the lowest score that [Catalogue.Search] counts as a match.
const Threshold = 0.65

// maxWords is the largest number of words of a query. Further words are ignored.
const maxWords = 60

// Match is a book found by a search.
type Match struct {
	Book  Book
	Score float64 // from Threshold to 1
}

// entry holds the words of a book.
type entry struct {
	title  []string // with the subtitle
	short  []string // up to the colon, if the title has one
	author []string
}

func newEntry(b Book) entry {
	main, _, _ := strings.Cut(b.Title, ":")
	return entry{title: words(b.Title), short: words(main), author: words(b.Author)}
}

// Search returns books by title and author, best first. Either may be empty, and they may be mixed up, as in the text
// of a cover. Search ignores case, accents, punctuation and line breaks and tolerates a few misread letters. Words that
// belong to neither reduce the score little. It returns nil if no book scores [Threshold].
//
// The score is T × (0.5 + 0.2 P + 0.3 A): T is the part of the book's title that was found in the query, P the part
// of the query that the book explains, A the part of the author's names that was found, or 1 if the query's author
// is empty and its words are all explained.
func (c *Catalogue) Search(title, author string) []Match {
	query := slices.Concat(words(title), words(author))
	if len(query) == 0 {
		return nil
	}
	query = query[:min(len(query), maxWords)]
	authorGiven := len(words(author)) > 0
	var out []Match
	for i, e := range c.index {
		if s := e.score(query, authorGiven); s >= Threshold {
			out = append(out, Match{c.books[i], s})
		}
	}
	slices.SortStableFunc(out, func(a, b Match) int { return cmp.Compare(b.Score, a.Score) })
	return out
}

func (e entry) score(query []string, authorGiven bool) float64 {
	t := max(found(e.title, query), found(e.short, query))
	if t == 0 {
		return 0
	}
	p := found(query, slices.Concat(e.title, e.author))
	a := found(e.author, query)
	if !authorGiven {
		a = max(a, p)
	} else if a > 0 {
		// Covers and people often name one of several authors, or a surname without initials.
		a = max(a, 0.8)
	}
	return t * (0.5 + 0.2*p + 0.3*a)
}

// found returns the share of want's letters whose words are in have.
func found(want, have []string) float64 {
	var hit, all int
	for _, w := range want {
		all += len(w)
		if slices.ContainsFunc(have, func(h string) bool { return similar(w, h) }) {
			hit += len(w)
		}
	}
	if all == 0 {
		return 0
	}
	return float64(hit) / float64(all)
}

// similar reports whether two words differ by at most one letter in four, or two in eight.
func similar(a, b string) bool {
	if a == b {
		return true
	}
	x, y := []rune(a), []rune(b)
	allowed := min(min(len(x), len(y))/4, 2)
	if allowed == 0 || max(len(x), len(y))-min(len(x), len(y)) > allowed {
		return false
	}
	return distance(x, y) <= allowed
}

// distance returns the Levenshtein distance.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			step := diagonal
			if a[i] != b[j] {
				step++
			}
			diagonal = row[j+1]
			row[j+1] = min(step, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
