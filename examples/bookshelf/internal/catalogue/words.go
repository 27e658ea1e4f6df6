package catalogue

import (
	"strings"
	"unicode"
)

// words splits text into comparable words. It converts them to lower case, removes accents, punctuation and small words,
// joins words hyphenated at a line's end, and turns misread digits inside words back into letters.
func words(s string) []string {
	s = strings.ReplaceAll(s, "\u00ad", "") // soft hyphen
	s = strings.ReplaceAll(s, "-\r\n", "")
	s = strings.ReplaceAll(s, "-\n", "")
	s = strings.Map(func(r rune) rune {
		if r == '\'' || r == '’' {
			return -1 // hitchhiker's, O'Reilly: one word
		}
		r = unaccent(unicode.ToLower(r))
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return ' '
	}, s)
	var out []string
	for _, w := range strings.Fields(s) {
		if w = letters(w); !small(w) {
			out = append(out, w)
		}
	}
	return out
}

// letters replaces misread digits by letters in words that have both.
func letters(w string) string {
	if !strings.ContainsFunc(w, unicode.IsLetter) {
		return w
	}
	return strings.NewReplacer("0", "o", "1", "l", "5", "s", "8", "b").Replace(w)
}

// small reports whether a word does not help to identify a book: articles, conjunctions and single letters.
func small(w string) bool {
	switch w {
	case "a", "an", "and", "by", "in", "of", "on", "or", "the", "to":
		return true
	}
	return len(w) == 1 && !unicode.IsDigit(rune(w[0]))
}

// unaccent removes accents from the Latin letters in book titles.
func unaccent(r rune) rune {
	const with, without = "àáâãäåāçćčèéêëēìíîïīłñńòóôõöøōśšùúûüūýÿžźż", "aaaaaaaccceeeeeiiiiilnnooooooossuuuuuyyzzz"
	if i := strings.IndexRune(with, r); i >= 0 {
		return rune(without[len([]rune(with[:i]))])
	}
	return r
}
