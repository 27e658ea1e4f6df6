package catalogue

import (
	"strings"
	"unicode"
)

// words breaks text into comparable words: lower case, without accents and punctuation, a word that is hyphenated
// at a line's end put together, misread digits inside words turned back into letters, and small words left out.
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

// letters turns digits that a scanner took for letters back, in words that have both.
func letters(w string) string {
	if !strings.ContainsFunc(w, unicode.IsLetter) {
		return w
	}
	return strings.NewReplacer("0", "o", "1", "l", "5", "s", "8", "b").Replace(w)
}

// small reports whether a word says nothing about which book it is: articles, conjunctions and single letters.
func small(w string) bool {
	switch w {
	case "a", "an", "and", "by", "in", "of", "on", "or", "the", "to":
		return true
	}
	return len(w) == 1 && !unicode.IsDigit(rune(w[0]))
}

// unaccent folds the accented Latin letters that book titles have.
func unaccent(r rune) rune {
	const with, without = "àáâãäåāçćčèéêëēìíîïīłñńòóôõöøōśšùúûüūýÿžźż", "aaaaaaaccceeeeeiiiiilnnooooooossuuuuuyyzzz"
	if i := strings.IndexRune(with, r); i >= 0 {
		return rune(without[len([]rune(with[:i]))])
	}
	return r
}
