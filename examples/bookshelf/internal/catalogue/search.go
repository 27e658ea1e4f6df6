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
	Book  Book    `json:"book"`
	Score float64 `json:"score"` // from Threshold to 1
}

// entry holds the words of a book.
type entry struct {
	title  []string // with the subtitle
	short  []string // up to the colon, if the title has one
	author []string
}

func newEntry(b Book) entry {
	main, _, _ := strings.Cut(b.Title, ":")
	return entry{title: splitWords(b.Title), short: splitWords(main), author: splitWords(b.Author)}
}

// Search returns the books that match a title and an author, best first. Either may be empty, and they may be mixed up,
// as in the text of a cover. Search ignores case, accents, punctuation and line breaks, and tolerates a few misread
// letters. Words that are neither in the title nor in the author reduce the score only a little. It returns nil if no
// book has a score of at least [Threshold].
//
// The score is T × (0.5 + 0.2 P + 0.3 A). T is the share of the book's title that is in the query, P the share of the
// query that is in the book's title or author, and A the share of the author's names that is in the query. If author is
// empty, A is at least P.
func (c *Catalogue) Search(title, author string) []Match {
	return rank(c.books, c.index, title, author)
}

// Rank returns the books that match a title and an author, best first, as [Catalogue.Search] does. It is for the
// answers of other sources.
func Rank(books []Book, title, author string) []Match {
	index := make([]entry, len(books))
	for i, b := range books {
		index[i] = newEntry(b)
	}
	return rank(books, index, title, author)
}

// rank returns the books that match. The entry at index i belongs to book i.
func rank(books []Book, index []entry, title, author string) []Match {
	query := slices.Concat(splitWords(title), splitWords(author))
	if len(query) == 0 {
		return nil
	}
	query = query[:min(len(query), maxWords)]
	authorGiven := len(splitWords(author)) > 0
	var out []Match
	for i, e := range index {
		if s := e.scoreQuery(query, authorGiven); s >= Threshold {
			out = append(out, Match{books[i], s})
		}
	}
	slices.SortStableFunc(out, func(a, b Match) int { return cmp.Compare(b.Score, a.Score) })
	return out
}

func (e entry) scoreQuery(query []string, authorGiven bool) float64 {
	t := max(shareFound(e.title, query), shareFound(e.short, query))
	if t == 0 {
		return 0
	}
	p := shareFound(query, slices.Concat(e.title, e.author))
	a := shareFound(e.author, query)
	if !authorGiven {
		a = max(a, p)
	} else if a > 0 {
		// Covers and people often name one of several authors, or a surname without initials.
		a = max(a, 0.8)
	}
	return t * (0.5 + 0.2*p + 0.3*a)
}

// shareFound returns the share of the letters in want that belong to words in have.
func shareFound(want, have []string) float64 {
	var hit, all int
	for _, w := range want {
		all += len(w)
		if slices.ContainsFunc(have, func(h string) bool { return isSimilar(w, h) }) {
			hit += len(w)
		}
	}
	if all == 0 {
		return 0
	}
	return float64(hit) / float64(all)
}

// isSimilar reports whether two words differ by at most one letter in four, or two in eight.
func isSimilar(a, b string) bool {
	if a == b {
		return true
	}
	x, y := []rune(a), []rune(b)
	allowed := min(min(len(x), len(y))/4, 2)
	if allowed == 0 || max(len(x), len(y))-min(len(x), len(y)) > allowed {
		return false
	}
	return editDistance(x, y) <= allowed
}

// editDistance returns the Levenshtein distance.
func editDistance(a, b []rune) int {
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
